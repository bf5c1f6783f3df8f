// A run whose evaluation a signal ends goes on with that evaluation.
#include "dis/train/trainer.h"

#include <gtest/gtest.h>

#include <csignal>
#include <set>
#include <string>
#include <vector>

#include "core/temporary_folder.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/signals.h"

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

}  // namespace
}  // namespace dis
