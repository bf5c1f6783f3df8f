// Whole programs as ranks: the same result as one process, the same scores, and a clear end when one of them fails.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <thread>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "dis/core/files.h"
#include "dis/core/random.h"

namespace dis {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// The ranks of one command, as a launcher starts them.
class RankPrograms {
 public:
  RankPrograms(int size, const Arguments& arguments, int restart = 0)
      : RankPrograms(std::vector(size, arguments), restart) {}
  /// Rank r gets the arguments calls[r].
  explicit RankPrograms(const std::vector<Arguments>& calls, int restart = 0, Output output = Output::kept) {
    static int port = 20000 + static_cast<int>(::getpid() * 7 % 20000);
    ++port;
    const auto number = [](std::size_t i) { return std::to_string(i); };
    for (std::size_t rank = 0; rank < calls.size(); ++rank) {
      programs_.push_back(std::make_unique<Program>(
          calls[rank],
          std::vector<std::string>{"RANK=" + number(rank), "LOCAL_RANK=" + number(rank),
                                   "WORLD_SIZE=" + number(calls.size()), "LOCAL_WORLD_SIZE=" + number(calls.size()),
                                   "MASTER_ADDR=127.0.0.1", "MASTER_PORT=" + std::to_string(port),
                                   "TORCHELASTIC_RESTART_COUNT=" + std::to_string(restart), "OMP_NUM_THREADS=1"},
          output));
    }
  }
  Program& operator[](std::size_t rank) { return *programs_[rank]; }
  std::vector<Outcome> wait() {
    std::vector<Outcome> outcomes;
    for (auto& program : programs_) outcomes.push_back(program->wait());
    return outcomes;
  }

 private:
  std::vector<std::unique_ptr<Program>> programs_;
};

void expect_all(const std::vector<Outcome>& outcomes, int status) {
  for (const auto& outcome : outcomes) EXPECT_EQ(outcome.status, status) << outcome.err;
}

std::string weights_of(const fs::path& run) { return read_text(run / "checkpoints" / "latest" / "model.safetensors"); }

Arguments train_shared(const fs::path& run, const std::vector<std::string>& settings = {}) {
  return train_tiny(run, {"data.board_size=6", "model.hidden_size=48", "dist.deterministic=true", "dist.chunk=2",
                          "train.steps=150", "train.checkpoint_every=6", "dist.timeout_s=5", "dist.check_every=10"}) +
         set(settings);
}

TEST(RankPrograms, EndLikeOneProcessAndGoOnWithAnotherNumber) {
  const TemporaryFolder folder;
  const auto alone = folder / "alone", two = folder / "two", changing = folder / "changing";
  expect_success(train_shared(alone));
  const auto outcomes = RankPrograms(2, train_shared(two)).wait();
  expect_all(outcomes, 0);
  EXPECT_NE(outcomes[0].err.find("2 ranks"), std::string::npos) << outcomes[0].err;
  EXPECT_EQ(outcomes[1].err, "");  // one speaks for all
  EXPECT_TRUE(weights_of(two) == weights_of(alone));
  EXPECT_EQ(metrics_without_clock(two), metrics_without_clock(alone));
  expect_all(RankPrograms(4, train_shared(changing, {"train.steps=60"})).wait(), 0);
  expect_all(RankPrograms(2, resume(changing, {"train.steps=105"})).wait(), 0);
  expect_success(resume(changing, {"train.steps=150"}));
  EXPECT_TRUE(weights_of(changing) == weights_of(alone));
  EXPECT_EQ(metrics_without_clock(changing), metrics_without_clock(alone));
}

TEST(RankPrograms, GiveTheSameScoresByteForByte) {
  const TemporaryFolder folder;
  for (const std::string algorithm : {"dis", "trm", "hrm"}) {
    SCOPED_TRACE(algorithm);
    const auto run = folder / algorithm;
    std::vector<std::string> settings{"train.steps=30", "data.test_boards=23", "eval.batch=4",
                                      "method.algorithm=" + algorithm};
    if (algorithm != "dis") settings.insert(settings.end(), {"method.targets=label", "method.time=none"});
    expect_success(train_shared(run, settings));
    expect_success({"eval", "--run", run.string()});
    const auto alone = contents(run / "eval");
    for (const int size : {2, 3}) {
      fs::remove_all(run / "eval");
      const auto outcomes = RankPrograms(size, {"eval", "--run", run.string(), "--json"}).wait();
      expect_all(outcomes, 0);
      EXPECT_EQ(difference(alone, contents(run / "eval")), "");
      EXPECT_EQ(outcomes[1].out, "");
    }
  }
}

/// A result without the seconds that it took.
Json without_seconds(Json json) {
  if (json.is_object()) json.erase("seconds");
  if (json.is_structured()) {
    for (auto& item : json) item = without_seconds(item);
  }
  return json;
}

TEST(RankPrograms, DrawTheSameRolloutsAndQueens) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(train_shared(run, {"train.steps=30", "data.test_boards=23", "eval.batch=4", "method.time=none"}));
  const auto asked = Arguments{"eval", "--run", run.string(), "--json"} +
                     set({"eval.rollouts=3", "eval.steps=4", "eval.noise=0.5", "eval.start=random",
                          "eval.select=residual", "eval.commit_temperature=1"});
  for (const auto& call : {asked, asked + Arguments{"--scaling", "K=1,3", "D=2,4"}}) {
    const auto alone = without_seconds(json_of(call));
    for (const int size : {2, 3}) {
      const auto outcomes = RankPrograms(size, call).wait();
      expect_all(outcomes, 0);
      EXPECT_EQ(without_seconds(parse_json(outcomes[0].out, "stdout")), alone) << size << " ranks";
    }
  }
}

TEST(RankPrograms, FitToUnseenTasksByteForByte) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(train_small_arc(run));
  const auto predict = [&](const std::string& name) {
    return Arguments{"predict",
                     "--run",
                     run.string(),
                     "--input",
                     DIS_SOURCE_DIR "/tests/data/arc/arc-agi_small_challenges.json",
                     "--output",
                     (folder / (name + ".json")).string()} +
           set({"eval.allow_seen_tasks=true", "predict.augmentations=3", "predict.batch=8", "predict.steps=8",
                "predict.rows_first=0.25", "predict.lr=1e-3"});
  };
  expect_success(predict("alone"));
  expect_all(RankPrograms(2, predict("shared")).wait(), 0);
  EXPECT_TRUE(read_text(folder / "shared.json") == read_text(folder / "alone.json"));
  EXPECT_TRUE(weights_of(folder / "shared_run") == weights_of(folder / "alone_run"));
}

TEST(RankPrograms, TrainAndVoteOnArcByteForByte) {
  const TemporaryFolder folder;
  const auto alone = folder / "alone", shared = folder / "shared";
  expect_success(train_small_arc(alone));
  expect_all(RankPrograms(4, train_small_arc(shared)).wait(), 0);
  EXPECT_TRUE(weights_of(shared) == weights_of(alone));
  const auto expect_same_scores = [&] {
    ASSERT_EQ(contents(alone / "eval").size(), contents(shared / "eval").size());
    for (const auto& entry : fs::directory_iterator(alone / "eval")) {
      const auto name = entry.path().filename();
      if (name.extension() == ".json" && name.string().find('_') == std::string::npos) {
        auto a = read_json(entry.path()), b = read_json(shared / "eval" / name);
        EXPECT_TRUE(a.erase("run") == 1 && b.erase("run") == 1);
        EXPECT_EQ(a, b) << name;
      } else {
        EXPECT_TRUE(read_text(entry.path()) == read_text(shared / "eval" / name)) << name;
      }
    }
  };
  expect_same_scores();
  for (const int size : {2, 3}) {
    fs::remove_all(alone / "eval");
    fs::remove_all(shared / "eval");
    expect_success({"eval", "--run", alone.string()});
    expect_all(RankPrograms(size, {"eval", "--run", shared.string()}).wait(), 0);
    expect_same_scores();
  }
}

TEST(RankPrograms, AllRanksMakeTheEvaluationThatASignalEnded) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(train_small_arc(run));
  const auto before = contents(run);
  auto state = read_json(run / "checkpoints/latest/state.json");
  state["evaluation_due"] = true;
  write_json(run / "checkpoints/latest/state.json", state);
  fs::remove(run / "eval/12.json");
  for (const auto& outcome : RankPrograms(2, resume(run)).wait()) {
    EXPECT_EQ(outcome.status, 0) << outcome.err;
  }
  EXPECT_EQ(contents(run).at("eval/12.json"), before.at("eval/12.json"));
  EXPECT_EQ(contents(run).at("checkpoints/12/state.json"), before.at("checkpoints/12/state.json"));
}

/// Waits until the run has `lines` records.
void wait_for(Program& program, const fs::path& run, std::size_t lines) {
  while (metrics_lines(run) < lines && program.running()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

/// Kills or stops a rank at a random moment, again and again; the others must end soon and say which it was, and the
/// run must go on as if nothing had been.
void fail_at_random(int trials) {
  const char* given = std::getenv("DIS_TEST_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10)
                       : static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  std::cout << "moments of the failures: DIS_TEST_SEED=" << seed << std::endl;
  Draws moment(seed, Purpose::test, 0, 0);
  const TemporaryFolder folder;
  const auto run = folder / "run", whole = folder / "whole";
  const auto steps = "train.steps=" + std::to_string(60 + 60 * trials);
  for (int trial = 0; trial < trials; ++trial) {
    SCOPED_TRACE("trial " + std::to_string(trial));
    const bool stopped = trial % 2 == 1;
    const auto victim = static_cast<std::size_t>(moment.below(3));
    // As a launcher does it: the same command again.
    RankPrograms ranks(3, train_shared(run, {steps, "train.global_batch=6"}), trial);
    wait_for(ranks[0], run, metrics_lines(run) + 3 + moment.below(10));
    std::this_thread::sleep_for(std::chrono::microseconds(moment.below(50'000)));
    ASSERT_TRUE(ranks[victim].running());
    ranks[victim].send(stopped ? SIGSTOP : SIGKILL);
    const auto start = Clock::now();
    for (std::size_t rank = 0; rank < 3; ++rank) {
      if (rank == victim) continue;
      const auto outcome = ranks[rank].wait();
      EXPECT_EQ(outcome.status, 1) << outcome.err;
      EXPECT_NE(outcome.err.find("rank " + std::to_string(victim)), std::string::npos) << outcome.err;
      EXPECT_EQ(outcome.err.find("internal error"), std::string::npos) << outcome.err;
    }
    // The timeout of 5 s, and up to 6 s to find out who it was: most where the stopped rank holds the store.
    EXPECT_LT(std::chrono::duration<double>(Clock::now() - start).count(), 15.0);
    ranks[victim].send(SIGKILL);
    ranks[victim].wait();
  }
  expect_all(RankPrograms(3, train_shared(run, {steps, "train.global_batch=6"}), trials).wait(), 0);
  expect_success(train_shared(whole, {steps, "train.global_batch=6"}));
  EXPECT_TRUE(weights_of(run) == weights_of(whole));
  EXPECT_EQ(metrics_without_clock(run), metrics_without_clock(whole));
}

TEST(RankPrograms, AKilledOrStoppedRankEndsAllAndNothingIsLost) {
  fail_at_random(std::getenv("DIS_RANK_TRIALS") != nullptr ? std::atoi(std::getenv("DIS_RANK_TRIALS")) : 2);
}

TEST(RankPrograms, ASignalToAnyOfThemSavesAndEndsAll) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  RankPrograms ranks(3, train_shared(run, {"train.steps=6000", "train.global_batch=6", "train.checkpoint_every=0"}));
  wait_for(ranks[0], run, 8);
  ranks[2].send(SIGTERM);
  const auto outcomes = ranks.wait();
  expect_all(outcomes, 128 + SIGTERM);
  EXPECT_NE(outcomes[0].err.find("the checkpoint is written"), std::string::npos) << outcomes[0].err;
  EXPECT_EQ(read_json(run / "checkpoints" / "latest" / "state.json")["batches"], metrics_lines(run));
}

TEST(RankPrograms, ASignalToAnyOfThemHasAllWriteOneCheckpointAndGoOn) {
  const TemporaryFolder folder;
  const auto whole = folder / "whole", asked = folder / "asked";
  const std::vector<std::string> settings{"train.global_batch=6", "train.checkpoint_every=0", "train.keep_last=10"};
  expect_success(train_shared(whole, settings));
  RankPrograms ranks(3, train_shared(asked, settings));
  wait_for(ranks[0], asked, 8);
  ranks[2].send(SIGUSR1);
  const auto outcomes = ranks.wait();
  expect_all(outcomes, 0);
  EXPECT_NE(outcomes[0].err.find("a signal asked for a checkpoint: written at update "), std::string::npos)
      << outcomes[0].err;
  const auto there = std::distance(fs::directory_iterator(asked / "checkpoints"), fs::directory_iterator());
  EXPECT_EQ(there, 3) << "one on request, the last, and the link to it";
  EXPECT_TRUE(weights_of(asked) == weights_of(whole));
  EXPECT_EQ(metrics_without_clock(asked), metrics_without_clock(whole));
}

/// As torchrun's ranks behind `| tee`: the terminal's Ctrl-C takes the reader first.
TEST(RankPrograms, UnreadOutputAndAHangUpSaveAndEndAll) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  RankPrograms ranks(std::vector(2, train_shared(run, {"train.steps=6000", "train.checkpoint_every=0"})), 0,
                     Output::unread);
  wait_for(ranks[0], run, 8);
  ranks[1].send(SIGHUP);
  // Of the rank that got none it is what a launcher sends.
  EXPECT_EQ(ranks[0].wait().status, 128 + SIGTERM);
  EXPECT_EQ(ranks[1].wait().status, 128 + SIGHUP);
  EXPECT_EQ(read_json(run / "checkpoints" / "latest" / "state.json")["batches"], metrics_lines(run));
}

TEST(RankPrograms, ARequestDuringAnEvaluationSavesAndKeepsItsVotes) {
  const TemporaryFolder folder;
  const auto whole = folder / "whole", asked = folder / "asked";
  const auto settings = set({"eval.batch=1", "data.augmentations=60", "eval.rank=both"});
  expect_success(train_small_arc(whole) + settings);
  RankPrograms ranks(2, train_small_arc(asked) + settings);
  const auto voting = [&] {
    for (const auto& entry : fs::directory_iterator(asked / "eval")) {
      if (entry.path().extension() == ".votes" && fs::file_size(entry.path()) > 2000) return true;
    }
    return false;
  };
  while (ranks[0].running() && !(fs::exists(asked / "eval") && voting())) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ranks[1].send(SIGUSR1);
  const auto outcomes = ranks.wait();
  expect_all(outcomes, 0);
  EXPECT_NE(outcomes[0].err.find("written at update 6, going on"), std::string::npos) << outcomes[0].err;
  EXPECT_NE(outcomes[0].err.find("votes are there already"), std::string::npos) << outcomes[0].err;
  EXPECT_TRUE(weights_of(asked) == weights_of(whole));
  for (const char* name : {"6_tasks.csv", "12_tasks.csv", "12_submission.json", "12_candidates.json"}) {
    EXPECT_TRUE(read_text(asked / "eval" / name) == read_text(whole / "eval" / name)) << name;
  }
  auto a = read_json(asked / "checkpoints/latest/state.json"), b = read_json(whole / "checkpoints/latest/state.json");
  for (const char* clock : {"seconds", "device_seconds"}) EXPECT_TRUE(a.erase(clock) == 1 && b.erase(clock) == 1);
  EXPECT_EQ(a, b);
}

TEST(RankPrograms, MistakesAreToldInOneLine) {
  const TemporaryFolder folder;
  const auto expect_error = [](const std::vector<Outcome>& outcomes, const std::string& text) {
    for (const auto& outcome : outcomes) {
      EXPECT_EQ(outcome.status, 1) << outcome.err;
      EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome.err;
      EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    }
  };
  const auto run = folder / "run";
  expect_error(
      RankPrograms(3, train_shared(run)).wait(),
      "train.global_batch = 8 cannot be shared evenly: it must be a multiple of the 3 ranks times dist.chunk = 2");
  expect_error(RankPrograms({train_shared(run), train_shared(run, {"optim.lr=0.5"})}).wait(),
               "the ranks differ in optim.lr: rank 0 has 0.0001, rank 1 has 0.5");
  Program lonely(train_shared(run), {"RANK=0", "LOCAL_RANK=0", "MASTER_ADDR=127.0.0.1", "MASTER_PORT=1"});
  expect_error({lonely.wait()}, "environment variable WORLD_SIZE is not set");
  Program waits(train_shared(run, {"dist.timeout_s=1"}),
                {"RANK=1", "LOCAL_RANK=1", "WORLD_SIZE=2", "MASTER_ADDR=127.0.0.1", "MASTER_PORT=1"});
  expect_error({waits.wait()}, "cannot reach the ranks' store at 127.0.0.1:1");
  EXPECT_FALSE(fs::exists(run));
  // An error of rank 0 alone: the folder is there already.
  fs::create_directories(run / "full");
  expect_error(RankPrograms(2, train_shared(run)).wait(), "exists already");
}

}  // namespace
}  // namespace dis
