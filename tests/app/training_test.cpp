// What a training run leaves behind, and what must not matter for it: threads, micro-batches; and what must: the seed.
#include <gtest/gtest.h>

#include <algorithm>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "dis/core/files.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

fs::path model_of(const fs::path& run) { return run / "checkpoints" / "latest" / "model.safetensors"; }

Json first_record(const fs::path& run) { return parse_json(metrics_without_clock(run).at(0), "metrics.jsonl"); }

/// Runs them two at a time and expects status 0 of each.
void expect_all_succeed(const std::vector<Arguments>& calls) {
  for (const Outcome& outcome : run_programs(calls)) EXPECT_EQ(outcome.status, 0) << outcome.err;
}

/// With these the weights stay as they were.
const std::vector<std::string> kNoLearning = {"optim.lr=0", "optim.puzzle_lr=0"};

TEST(Training, OneSeedOneRunTwoSeedsTwoRuns) {
  const TemporaryFolder folder;
  expect_all_succeed({train_tiny(folder / "one", {"train.steps=6", "seed=1"}),
                      train_tiny(folder / "same", {"train.steps=6", "seed=1"}),
                      train_tiny(folder / "two", {"train.steps=6", "seed=2"})});
  EXPECT_TRUE(read_text(model_of(folder / "one")) == read_text(model_of(folder / "same")));
  EXPECT_EQ(metrics_without_clock(folder / "one"), metrics_without_clock(folder / "same"));
  EXPECT_GT(largest_difference(model_of(folder / "one"), model_of(folder / "two")), 0.01);
  EXPECT_NE(metrics_without_clock(folder / "one"), metrics_without_clock(folder / "two"));
}

TEST(Training, ThreadsDoNotChangeTheDraws) {
  const TemporaryFolder folder;
  const std::vector<std::string> mask = {"train.steps=3", "method.targets=replace", "method.lanes=staggered"};
  expect_all_succeed({train_tiny(folder / "one", mask) + set(kNoLearning),
                      train_tiny(folder / "two", mask) + set(kNoLearning) + set({"compute.threads=2"})});
  EXPECT_TRUE(read_text(model_of(folder / "one")) == read_text(model_of(folder / "two"))) << "initial weights";
  const Json one = first_record(folder / "one"), two = first_record(folder / "two");
  EXPECT_NEAR(one["loss"].get<double>(), two["loss"].get<double>(), 1e-5);
  for (std::size_t s = 0; s < 3; ++s) {
    EXPECT_NEAR(one["loss_per_step"][s].get<double>(), two["loss_per_step"][s].get<double>(), 1e-5);
  }

  const Arguments info = Arguments{"data", "info", "--json"} + set({"data.board_size=6", "data.train_boards=60"});
  EXPECT_EQ(expect_success(info + set({"compute.threads=1"})).out,
            expect_success(info + set({"compute.threads=2"})).out);
}

TEST(Training, MicroBatchesGiveTheWholeBatch) {
  const TemporaryFolder folder;
  // An epsilon this large makes the updates of AdamW proportional to the gradient, so that a wrong share of a
  // micro-batch would show; signs would hide it.
  const std::vector<std::string> settings = {"train.steps=9",        "optim.name=adamw",     "optim.lr=1",
                                             "optim.adamw_eps=1",    "optim.beta1=0",        "optim.beta2=0",
                                             "optim.weight_decay=0", "optim.warmup_steps=0", "optim.puzzle_lr=1e-6"};
  expect_all_succeed({train_tiny(folder / "initial", {"train.steps=3"}) + set(kNoLearning),
                      train_tiny(folder / "whole", settings),
                      train_tiny(folder / "micro", settings) + set({"train.micro_batch=3"})});
  EXPECT_GT(largest_difference(model_of(folder / "initial"), model_of(folder / "whole")), 0.01) << "nothing learned";
  EXPECT_LT(largest_difference(model_of(folder / "whole"), model_of(folder / "micro")), 1e-5);
}

TEST(Training, InitFromTakesTheWeights) {
  const TemporaryFolder folder;
  const auto first = folder / "first";
  expect_success(train_tiny(first, {"train.steps=6", "optim.lr=0.01", "optim.warmup_steps=0"}));
  std::vector<Arguments> calls{train_tiny(folder / "fresh", {"train.steps=3"}) + set(kNoLearning)};
  const std::vector<fs::path> sources = {first, first / "checkpoints" / "latest", model_of(first)};
  for (std::size_t i = 0; i < sources.size(); ++i) {
    calls.push_back(
        train_tiny(folder / std::to_string(i), {"train.steps=3", "train.init_from=" + sources[i].string()}) +
        set(kNoLearning));
  }
  expect_all_succeed(calls);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const auto run = folder / std::to_string(i);
    EXPECT_TRUE(read_text(model_of(run)) == read_text(model_of(first))) << sources[i];
    EXPECT_NE(first_record(run)["loss"], first_record(folder / "fresh")["loss"]) << sources[i];
    EXPECT_EQ(first_record(run), first_record(folder / "0")) << sources[i];
    EXPECT_EQ(first_record(run)["step"], 3) << "weights only: the counters start again";
  }
}

TEST(Training, KeepsTheLastCheckpointsAndTheBest) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(train_tiny(run, {"train.steps=30", "train.checkpoint_every=3", "train.keep_last=2",
                                  "train.keep_best=true", "train.eval_every=9", "eval.boards=4"}));
  const auto best = fs::read_symlink(run / "checkpoints" / "best").string();
  double best_score = -1;
  std::string expected;
  for (const char* update : {"9", "18", "27"}) {  // the first of the best
    const Json eval = read_json(run / "eval" / (std::string(update) + ".json"));
    const double score = eval["test_sets"]["boards"]["argmax"]["valid"]["value"];
    if (score > best_score) expected = update;
    best_score = std::max(best_score, score);
  }
  EXPECT_EQ(best, expected);
  std::vector<std::string> kept;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints")) {
    if (!entry.is_symlink()) kept.push_back(entry.path().filename().string());
  }
  std::vector<std::string> wanted = {"27", "30"};
  if (best != "27") wanted.push_back(best);
  std::sort(kept.begin(), kept.end());
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(kept, wanted);
  EXPECT_EQ(fs::read_symlink(run / "checkpoints" / "latest"), "30");
  for (const auto& step : kept) {
    EXPECT_TRUE(fs::exists(run / "checkpoints" / step / "model.safetensors")) << step;
    EXPECT_TRUE(fs::exists(run / "checkpoints" / step / "state.json")) << step;
  }
}

}  // namespace
}  // namespace dis
