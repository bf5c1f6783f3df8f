// Rollouts: the same answers whatever the batch, K and D; what selectors choose; and what drawn commits draw.
#include "dis/eval/rows/rollouts.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "dis/core/random.h"
#include "dis/data/boards/queens.h"
#include "dis/eval/rows/open_rows.h"
#include "dis/eval/rows/policy.h"
#include "dis/eval/rows/rollout_tally.h"
#include "model/small_shape.h"

namespace dis {
namespace {

constexpr std::int64_t kSide = 4, kLength = kSide * kSide, kRows = 5, kDepth = 5;

Backbone rollout_network(bool halting = true) {
  auto shape = small_model_shape(kLength, 3);
  shape.time = TimeEmbedding::none;
  shape.halting = halting;
  return {shape, 5, at::kCPU, at::kFloat};
}

std::vector<std::int32_t> rollout_inputs() {
  std::vector<std::int32_t> tokens;
  for (std::int64_t i = 0; i < kRows * kLength; ++i) {
    tokens.push_back(1 + static_cast<std::int32_t>(Draws(1, Purpose::test, 0, static_cast<std::uint64_t>(i)).below(2)));
  }
  return tokens;
}

DecodeSettings noisy(std::int64_t batch = 200, double noise = 0.5) {
  DecodeSettings settings;
  settings.batch = batch;
  settings.draws.seed = 3;
  settings.draws.steps = {0.0, noise};
  return settings;
}

std::vector<Rollouts> rolled(const DecodeSettings& settings, std::int64_t K, const std::vector<std::int64_t>& depths,
                             std::int64_t first = 0, std::int64_t rows = kRows) {
  static const auto model = rollout_network();
  const auto inputs = rollout_inputs();
  const std::vector<std::int32_t> ids(static_cast<std::size_t>(rows));
  const auto from = static_cast<std::size_t>(first * kLength), count = static_cast<std::size_t>(rows * kLength);
  return answer_rollouts(model, settings, {std::span(inputs).subspan(from, count), ids, first}, K, depths);
}

TEST(RolloutsOfRows, OneWithoutNoiseIsTheAnswer) {
  const auto model = rollout_network();
  const auto inputs = rollout_inputs();
  const std::vector<std::int32_t> ids(kRows);
  const auto plain = answer_rows(model, {}, inputs, ids, kDepth);
  const auto found = answer_rollouts(model, {}, {inputs, ids}, 2, {1, kDepth});
  for (std::int64_t row = 0; row < kRows; ++row) {
    for (std::int64_t k = 0; k < 2; ++k) {
      for (const auto& [depth, steps] : {std::pair{0, 0}, {1, static_cast<int>(kDepth) - 1}}) {
        const auto& rollouts = found[static_cast<std::size_t>(depth)];
        const auto first = (row * 2 + k) * kLength;
        EXPECT_TRUE(std::equal(rollouts.answers.begin() + first, rollouts.answers.begin() + first + kLength,
                               plain.steps[static_cast<std::size_t>(steps)].begin() + row * kLength));
      }
      EXPECT_FLOAT_EQ(found[1].halting[static_cast<std::size_t>(row * 2 + k)],
                      plain.halting[static_cast<std::size_t>(row)]);
    }
  }
}

TEST(RolloutsOfRows, DependOnRowAndNumberAlone) {
  const auto all = rolled(noisy(), 6, {2, kDepth});
  for (const std::int64_t batch : {1, 4, 7}) {
    const auto other = rolled(noisy(batch), 6, {2, kDepth});
    for (std::size_t d = 0; d < 2; ++d) {
      EXPECT_EQ(other[d].answers, all[d].answers);
      for (std::size_t i = 0; i < all[d].residual.size(); ++i) {
        EXPECT_NEAR(other[d].residual[i], all[d].residual[i], 1e-4);
        EXPECT_NEAR(other[d].margin[i], all[d].margin[i], 1e-4);
      }
    }
  }
  // Fewer rollouts and fewer steps are the beginning of more; rows by themselves have the same ones.
  const auto fewer = rolled(noisy(), 2, {2}, 3, 2);
  for (std::int64_t row = 0; row < 2; ++row) {
    for (std::int64_t k = 0; k < 2; ++k) {
      EXPECT_TRUE(std::equal(fewer[0].answers.begin() + (row * 2 + k) * kLength,
                             fewer[0].answers.begin() + (row * 2 + k + 1) * kLength,
                             all[0].answers.begin() + ((row + 3) * 6 + k) * kLength));
    }
  }
  auto reseeded = noisy();
  reseeded.draws.seed = 4;
  EXPECT_NE(rolled(reseeded, 6, {kDepth})[0].answers, all[1].answers);
  // A row's rollouts differ.
  const auto& scores = all[1].margin;
  EXPECT_GT(
      *std::max_element(scores.begin(), scores.begin() + 6) - *std::min_element(scores.begin(), scores.begin() + 6),
      1e-4F);
}

TEST(RolloutsOfRows, ScoresAreWhatTheStepsGiveByHand) {
  const auto model = rollout_network();
  const at::NoGradGuard no_grad;
  const auto inputs = rollout_inputs();
  constexpr std::int64_t kRow = 2, kRollout = 1, K = 3;
  auto settings = noisy();
  const auto found = rolled(settings, K, {1, kDepth});
  settings.draws.keys = rollout_keys(kRow * K + kRollout, 1, K);
  const auto tokens = at::tensor(
      std::vector<std::int32_t>(inputs.begin() + kRow * kLength, inputs.begin() + (kRow + 1) * kLength), at::kInt);
  auto rows = open_rows(model, tokens.unsqueeze(0), at::zeros({1}, at::kInt), settings.draws);
  std::vector<at::Tensor> logits, states{at::cat({rows.states.y, rows.states.z})};
  at::Tensor q;
  for (std::int64_t s = 1; s <= kDepth; ++s) {
    const auto step = step_rows(model, Feedback::input, rows, s, {.halting = true});
    logits.push_back(step.cells[0]);
    states.push_back(at::cat({rows.states.y, rows.states.z}));
    q = step.halting;
  }
  double residual = 0.0, state_residual = 0.0;
  for (std::size_t s = kDepth - 3; s < kDepth; ++s) {
    residual += (logits[s] - logits[s - 1]).square().sum(-1).sqrt().mean().item<double>() / 3.0;
    state_residual += (states[s + 1] - states[s]).square().sum().sqrt().item<double>() / 3.0;
  }
  const auto log_p = log_policy(logits.back(), {});
  const auto sorted = std::get<0>(log_p.sort(-1, true));
  const double margin = (sorted.select(-1, 0) - sorted.select(-1, 1)).mean().item<double>();
  constexpr std::size_t kPlace = kRow * K + kRollout;
  EXPECT_NEAR(found[1].residual[kPlace], residual, 1e-4 * residual);
  EXPECT_NEAR(found[1].state_residual[kPlace], state_residual, 1e-4 * state_residual);
  EXPECT_NEAR(found[1].margin[kPlace], margin, 1e-4);
  EXPECT_NEAR(found[1].halting[kPlace], q[0][0].item<float>(), 1e-4);
  EXPECT_EQ(found[0].residual[kPlace], 0.0F) << "after one step there is no difference of logits";
  EXPECT_GT(found[0].state_residual[kPlace], 0.0F);
}

/// Four rollouts of two cells.
struct MadeUpRow {
  std::vector<std::int32_t> answers{1, 1, 2, 2, 2, 3, 2, 2};
  std::vector<float> halting{0.1F, 0.2F, 0.9F, -1.0F}, residual{4.0F, 2.0F, 3.0F, 2.0F},
      state_residual{1.0F, 5.0F, 0.5F, 7.0F}, margin{0.0F, 0.1F, 0.3F, 0.3F};
  RolloutView view(std::span<const std::int32_t> label = {}) const {
    return {2, answers, label, halting, residual, state_residual, margin};
  }
};

TEST(Selectors, ChooseWhatTheySay) {
  const MadeUpRow row;
  const auto chosen = [&](Select select, bool halting = true) { return chosen_rollout(row.view(), select, halting); };
  EXPECT_EQ(chosen(Select::last), 0);
  EXPECT_EQ(chosen(Select::halting), 2);
  EXPECT_EQ(chosen(Select::vote), 1);
  EXPECT_EQ(chosen(Select::residual), 1) << "of equal ones the first";
  EXPECT_EQ(chosen(Select::state_residual), 2);
  EXPECT_EQ(chosen(Select::margin), 2);
  auto ruled = row.view();
  ruled.obeys = {true, false, false, true};
  EXPECT_EQ(chosen_rollout(ruled, Select::rules, true), 0);
  EXPECT_EQ(chosen_rollout(ruled, Select::rules, false), 3);
  ruled.obeys = {false, false, false, false};
  EXPECT_EQ(chosen_rollout(ruled, Select::rules, true), 0);
}

TEST(Selectors, VotesAreOverLabelledCellsAndTiesGoToTheHaltingHead) {
  const MadeUpRow row;
  const std::vector<std::int32_t> label{7, kIgnore};
  EXPECT_EQ(chosen_rollout(row.view(label), Select::vote, true), 1) << "three answers say 2";
  MadeUpRow tie;
  tie.answers = {1, 1, 2, 2, 1, 1, 2, 2};
  tie.halting = {0.0F, 1.0F, 0.0F, 1.0F};
  EXPECT_EQ(chosen_rollout(tie.view(), Select::vote, true), 1);
  EXPECT_EQ(chosen_rollout(tie.view(), Select::vote, false), 0);
  auto unscored = tie.view();  // answers of the decoder commit
  unscored.halting = unscored.residual = unscored.state_residual = unscored.margin = {};
  EXPECT_EQ(chosen_rollout(unscored, Select::vote, true), 0);
  unscored.obeys = {false, true, true, false};
  EXPECT_EQ(chosen_rollout(unscored, Select::rules, true), 1);
}

TEST(RolloutTallies, PassAtKIsTheShareOfSubsets) {
  // Of 5 rollouts 2 are right: count the subsets by hand.
  for (std::int64_t k = 1; k <= 5; ++k) {
    int with = 0, all = 0;
    for (int subset = 0; subset < 32; ++subset) {
      if (std::popcount(static_cast<unsigned>(subset)) != k) continue;
      ++all;
      with += (subset & 0b00011) != 0 ? 1 : 0;
    }
    EXPECT_NEAR(pass_at(5, 2, k), static_cast<double>(with) / all, 1e-12) << k;
  }
  EXPECT_EQ(pass_at(5, 0, 5), 0.0);
  EXPECT_EQ(pass_at(1, 1, 1), 1.0);
}

TEST(RolloutTallies, CountWhatEachSelectorChose) {
  const MadeUpRow row;
  RolloutTally tally(4, selectors_for(true, true, false), true);
  tally.add(row.view(), {false, true, false, true});
  tally.add(row.view(), {false, false, true, false});
  const auto json = tally.json();
  EXPECT_EQ(json.at("rows"), 2);
  EXPECT_DOUBLE_EQ(json.at("mean").get<double>(), 3.0 / 8.0);
  EXPECT_DOUBLE_EQ(json.at("pass_at").at("4").at("value").get<double>(), 1.0);
  EXPECT_EQ(json.at("selectors").at("last").at("hits"), 0);
  EXPECT_EQ(json.at("selectors").at("vote").at("hits"), 1);
  EXPECT_EQ(json.at("selectors").at("halting").at("hits"), 1);
  EXPECT_FALSE(json.at("selectors").contains("rules"));
}

// -------------------------------------------------------------------------------------------------- drawn commits

TEST(DrawnCommits, DependOnBoardAndRolloutAlone) {
  const auto model = rollout_network();
  const std::vector<std::int32_t> boards(kRows * kLength, 1);
  const CommitDraws draws{1.0, 0.0, 3};
  const auto all = decode_commit(model, {}, boards, 2, draws);
  ASSERT_EQ(std::ssize(all), kRows * 3 * kLength);
  DecodeSettings small;
  small.batch = 2;
  EXPECT_EQ(decode_commit(model, small, boards, 2, draws), all);
  const auto fewer = decode_commit(model, {}, boards, 2, {1.0, 0.0, 1});
  for (std::int64_t row = 0; row < kRows; ++row) {
    EXPECT_TRUE(std::equal(fewer.begin() + row * kLength, fewer.begin() + (row + 1) * kLength,
                           all.begin() + row * 3 * kLength));
  }
  EXPECT_FALSE(std::equal(all.begin(), all.begin() + kLength, all.begin() + kLength)) << "rollouts differ";
}

/// How often the first queen of an empty board falls on each cell, by what one board with one queen missing gets.
std::map<std::int64_t, int> last_queens(const Backbone& model, const CommitDraws& draws, std::int64_t boards) {
  std::vector<std::int32_t> inputs(static_cast<std::size_t>(boards * kLength), 1);
  for (std::int64_t board = 0; board < boards; ++board) {
    for (std::int64_t queen = 0; queen + 1 < kSide; ++queen)
      inputs[static_cast<std::size_t>(board * kLength + queen)] = 2;
  }
  const auto answers = decode_commit(model, {}, inputs, 1, draws);
  std::map<std::int64_t, int> cells;
  for (std::int64_t board = 0; board < boards; ++board) {
    for (std::int64_t cell = kSide - 1; cell < kLength; ++cell) {
      if (answers[static_cast<std::size_t>(board * kLength + cell)] == 2) ++cells[cell];
    }
  }
  return cells;
}

TEST(DrawnCommits, ChooseInProportionToThePolicy) {
  const auto model = rollout_network();
  const at::NoGradGuard no_grad;
  auto tokens = at::ones({1, kLength}, at::kInt);
  tokens.slice(1, 0, kSide - 1).fill_(2);
  auto rows = open_rows(model, tokens, at::zeros({1}, at::kInt));
  const auto p = log_policy(step_rows(model, Feedback::input, rows, 1).cells[0], {}).select(-1, 2).exp();
  constexpr std::int64_t kBoards = 3000;
  for (const double T : {1.0, 0.5}) {
    const auto cells = last_queens(model, {T, 0.0, 1}, kBoards);
    const auto weights = p.slice(0, kSide - 1).pow(1.0 / T);
    const auto total = weights.sum().item<double>();
    for (std::int64_t cell = kSide - 1; cell < kLength; ++cell) {
      const double share = weights[cell - kSide + 1].item<double>() / total;
      const double spread = std::sqrt(share * (1.0 - share) * kBoards);
      EXPECT_NEAR(cells.contains(cell) ? cells.at(cell) : 0, share * kBoards, 4.5 * spread + 1.0) << cell;
    }
  }
  // The least share leaves some out.
  const auto best = p.slice(0, kSide - 1).max().item<double>();
  for (const auto& [cell, count] : last_queens(model, {1.0, 0.9, 1}, kBoards)) {
    EXPECT_GE(p[cell].item<double>(), 0.9 * best - 1e-9) << cell;
  }
}

TEST(DrawnCommits, SymmetriesMakeTheQueenOfAnImageTheImageOfTheQueen) {
  const auto model = rollout_network();
  // Three queens without a symmetry of their own, and one to find: the same in all eight images.
  std::vector<std::int32_t> board(kLength, 1);
  board[0] = board[1] = board[6] = 2;
  const auto answer = [&](std::vector<std::int32_t> asked, int symmetry, bool mean) {
    transform_field(std::span(asked), kSide, symmetry);
    return decode_commit(model, {}, asked, 2, {0.0, 0.0, 1, mean});
  };
  bool plain_differs = false;
  for (int symmetry = 0; symmetry < kSymmetries; ++symmetry) {
    for (const bool mean : {true, false}) {
      auto wanted = answer(board, 0, mean);
      transform_field(std::span(wanted), kSide, symmetry);
      const bool same = answer(board, symmetry, mean) == wanted;
      EXPECT_TRUE(same || !mean) << symmetry;
      plain_differs = plain_differs || !same;
    }
  }
  EXPECT_TRUE(plain_differs) << "this network sees no difference, so the test shows nothing";
}

}  // namespace
}  // namespace dis
