// Memory that runs out, anywhere: one line with the setting to lower, and nothing that was trained is lost.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;  // its shadow alone is beyond any limit
#else
constexpr bool kSanitized = false;
#endif

class OutOfMemory : public testing::Test {
 protected:
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "address space cannot be limited under AddressSanitizer";
  }
  TemporaryFolder folder_;
};

/// Runs it in an address space that takes a small network and a small batch, no large ones.
Outcome run_in_little_memory(const Arguments& arguments) {
  const Limit little(RLIMIT_AS, std::size_t{1800} << 20);
  return Program(arguments, {"OMP_NUM_THREADS=1", "MALLOC_ARENA_MAX=1"}).wait();
}

/// The last line of stderr, which must be the only one that speaks of an error.
void expect_advice(const Outcome& outcome, const std::string& doing, const std::string& advice) {
  EXPECT_EQ(outcome.status, 1) << outcome.err;
  const auto error = outcome.err.find("error: out of memory while " + doing);
  ASSERT_NE(error, std::string::npos) << outcome.err;
  const auto line = outcome.err.substr(error);
  EXPECT_TRUE(contains(line, advice)) << line;
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
  EXPECT_FALSE(contains(outcome.err, "internal error")) << outcome.err;
}

/// Boards, width and a batch of evaluation that make an activation of 128 MiB.
Arguments train_wide(const fs::path& run, const std::vector<std::string>& settings) {
  return train_tiny(run, {"data.board_size=8", "data.train_boards=60", "data.test_boards=2000", "model.hidden_size=256",
                          "train.global_batch=4", "train.steps=6", "train.checkpoint_every=0", "eval.decoder=argmax",
                          "eval.batch=2000"}) +
         set(settings);
}

TEST_F(OutOfMemory, InEvalAndAnalyze) {
  const auto run = folder_ / "run";
  expect_success(train_wide(run, {"eval.batch=8"}));
  const Arguments eval{"eval", "--run", run.string()}, analyze{"analyze", "--run", run.string()};
  expect_advice(run_in_little_memory(eval + set({"eval.batch=2000"})), "evaluating with 2000 rows at once",
                "try --set eval.batch=1000");
  expect_advice(run_in_little_memory(analyze + set({"eval.batch=2000"})), "analysing 2000 rows at once",
                "try --set eval.batch=1000");
  const auto little = run_in_little_memory(eval + set({"eval.batch=4", "eval.boards=4"}));
  EXPECT_EQ(little.status, 0) << little.err << "the limit leaves no room at all: raise it";
}

TEST_F(OutOfMemory, BeforeTheFirstBatch) {
  expect_advice(run_in_little_memory(train_wide(folder_ / "run", {"train.global_batch=200000"})),
                "preparing 200000 lanes", "try --set train.global_batch=100000");
}

TEST_F(OutOfMemory, InABatch) {
  expect_advice(run_in_little_memory(train_wide(folder_ / "run", {"train.global_batch=1024"})),
                "training with 1024 lanes at once", "try --set train.micro_batch=512");
}

TEST_F(OutOfMemory, InTheEvaluationWhileTrainingKeepsWhatWasTrained) {
  const auto run = folder_ / "run";
  expect_advice(run_in_little_memory(train_wide(run, {"train.eval_every=3"})), "evaluating with 2000 rows at once",
                "try --set eval.batch=1000");
  const auto state = read_json(run / "checkpoints/latest/state.json");
  EXPECT_EQ(state["step"], 3);
  EXPECT_EQ(state["evaluation_due"], true);
  const auto on = run_in_little_memory(resume(run, {"eval.batch=4", "eval.boards=4"}));
  EXPECT_EQ(on.status, 0) << on.err;
  EXPECT_TRUE(contains(on.err, "the evaluation after update 3, which was broken off")) << on.err;
}

TEST_F(OutOfMemory, InPredict) {
  const auto run = folder_ / "run";
  expect_success(train_small_arc(run) + set({"train.eval_every=0", "train.keep_best=false", "model.hidden_size=128"}));
  const Arguments predict = Arguments{"predict",
                                      "--run",
                                      run.string(),
                                      "--input",
                                      DIS_SOURCE_DIR "/tests/data/arc/arc-agi_small_challenges.json",
                                      "--output",
                                      (folder_ / "submission.json").string()} +
                            set({"eval.allow_seen_tasks=true", "predict.augmentations=2"});
  expect_advice(run_in_little_memory(predict + set({"predict.batch=20000"})), "preparing 20000 lanes",
                "try --set predict.batch=10000");
}

}  // namespace
}  // namespace dis
