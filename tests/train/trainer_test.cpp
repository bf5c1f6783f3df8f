// A run whose evaluation a signal ends goes on with that evaluation; one whose weights break goes back to its
// checkpoint.
#include "dis/train/trainer.h"

#include <gtest/gtest.h>

#include <csignal>
#include <limits>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/signals.h"
#include "dist/rank_threads.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

using Updates = std::vector<std::int64_t>;

/// Eight batches of three updates, an evaluation after every second one.
RunConfig config_of_run() {
  RunConfig config;
  config.data.board_size = 5;
  config.data.train_boards = 20;
  config.data.test_boards = 2;
  config.model.hidden_size = 16;
  config.model.num_heads = 2;
  config.model.num_layers = 1;
  config.model.puzzle_emb_len = 1;
  config.method.num_supervision = 3;
  config.train.steps = 24;
  config.train.global_batch = 4;
  config.train.eval_every = 6;
  config.train.keep_best = true;
  config.train.keep_last = 1;
  config.compute.dtype = ComputeType::float32;
  config.compute.threads = 1;
  return config;
}

/// Trains; the evaluations after `signals` are ended by one. Returns those that were made; update `best` is the best.
Updates train_with(const fs::path& run, bool resume, Updates signals, std::int64_t best = 12) {
  Updates made;
  TrainRequest request{run, resume, [&](const Session&, std::int64_t updates) {
                         if (std::erase(signals, updates) > 0) throw Stopped{SIGTERM};
                         made.push_back(updates);
                         return updates == best ? 1.0 : 1.0 / static_cast<double>(updates);
                       }};
  auto session = make_session(config_of_run());
  try {
    train(session, request);
    EXPECT_TRUE(signals.empty());
  } catch (const Stopped&) {
    made.push_back(-1);
  }
  return made;
}

TEST(Trainer, AnEvaluationThatASignalEndedIsMadeAfterwards) {
  const TemporaryFolder folder;
  const auto whole = folder / "whole";
  EXPECT_EQ(train_with(whole, false, {}), (Updates{6, 12, 18, 24}));
  const auto weights = [](const fs::path& run, const char* name) {
    return read_text(run / "checkpoints" / name / "model.safetensors");
  };
  for (const std::int64_t at : {6, 12, 18, 24}) {
    SCOPED_TRACE(at);
    const auto run = folder / std::to_string(at);
    Updates made = train_with(run, false, {at});
    EXPECT_EQ(made.back(), -1);
    const auto state = [&] { return read_json(run / "checkpoints/latest/state.json"); };
    EXPECT_EQ(state().at("step"), at);
    EXPECT_EQ(state().at("evaluation_due"), true);
    EXPECT_EQ(train_with(run, true, {at}), Updates{-1}) << "a second signal, before anything was made";
    EXPECT_EQ(state().at("step"), at);
    made.pop_back();
    for (const auto updates : train_with(run, true, {})) made.push_back(updates);
    EXPECT_EQ(made, (Updates{6, 12, 18, 24}));
    EXPECT_FALSE(state().contains("evaluation_due"));
    EXPECT_EQ(state().at("best"), (Json{{"score", 1.0}, {"step", 12}}));
    EXPECT_EQ(weights(run, "latest"), weights(whole, "latest"));
    EXPECT_EQ(weights(run, "best"), weights(whole, "best"));
    EXPECT_EQ(train_with(run, true, {}), Updates{}) << "the run is finished";
  }
}

TEST(Trainer, AnEvaluationMadeAfterwardsKeepsTheSameCheckpoints) {
  const TemporaryFolder folder;
  const auto checkpoints = [](const fs::path& run) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(run / "checkpoints"))
      names.insert(entry.path().filename().string());
    return names;
  };
  for (const std::int64_t best : {18, 24}) {
    const auto whole = folder / ("whole" + std::to_string(best)), run = folder / ("run" + std::to_string(best));
    train_with(whole, false, {}, best);
    train_with(run, false, {best}, best);
    train_with(run, true, {}, best);
    EXPECT_EQ(checkpoints(run), checkpoints(whole)) << "best " << best;
    EXPECT_EQ(fs::read_symlink(run / "checkpoints/best"), std::to_string(best));
  }
}

// ------------------------------------------------------------------------------------------ train.on_non_finite

/// A checkpoint every six updates, two batches. Between them evaluations, at which the tests break the weights.
RunConfig config_that_rolls_back() {
  auto config = config_of_run();
  config.train.checkpoint_every = 6;
  config.train.eval_every = 9;
  config.train.keep_best = false;
  config.train.keep_last = 10;
  config.train.on_non_finite = OnNonFinite::rollback;
  return config;
}

struct Killed {};

/// Trains; `at` is called at each evaluation with the updates made and how often that was reached in this sitting, and
/// says whether the weights break there. Returns where evaluations were made.
template <class At>
Updates train_breaking(const RunConfig& config, const fs::path& run, bool resume, At at,
                       std::shared_ptr<const Ranks> ranks = std::make_shared<const Ranks>()) {
  Updates made;
  TrainRequest request{run, resume, [&](const Session& session, std::int64_t updates) {
                         made.push_back(updates);
                         if (at(updates, std::count(made.begin(), made.end(), updates))) {
                           auto& weights = session.model->weights();
                           auto broken = weights.flat().clone();
                           broken[broken.numel() / 2] = std::numeric_limits<float>::quiet_NaN();
                           weights.assign(broken);
                         }
                         return 0.0;
                       }};
  auto session = make_session(config, std::move(ranks));
  train(session, request);
  return made;
}

std::string file_of(const fs::path& run, const char* name) { return read_text(run / "checkpoints/latest" / name); }

Updates batches_in(const fs::path& metrics) {
  Updates batches;
  std::istringstream lines(read_text(metrics));
  for (std::string line; std::getline(lines, line);) batches.push_back(parse_json(line, "metrics")["batch"]);
  return batches;
}

struct Method {
  const char* name;
  std::function<void(RunConfig&)> change;
};
const std::vector<Method>& methods() {
  static const std::vector<Method> all = {
      {"dis", [](RunConfig&) {}},
      {"staggered", [](RunConfig& config) { config.method.lanes = Lanes::staggered; }},
      {"trm", [](RunConfig& config) { config.method.algorithm = Algorithm::trm; }},
      {"muon", [](RunConfig& config) { config.optim.name = OptimiserKind::muon; }},
      {"ema", [](RunConfig& config) { config.optim.ema_rate = 0.9, config.eval.ema = false; }}};
  return all;
}

TEST(NonFinite, RollsBackAndLeavesTheBatchesOut) {
  const TemporaryFolder folder;
  for (const auto& method : methods()) {
    SCOPED_TRACE(method.name);
    auto config = config_that_rolls_back();
    method.change(config);
    const auto run = folder / method.name;
    const auto once = [](std::int64_t updates, std::int64_t time) { return updates == 9 && time == 1; };
    // Batch 4 finds it, the checkpoint holds batches 1 and 2: batch 5 makes the updates 7 to 9.
    EXPECT_EQ(train_breaking(config, run, false, once), (Updates{9, 9, 18}));
    EXPECT_EQ(batches_in(run / "metrics.jsonl"), (Updates{1, 2, 5, 6, 7, 8, 9, 10}));
    const auto state = read_json(run / "checkpoints/latest/state.json");
    EXPECT_EQ(state.at("step"), 24);
    EXPECT_EQ(state.at("batches"), 10);
    EXPECT_EQ(state.at("samples"), method.name == std::string("trm") ? state.at("samples") : Json(32));
    EXPECT_FALSE(state.contains("rollbacks"));

    // Killed behind the rollback, before another checkpoint: the same bits.
    const auto killed = folder / (std::string(method.name) + "_killed");
    EXPECT_THROW(train_breaking(config, killed, false,
                                [&](std::int64_t updates, std::int64_t time) {
                                  if (updates == 9 && time == 2) throw Killed();
                                  return once(updates, time);
                                }),
                 Killed);
    const auto between = read_json(killed / "checkpoints/latest/state.json");
    EXPECT_EQ(between.at("step"), 6);
    EXPECT_EQ(between.at("batches"), 4);
    EXPECT_EQ(between.at("rollbacks"), 1);
    EXPECT_EQ(train_breaking(config, killed, true, [](auto, auto) { return false; }), (Updates{9, 18}));
    for (const char* file : {"model.safetensors", "trainer.safetensors"}) {
      EXPECT_TRUE(file_of(killed, file) == file_of(run, file)) << file;
    }
    EXPECT_EQ(batches_in(killed / "metrics.jsonl"), batches_in(run / "metrics.jsonl"));
  }
}

TEST(NonFinite, BrokenWeightsAreFoundByTheirCheckpoint) {
  const TemporaryFolder folder;
  auto config = config_that_rolls_back();
  config.train.eval_every = 6;
  const auto run = folder / "run";
  const auto once = [](std::int64_t updates, std::int64_t time) { return updates == 12 && time == 1; };
  EXPECT_EQ(train_breaking(config, run, false, once), (Updates{6, 12, 12, 18, 24}));
  EXPECT_EQ(batches_in(run / "metrics.jsonl"), (Updates{1, 2, 5, 6, 7, 8, 9, 10}));
}

TEST(NonFinite, GivesUpAfterThreeRollbacksWithoutACheckpointBetween) {
  const TemporaryFolder folder;
  const auto config = config_that_rolls_back();
  const auto run = folder / "run";
  Updates made;
  const auto error = user_error_of([&] {
    train_breaking(config, run, false, [&](std::int64_t updates, std::int64_t) {
      made.push_back(updates);
      return true;
    });
  });
  EXPECT_EQ(made, (Updates{9, 9, 9, 9}));
  EXPECT_NE(error.find("after three rollbacks in a row, in the batch that ended with update 12"), std::string::npos)
      << error;
  EXPECT_NE(error.find("checkpoints/6, is untouched"), std::string::npos) << error;
  const auto other = folder / "other";
  auto longer = config;
  longer.train.steps = 60;
  EXPECT_EQ(train_breaking(longer, other, false, [](auto, std::int64_t time) { return time == 1; }),
            (Updates{9, 9, 18, 18, 27, 27, 36, 36, 45, 45, 54, 54}))
      << "a checkpoint between them";
}

TEST(NonFinite, StopsWithoutACheckpointAndWhenNotAsked) {
  const TemporaryFolder folder;
  auto config = config_that_rolls_back();
  config.train.eval_every = 3;
  const auto always = [](auto, auto) { return true; };
  EXPECT_NE(user_error_of([&] { train_breaking(config, folder / "first", false, always); }).find("no checkpoint yet"),
            std::string::npos);
  config = config_that_rolls_back();
  config.train.on_non_finite = OnNonFinite::stop;
  EXPECT_NE(
      user_error_of([&] { train_breaking(config, folder / "stop", false, always); }).find("checkpoints/6, is untou"),
      std::string::npos);
}

TEST(NonFinite, RanksRollBackTogether) {
  const TemporaryFolder folder;
  auto config = config_that_rolls_back();
  config.dist.deterministic = true;
  config.dist.chunk = 1;
  const auto once = [](std::int64_t updates, std::int64_t time) { return updates == 9 && time == 1; };
  train_breaking(config, folder / "one", false, once);
  expect_no_errors(as_ranks(2, [&](const std::shared_ptr<const Ranks>& ranks) {
    EXPECT_EQ(train_breaking(config, folder / "two", false, once, ranks), (Updates{9, 9, 18}));
  }));
  for (const char* file : {"model.safetensors", "trainer.safetensors"}) {
    EXPECT_TRUE(file_of(folder / "two", file) == file_of(folder / "one", file)) << file;
  }
}

}  // namespace
}  // namespace dis
