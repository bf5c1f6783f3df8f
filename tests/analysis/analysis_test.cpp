// What `dis analyze` counts, against the evaluation of the same rows and against sums made by hand.
#include "dis/analysis/analysis.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/eval/rows/test_rows.h"
#include "dis/model/weights_file.h"
#include "dis/train/trainer.h"

namespace dis {
namespace {

RunConfig config_of(const std::vector<std::string>& overrides) {
  std::vector<std::string> all{
      "data.board_size=5",        "data.train_boards=60", "data.test_boards=60",   "data.split=authors",
      "model.hidden_size=16",     "model.num_heads=2",    "model.expansion=0.5",   "model.puzzle_emb_len=1",
      "method.num_supervision=3", "method.time=none",     "method.loss=softmax",   "train.steps=900",
      "train.global_batch=16",    "optim.lr=0.005",       "optim.warmup_steps=20", "optim.lr_min_ratio=0",
      "compute.dtype=float32",    "compute.threads=2",    "analyze.examples=6",    "method.targets=label"};
  all.insert(all.end(), overrides.begin(), overrides.end());
  return load_config("", all);
}

/// A few seconds of training: some boards are solved, some in the last step only.
const std::filesystem::path& trained_weights() {
  static const TemporaryFolder folder;
  static const std::filesystem::path file = [] {
    auto session = make_session(config_of({}));
    train(session, {folder / "run", false, {}});
    return folder / "run/checkpoints/latest/model.safetensors";
  }();
  return file;
}

/// 5 x 5 boards, with that network.
Session boards(const std::vector<std::string>& overrides = {}) {
  auto session = make_session(config_of(overrides));
  load_weights(trained_weights(), session.model->weights());
  return session;
}

const GuidanceCurve::Point& plain(const GuidanceCurve& curve) { return curve.points()[curve.grid().plain()]; }

TEST(Analysis, SolvesWhatTheEvaluationSolves) {
  const auto session = boards();
  const TemporaryFolder folder;
  auto eval = session.config.eval;
  eval.decoder = Decoder::argmax;
  const auto analysis = analyze(session, true);
  const auto& grid = analysis.steps.front().all.grid();
  for (std::size_t w = 0; w < grid.size(); ++w) {
    eval.guidance = grid.at(w);
    const auto json = evaluate(session, eval, {folder.path(), "0", "", "last"}).json;
    const auto& set = json.at("test_sets").front().at("argmax");
    EXPECT_EQ(set.at("by_completions").at("one").at("boards"), analysis.rows);
    EXPECT_EQ(set.at("by_completions").at("one").at("exact").at("hits"), analysis.steps.back().exact[w])
        << "w = " << grid.at(w);
  }
}

TEST(Analysis, StepsFollowFromEachOther) {
  const auto session = boards();
  const auto analysis = analyze(session, true);
  const auto cells = analysis.rows * 25;
  for (std::size_t s = 0; s < analysis.steps.size(); ++s) {
    const auto& step = analysis.steps[s];
    EXPECT_EQ(step.all.cells(), cells);
    EXPECT_EQ(plain(step.all).right, cells - step.wrong_cells);
    EXPECT_EQ(step.wrong_before.cells(), cells - step.all.points().front().right);
    EXPECT_TRUE(std::isfinite(plain(step.all).loss) && std::isfinite(plain(step.all).margin));
    if (s == 0) continue;
    const auto& before = analysis.steps[s - 1];
    EXPECT_NEAR(step.all.points().front().loss, plain(before.all).loss, 1e-9 * plain(before.all).loss)
        << "w = 0 is the policy that the step before left";
    EXPECT_EQ(before.wrong_cells - step.wrong_to_right + step.right_to_wrong, step.wrong_cells);
    EXPECT_EQ(step.exact.front(), before.exact[before.all.grid().plain()]);
  }
  std::int64_t rows = 0;
  for (const auto count : analysis.last_change) rows += count;
  EXPECT_EQ(rows, analysis.rows);
  for (std::size_t i = 0; i < analysis.rules.size(); ++i) {
    EXPECT_EQ(analysis.exits[i].rows, analysis.rows);
    if (analysis.rules[i].name != "steps") continue;
    const auto s = static_cast<std::size_t>(analysis.rules[i].threshold) - 1;
    EXPECT_EQ(analysis.exits[i].exact, analysis.steps[s].exact[analysis.steps[s].all.grid().plain()]);
  }
  EXPECT_GT(analysis.steps[1].wrong_to_right, 0);
  EXPECT_GT(analysis.steps[1].right_to_wrong, 0);
  EXPECT_EQ(analysis.exits.back().exact, analysis.exits[2].exact) << "after the last change nothing changes";
}

TEST(Analysis, TargetsComeNearerToTheLabel) {
  const auto masked = analyze(boards({"method.targets=mask", "method.masked_cells=ignore"}), true);
  EXPECT_GT(masked.steps[0].target_cells, masked.steps[1].target_cells);
  EXPECT_GT(masked.steps[1].target_cells, 0);
  EXPECT_EQ(masked.steps[2].target_cells, 0);
  EXPECT_NEAR(static_cast<double>(masked.steps[0].target_cells) / static_cast<double>(masked.rows * 25), 2.0 / 3.0,
              0.1);
  EXPECT_EQ(analyze(boards({"method.targets=label"}), true).steps[0].target_cells, 0);
  EXPECT_FALSE(analyze(boards(), false).has_targets);
}

/// All that is counted; sums of floating-point numbers to 1e-9, as threads add them up in another order.
void expect_same(const Analysis& a, const Analysis& b) {
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.last_change, b.last_change);
  for (std::size_t s = 0; s < a.steps.size(); ++s) {
    EXPECT_EQ(a.steps[s].exact, b.steps[s].exact);
    EXPECT_EQ(a.steps[s].wrong_cells, b.steps[s].wrong_cells);
    EXPECT_EQ(a.steps[s].target_cells, b.steps[s].target_cells);
    EXPECT_EQ(a.steps[s].improved_rows, b.steps[s].improved_rows);
    EXPECT_NEAR(plain(a.steps[s].all).margin, plain(b.steps[s].all).margin, 1e-4);  // float32 of another batch
  }
  for (std::size_t p = 0; p < a.removed.size(); ++p) {
    EXPECT_EQ(a.removed[p].trials, b.removed[p].trials);
    EXPECT_EQ(a.removed[p].changed, b.removed[p].changed);
    EXPECT_EQ(a.latent[p].cells, b.latent[p].cells);
  }
  ASSERT_EQ(a.failures.size(), b.failures.size());
  for (std::size_t i = 0; i < a.failures.size(); ++i) EXPECT_EQ(a.failures[i].name, b.failures[i].name);
}

TEST(Analysis, BatchesAndThreadsDoNotMatter) {
  const auto whole = analyze(boards(), true);
  for (const char* batch : {"1", "7", "1000"}) {
    SCOPED_TRACE(batch);
    expect_same(whole, analyze(boards({std::string("eval.batch=") + batch}), true));
  }
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  expect_same(whole, analyze(boards({"compute.threads=1"}), true));
  at::set_num_threads(threads);
}

TEST(Analysis, EveryPassOfEveryRowCanBeLeftOut) {
  const auto all = analyze(boards({"analyze.removals=9", "analyze.latent_share=1"}), true);  // 3 steps of 3 passes
  const auto more = analyze(boards({"analyze.removals=5000"}), true);
  for (std::size_t p = 0; p < all.removed.size(); ++p) {
    EXPECT_EQ(all.removed[p].trials, all.rows);
    EXPECT_EQ(more.removed[p].trials, more.rows) << "no pass twice";
    EXPECT_EQ(all.removed[p].exact_with, all.steps.back().exact[all.steps.back().all.grid().plain()]);
    EXPECT_EQ(all.latent[p].cells, p % 3 == 2 ? 0 : all.rows * 25) << "the third is the answer pass";
  }
  EXPECT_EQ(all.observed_rows, all.rows);
  const auto half = analyze(boards({"analyze.removals=0.5", "analyze.latent_share=0"}), true);
  std::int64_t trials = 0;
  for (const auto& pass : half.removed) trials += pass.trials;
  EXPECT_EQ(trials, half.rows / 2);
  EXPECT_EQ(half.latent.front().cells, 0);
  EXPECT_EQ(half.observed_rows, 0);
}

TEST(Analysis, WithoutTheLastAnswerPassTheAnswerIsThatOfTheStepBefore) {
  const auto session = boards({"method.num_supervision=2", "analyze.removals=6"});
  const auto analysis = analyze(session, true);
  EXPECT_GT(analysis.last_change.back(), 0) << "where no answer changes this would show nothing";
  EXPECT_EQ(analysis.removed.back().changed, analysis.last_change.back());
  const auto& before = analysis.steps.front();
  EXPECT_EQ(analysis.removed.back().exact_without, before.exact[before.all.grid().plain()]);
  EXPECT_GT(analysis.removed.back().exact_without, 0);
  EXPECT_LT(analysis.removed.back().exact_without, analysis.rows);
}

TEST(Analysis, CostsAboutAThirdMorePassesThanTheEvaluation) {
  const auto session = boards({"data.test_boards=400", "data.split=authors", "method.num_supervision=6"});
  const auto rows = test_rows(session, session.config.eval, true)->size();
  const auto before = session.model->passes().forward;
  analyze(session, true);
  const auto made = static_cast<double>(session.model->passes().forward - before);
  EXPECT_LT(made / static_cast<double>(rows * 18), 1.35);
  EXPECT_GT(made / static_cast<double>(rows * 18), 1.2) << "what the settings promise is done";
}

TEST(Analysis, KeepsFailuresAndSuccessesAndBoardsOfOneCompletion) {
  const auto session = boards();
  const auto analysis = analyze(session, true);
  EXPECT_EQ(analysis.failures.size() + analysis.successes.size(), 6U);
  for (const auto* list : {&analysis.failures, &analysis.successes}) {
    for (const auto& row : *list) {
      EXPECT_EQ(row.exact, row.answers.back() == row.label);
      EXPECT_EQ(row.answers.size(), 3U);
      EXPECT_EQ(row.margin.size(), 3U);
      EXPECT_EQ(row.name.substr(0, 6), "board ");
    }
  }
  const auto one = test_rows(session, session.config.eval, true), all = test_rows(session, session.config.eval, false);
  EXPECT_EQ(one->size(), analysis.rows);
  EXPECT_EQ(all->size(), 60);
}

TEST(Analysis, OfArcCountsEveryVotingPuzzle) {
  auto config =
      load_config("", {"data.kind=arc", "data.path=" DIS_SOURCE_DIR "/tests/data/arc", "data.subsets=small,other",
                       "data.test_set=small", "data.augmentations=3", "data.max_grid=6", "model.hidden_size=16",
                       "model.num_heads=2", "model.expansion=0.5", "model.puzzle_emb_len=1", "method.num_supervision=2",
                       "method.algorithm=trm", "method.targets=label", "method.time=none", "compute.dtype=float32"});
  const auto session = make_session(config);
  const auto rows = test_rows(session, config.eval);
  const auto analysis = analyze(session, true);
  EXPECT_LE(analysis.rows, rows->size());
  EXPECT_GT(analysis.rows, 0);
  for (const auto& row : analysis.failures) {
    EXPECT_EQ(row.name.find("augmentation"), std::string::npos) << "examples are the tasks themselves: " << row.name;
  }
  std::int64_t originals = 0;
  for (std::int64_t row = 0; row < rows->size(); ++row) originals += rows->original(row) ? 1 : 0;
  EXPECT_GT(originals, 0);
  EXPECT_LT(originals, rows->size());
  const auto json = to_json(analysis, session, {});
  EXPECT_EQ(json.at("data").at("columns"), 6);
  EXPECT_EQ(json.at("steps").size(), 2U);
}

}  // namespace
}  // namespace dis
