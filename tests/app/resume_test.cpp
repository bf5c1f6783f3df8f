// A run that was killed, interrupted or stopped at any moment goes on as if it had not been.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "dis/core/files.h"
#include "dis/core/random.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBatches = 50;

struct Variant {
  std::string name;
  std::vector<std::string> settings;
};

std::ostream& operator<<(std::ostream& stream, const Variant& variant) { return stream << variant.name; }

/// Wide enough that 50 batches take some seconds, so that a signal meets a run at work.
Arguments train_variant(const fs::path& run, const Variant& variant) {
  return train_tiny(run, {"data.board_size=6", "model.hidden_size=48", "optim.warmup_steps=20", "optim.lr=0.002"}) +
         set(variant.settings);
}

const Variant& lockstep() {
  static const Variant variant{"lockstep", {"train.steps=150", "train.checkpoint_every=6", "optim.ema_rate=0.9"}};
  return variant;
}

/// Lanes in the middle of their samples, with states that the next update goes on from.
Variant halting(const std::string& algorithm) {
  return {algorithm,
          {"train.steps=150", "train.checkpoint_every=6", "method.algorithm=" + algorithm, "method.targets=label",
           "method.time=none", "method.halt_exploration=0.3"}};
}

/// Waits until the run has `lines` records, and then `after` more. False when it ended before that.
bool wait_for(Program& program, const fs::path& run, std::size_t lines, std::chrono::microseconds after) {
  while (metrics_lines(run) < lines) {
    if (!program.running()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(after);
  return program.running();
}

/// The same weights, moments, lanes, counters and metrics, byte for byte but for the clock.
void expect_same_end(const fs::path& one, const fs::path& other) {
  for (const char* name : {"model.safetensors", "trainer.safetensors", "ema.safetensors"}) {
    const auto a = one / "checkpoints" / "latest" / name, b = other / "checkpoints" / "latest" / name;
    ASSERT_EQ(fs::exists(a), fs::exists(b)) << name;
    if (!fs::exists(a)) continue;
    EXPECT_TRUE(read_text(a) == read_text(b)) << name << " differs";
  }
  Json a = read_json(one / "checkpoints" / "latest" / "state.json");
  Json b = read_json(other / "checkpoints" / "latest" / "state.json");
  a.erase("seconds");
  a.erase("device_seconds");
  b.erase("seconds");
  b.erase("device_seconds");
  EXPECT_EQ(a, b);
  EXPECT_EQ(metrics_without_clock(one).size(), kBatches);
  EXPECT_EQ(metrics_without_clock(one), metrics_without_clock(other));
}

/// Seed of the moments at which runs are killed: the clock, or DIS_TEST_SEED to see the same moments again.
std::uint64_t moment_seed() {
  const char* given = std::getenv("DIS_TEST_SEED");
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : static_cast<std::uint64_t>(now);
  std::cout << "moments of the kills: DIS_TEST_SEED=" << seed << std::endl;
  return seed;
}

class KilledRun : public testing::TestWithParam<Variant> {};

TEST_P(KilledRun, EndsLikeTheUninterruptedRun) {
  const TemporaryFolder folder;
  const auto whole = folder / "whole", killed = folder / "killed";
  Program uninterrupted(train_variant(whole, GetParam()));
  Draws moment(moment_seed(), Purpose::test, 0, 0);
  std::size_t lines = 0;
  for (int kill = 0; kill < 3; ++kill) {
    Program program(kill == 0 ? train_variant(killed, GetParam()) : resume(killed));
    lines += 2 + moment.below(11);
    ASSERT_TRUE(wait_for(program, killed, lines, std::chrono::microseconds(moment.below(60'000))));
    program.send(SIGKILL);
    ASSERT_EQ(program.wait().signal, SIGKILL) << "it had ended by itself";
    if (const auto latest = killed / "checkpoints" / "latest"; fs::is_symlink(latest)) {
      EXPECT_TRUE(fs::exists(latest / "model.safetensors") && fs::exists(latest / "trainer.safetensors") &&
                  fs::exists(latest / "state.json"));
    }
  }
  expect_success(resume(killed));
  ASSERT_EQ(uninterrupted.wait().status, 0);
  expect_same_end(whole, killed);
}

INSTANTIATE_TEST_SUITE_P(
    Variants, KilledRun,
    testing::Values(
        lockstep(), halting("trm"), halting("hrm"),
        Variant{
            "trm_drawn",
            [] {
              auto settings = halting("trm").settings;
              settings.insert(settings.end(), {"method.start=random", "method.path_noise=0.1", "method.damping=0.95"});
              return settings;
            }()},
        Variant{"staggered_drawn",
                {"train.steps=150", "train.checkpoint_every=3", "method.lanes=staggered", "method.start=random",
                 "method.path_noise=0.1"}},
        Variant{"staggered_bfloat16",
                {"train.steps=150", "train.checkpoint_every=3", "method.lanes=staggered", "method.feedback=prediction",
                 "compute.dtype=bfloat16"}},
        Variant{"staggered_accumulated",
                {"train.steps=50", "train.checkpoint_every=2", "method.lanes=staggered", "method.feedback=prediction",
                 "method.update=accumulated", "optim.ema_rate=0.9", "train.micro_batch=3"}}),
    [](const auto& variant) { return variant.param.name; });

TEST(StoppedRun, SavesSaysSoAndGoesOn) {
  const TemporaryFolder folder;
  const auto whole = folder / "whole", stopped = folder / "stopped";
  // Without regular checkpoints: there are only those of the signals.
  Variant variant = lockstep();
  variant.settings.push_back("train.checkpoint_every=0");
  Program uninterrupted(train_variant(whole, variant));
  for (const int signal : {SIGTERM, SIGINT}) {
    Program program(signal == SIGTERM ? train_variant(stopped, variant) : resume(stopped));
    ASSERT_TRUE(wait_for(program, stopped, signal == SIGTERM ? 10 : 25, {}));
    program.send(signal);
    const Outcome outcome = program.wait();
    EXPECT_EQ(outcome.status, 128 + signal) << outcome.err;
    EXPECT_NE(outcome.err.find("stopped by a signal at update "), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find("go on with: dis train --run-dir " + stopped.string() + " --resume"), std::string::npos);
    EXPECT_EQ(outcome.err.find("error"), std::string::npos) << outcome.err;
    const Json state = read_json(stopped / "checkpoints" / "latest" / "state.json");
    EXPECT_EQ(state["batches"], metrics_lines(stopped));
    EXPECT_LT(metrics_lines(stopped), kBatches);
  }
  EXPECT_NE(expect_success(resume(stopped)).err.find("going on from update "), std::string::npos);
  ASSERT_EQ(uninterrupted.wait().status, 0);
  expect_same_end(whole, stopped);
}

TEST(Resume, OfAFinishedRunChangesNothingOfIt) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(train_tiny(run, {"train.steps=6"}));
  const auto before = contents(run);
  EXPECT_NE(expect_success(resume(run)).err.find("going on from update 6"), std::string::npos);
  const auto after = contents(run);
  for (const auto& [path, bytes] : before) {
    if (path == "log.txt") continue;
    ASSERT_TRUE(after.contains(path)) << path;
    EXPECT_TRUE(after.at(path) == bytes) << path << " differs";
  }
}

TEST(Resume, GoesOnBeyondTheFirstEnd) {
  const TemporaryFolder folder;
  const auto whole = folder / "whole", longer = folder / "longer";
  expect_success(train_tiny(whole, {"train.steps=12"}));
  expect_success(train_tiny(longer, {"train.steps=6"}));
  expect_success(resume(longer, {"train.steps=12"}));
  EXPECT_EQ(metrics_without_clock(whole), metrics_without_clock(longer));
  EXPECT_EQ(read_json(longer / "config.json"), read_json(whole / "config.json"));
  EXPECT_EQ(largest_difference(whole / "checkpoints" / "latest" / "model.safetensors",
                               longer / "checkpoints" / "latest" / "model.safetensors"),
            0.0);
}

TEST(Resume, WithoutTheLinkTakesTheNewestCheckpoint) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(train_tiny(run, {"train.steps=6", "train.checkpoint_every=3"}));
  fs::remove(run / "checkpoints" / "latest");
  EXPECT_NE(expect_success(resume(run)).err.find("going on from update 6"), std::string::npos);
  EXPECT_EQ(fs::read_symlink(run / "checkpoints" / "latest"), "6");
  EXPECT_TRUE(fs::exists(run / "checkpoints" / "3"));
}

TEST(Resume, BeforeTheFirstCheckpointStartsAgain) {
  const TemporaryFolder folder;
  const auto whole = folder / "whole", run = folder / "run";
  expect_success(train_tiny(whole, {"train.steps=6"}));
  fs::create_directory(run);
  for (const char* name : {"config.json", "metrics.jsonl"}) fs::copy_file(whole / name, run / name);
  EXPECT_NE(expect_success(resume(run)).err.find("there is no checkpoint yet"), std::string::npos);
  EXPECT_EQ(metrics_without_clock(whole), metrics_without_clock(run));
}

}  // namespace
}  // namespace dis
