#include "dis/eval/rows/decode.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <tuple>

#include "dis/core/error.h"
#include "dis/core/random.h"
#include "model/small_shape.h"

namespace dis {
namespace {

using Tokens = std::vector<std::int32_t>;

constexpr std::int64_t kN = 4, kCells = kN * kN, kSteps = 3;
constexpr std::int32_t kEmpty = 1, kQueen = 2;

/// A network for 4x4 boards with a mask token, untrained; `hierarchical`: HRM's two stacks.
Backbone network(at::ScalarType type = at::kFloat, bool hierarchical = false) {
  auto shape = small_model_shape(kCells, 3);
  shape.hierarchical = hierarchical;
  Backbone model(shape, 5, at::kCPU, type);
  const at::NoGradGuard no_grad;  // so that the mask would often win, if it could
  model.weights().find("model.inner.lm_head.weight")->detach()[3].mul_(10.0);
  model.weights().refresh();
  return model;
}

/// Every answer equally likely in every cell.
Backbone undecided_network() {
  auto model = network();
  model.weights().find("model.inner.lm_head.weight")->detach().zero_();
  return model;
}

/// Boards with 0..kN queens anywhere.
Tokens random_boards(std::int64_t boards) {
  Tokens tokens(static_cast<std::size_t>(boards * kCells), kEmpty);
  for (std::int64_t board = 0; board < boards; ++board) {
    Draws draws(1, Purpose::test, 0, static_cast<std::uint64_t>(board));
    const auto givens = draws.below(kN + 1);
    for (std::uint32_t i = 0; i < givens; ++i) {
      tokens[static_cast<std::size_t>(board * kCells + draws.below(kCells))] = kQueen;
    }
  }
  return tokens;
}

Tokens board_of(const Tokens& boards, std::int64_t number) {
  return {boards.begin() + number * kCells, boards.begin() + (number + 1) * kCells};
}

std::int64_t queens(const Tokens& board) { return std::count(board.begin(), board.end(), kQueen); }

Tokens copy_of(const at::Tensor& cells) {
  const auto c = cells.to(at::kInt).contiguous();
  return {c.data_ptr<std::int32_t>(), c.data_ptr<std::int32_t>() + c.numel()};
}

/// One board, by hand: after each step [kSteps] the logits of the answers [L, 3], the halting head's logit and what it
/// says; and the step that the head ends the board at.
struct Alone {
  std::vector<at::Tensor> logits;
  std::vector<float> q_halt, decision;
  std::int32_t made = kSteps;
};

Alone alone(const Backbone& model, const Tokens& board, Feedback feedback) {
  const at::NoGradGuard no_grad;
  auto tokens = at::tensor(board, at::kInt).unsqueeze(0);
  const auto rows = model.puzzle_embeddings(at::zeros({1}, at::kInt));
  auto states = model.initial_states(1);
  Alone row;
  for (std::int32_t s = 1; s <= kSteps; ++s) {
    states = model.latent_reasoning(model.input(tokens, rows, at::full({1}, s, at::kInt)), states);
    row.logits.push_back(model.readout(states.y)[0].slice(0, 2).slice(1, 0, 3));
    if (feedback == Feedback::prediction) tokens = row.logits.back().argmax(-1).to(at::kInt).unsqueeze(0);
    const auto q = model.halting(states.y)[0];
    row.q_halt.push_back(q[0].item<float>());
    row.decision.push_back(q[0].item<float>() - (model.shape().hierarchical ? q[1].item<float>() : 0.0F));
    if (row.decision.back() > 0.0F) row.made = std::min(row.made, s);
  }
  return row;
}

double stablemax(double v) { return v < 0 ? 1.0 / (1.0 - v) : v + 1.0; }

/// Probability of a queen in one cell.
double queen_probability(const at::Tensor& logits, LossForm loss) {
  double sum = 0.0, queen = 0.0;
  for (int k = 0; k < 3; ++k) {
    const double v = logits[k].item<double>();
    const double share = loss == LossForm::softmax ? std::exp(v) : stablemax(v);
    sum += share;
    if (k == kQueen) queen = share;
  }
  return queen / sum;
}

/// The free cell that most likely holds a queen, of logits [L, 3]; of equal ones the first.
std::size_t most_certain_queen(const at::Tensor& logits, const Tokens& board, LossForm loss) {
  std::size_t best = 0;
  double certainty = -1.0;
  for (std::size_t cell = 0; cell < kCells; ++cell) {
    if (board[cell] == kQueen) continue;
    const double p = queen_probability(logits[static_cast<std::int64_t>(cell)], loss);
    if (p > certainty) {
      certainty = p;
      best = cell;
    }
  }
  return best;
}

class Decoders : public ::testing::TestWithParam<std::tuple<Feedback, LossForm>> {
 protected:
  DecodeSettings settings(std::int64_t batch = 200) const {
    return {std::get<0>(GetParam()), {std::get<1>(GetParam())}, batch};
  }
};

TEST_P(Decoders, ArgmaxIsWhatTheStepsGiveByHand) {
  const auto model = network();
  const auto boards = random_boards(7);
  const auto answers = decode_argmax(model, settings(), boards, kSteps);
  ASSERT_EQ(answers.steps.size(), static_cast<std::size_t>(kSteps));
  for (std::int64_t board = 0; board < 7; ++board) {
    const auto logits = alone(model, board_of(boards, board), settings().feedback).logits;
    for (std::size_t s = 0; s < kSteps; ++s) {
      EXPECT_EQ(board_of(answers.steps[s], board), copy_of(logits[s].argmax(-1)))
          << "board " << board << ", step " << s + 1;
    }
  }
}

TEST_P(Decoders, CommitFixesTheMostCertainQueenOneByOne) {
  const auto model = network();
  const auto boards = random_boards(7);
  const auto answers = decode_commit(model, settings(), boards, kSteps);
  for (std::int64_t number = 0; number < 7; ++number) {
    auto board = board_of(boards, number);
    while (queens(board) < kN) {
      const auto logits = alone(model, board, settings().feedback).logits.back();
      board[most_certain_queen(logits, board, settings().loss.form)] = kQueen;
    }
    EXPECT_EQ(board_of(answers, number), board) << "board " << number;
  }
}

TEST_P(Decoders, CommitKeepsTheGivensAndPlacesAllQueens) {
  for (const auto& model : {network(), undecided_network(), network(at::kBFloat16)}) {
    const auto boards = random_boards(40);
    const auto answers = decode_commit(model, settings(), boards, kSteps);
    for (std::int64_t number = 0; number < 40; ++number) {
      const auto board = board_of(boards, number), answer = board_of(answers, number);
      EXPECT_EQ(queens(answer), kN);
      for (std::size_t cell = 0; cell < kCells; ++cell) {
        EXPECT_TRUE(answer[cell] == kQueen || (answer[cell] == kEmpty && board[cell] == kEmpty)) << cell;
      }
    }
  }
}

TEST_P(Decoders, FullBoardsStayAsTheyAre) {
  Tokens full(3 * kCells, kEmpty);
  for (const auto cell : {1, 7, 8, 14, 16 + 2, 16 + 4, 16 + 11, 16 + 13, 32 + 0, 32 + 1, 32 + 2, 32 + 3}) {
    full[static_cast<std::size_t>(cell)] = kQueen;
  }
  EXPECT_EQ(decode_commit(network(), settings(), full, kSteps), full);
  full[35] = kEmpty;  // the last board lacks one: the others stay all the same
  const auto answers = decode_commit(network(), settings(), full, kSteps);
  EXPECT_TRUE(std::equal(full.begin(), full.begin() + 2 * kCells, answers.begin()));
  EXPECT_EQ(queens(board_of(answers, 2)), kN);
}

TEST_P(Decoders, TheSizeOfABatchDoesNotMatter) {
  const auto boards = random_boards(11);
  for (const auto& model : {network(), network(at::kFloat, true)}) {
    for (const std::int64_t batch : {1, 4, 11}) {
      EXPECT_EQ(decode_argmax(model, settings(batch), boards, kSteps).steps,
                decode_argmax(model, settings(), boards, kSteps).steps);
      EXPECT_EQ(decode_commit(model, settings(batch), boards, kSteps),
                decode_commit(model, settings(), boards, kSteps));
    }
  }
}

/// A product's rounding may depend on its number of rows there.
TEST_P(Decoders, InBfloat16TheSizeOfABatchChangesAtMostOneCellInAThousand) {
  const auto boards = random_boards(200);
  for (const bool hierarchical : {false, true}) {
    const auto model = network(at::kBFloat16, hierarchical);
    const auto whole = decode_argmax(model, settings(), boards, kSteps).steps.back();
    for (const std::int64_t batch : {1, 7, 64}) {
      const auto found = decode_argmax(model, settings(batch), boards, kSteps).steps.back();
      std::int64_t same = 0;
      for (std::size_t i = 0; i < whole.size(); ++i) same += found[i] == whole[i] ? 1 : 0;
      EXPECT_GE(static_cast<double>(same), 0.999 * static_cast<double>(whole.size())) << "batch " << batch;
    }
  }
}

TEST_P(Decoders, OfEquallyCertainCellsTheFirstIsTaken) {
  Tokens board(kCells, kEmpty), want(kCells, kEmpty);
  board[1] = board[9] = want[1] = want[9] = kQueen;
  want[0] = want[2] = kQueen;
  EXPECT_EQ(decode_commit(undecided_network(), settings(), board, kSteps), want);
}

TEST_P(Decoders, NoBoardsGiveNoAnswers) {
  EXPECT_EQ(decode_argmax(network(), settings(), {}, kSteps).steps, std::vector<Tokens>(kSteps));
  EXPECT_TRUE(decode_commit(network(), settings(), {}, kSteps).empty());
}

/// A network whose halting head ends half of the boards after the first step, and others later.
Backbone halting_network(bool hierarchical) {
  constexpr std::int64_t kBoards = 40;
  auto model = network(at::kFloat, hierarchical);
  const auto head = model.weights().find("model.inner.q_head.weight")->detach();
  const auto bias = model.weights().find("model.inner.q_head.bias")->detach();
  Draws draws(3, Purpose::test, 0, 0);
  for (std::int64_t i = 0; i < head.numel(); ++i) head.view(-1)[i] = draws.uniform() - 0.5;
  bias.zero_();
  model.weights().refresh();
  std::vector<float> first;
  for (std::int64_t board = 0; board < kBoards; ++board) {
    first.push_back(alone(model, board_of(random_boards(kBoards), board), Feedback::input).decision.front());
  }
  std::ranges::sort(first);
  bias[0] = 1e-2 - first[kBoards / 2];
  model.weights().refresh();
  return model;
}

TEST(Halting, EndsEachRowAtItsStep) {
  constexpr std::int64_t kBoards = 40;
  const auto boards = random_boards(kBoards);
  for (const bool hierarchical : {false, true}) {
    const auto model = halting_network(hierarchical);
    for (const std::int64_t batch : {1, 7, 200}) {
      const DecodeSettings settings{.loss = {LossForm::stablemax}, .batch = batch, .halting = true};
      const auto found = decode_argmax(model, settings, boards, kSteps);
      const auto all = decode_argmax(model, {.batch = batch}, boards, kSteps);
      std::set<std::int32_t> made;
      for (std::int64_t board = 0; board < kBoards; ++board) {
        const auto i = static_cast<std::size_t>(board);
        const auto row = alone(model, board_of(boards, board), Feedback::input);
        for (const auto decision : row.decision) ASSERT_GT(std::abs(decision), 1e-4) << "rounding may decide";
        EXPECT_EQ(found.made[i], row.made);
        EXPECT_NEAR(found.halting[i], row.q_halt[static_cast<std::size_t>(row.made - 1)], 1e-5);
        for (std::int32_t s = 1; s <= kSteps; ++s) {
          const auto& logits = row.logits[static_cast<std::size_t>(std::min(s, row.made) - 1)];
          EXPECT_EQ(board_of(found.steps[static_cast<std::size_t>(s - 1)], board), copy_of(logits.argmax(-1)))
              << "step " << s;
        }
        made.insert(row.made);
        EXPECT_EQ(all.made[i], kSteps);
        EXPECT_NEAR(all.halting[i], row.q_halt.back(), 1e-5);
      }
      EXPECT_GT(made.size(), 1u) << "the boards should differ";
    }
  }
}

TEST(Halting, GuidanceReadsTheRowsOwnStepBefore) {
  const auto boards = random_boards(40);
  const auto model = halting_network(false);
  std::set<Tokens> first;
  for (std::int64_t board = 0; board < 40; ++board) {
    first.insert(board_of(decode_argmax(model, {}, boards, kSteps).steps.front(), board));
  }
  EXPECT_GT(first.size(), 10U) << "the boards should differ";
  for (const double w : {0.5, 0.0, -2.0}) {  // the less w, the more the step before counts
    const auto all = decode_argmax(model, {.guidance = w}, boards, kSteps);
    const auto some = decode_argmax(model, {.guidance = w, .halting = true}, boards, kSteps);
    for (std::int64_t board = 0; board < 40; ++board) {
      const auto made = static_cast<std::size_t>(some.made[static_cast<std::size_t>(board)]);
      for (std::size_t step = 1; step <= kSteps; ++step) {
        EXPECT_EQ(board_of(some.steps[step - 1], board), board_of(all.steps[std::min(step, made) - 1], board))
            << "w = " << w << ", step " << step;
      }
    }
  }
}

TEST(Halting, CommitFixesTheQueenOfTheRowsOwnLastStep) {
  const auto model = halting_network(false);
  for (std::int64_t number = 0; number < 10; ++number) {
    Tokens board = board_of(random_boards(40), number);
    board[3] = kQueen;
    if (queens(board) >= kN) continue;
    const auto found = decode_commit(model, {.halting = true}, board, kSteps);
    while (queens(board) < kN) {  // each round is an answer of the board so far after the steps that it makes
      const auto row = alone(model, board, Feedback::input);
      const auto& logits = row.logits[static_cast<std::size_t>(row.made - 1)];
      board[most_certain_queen(logits, board, LossForm::stablemax)] = kQueen;
    }
    EXPECT_EQ(found, board) << "board " << number;
  }
}

TEST(Halting, CostsOnlyTheStepsMade) {
  const auto boards = random_boards(40);
  const auto model = halting_network(false);
  const auto passes = [&](bool halting) {
    const auto before = model.passes().forward;
    const auto answers = decode_argmax(model, {.halting = halting}, boards, kSteps);
    return std::pair{model.passes().forward - before,
                     std::accumulate(answers.made.begin(), answers.made.end(), std::int64_t{0})};
  };
  const auto [all, all_steps] = passes(false);
  const auto [some, some_steps] = passes(true);
  EXPECT_EQ(all_steps, 40 * kSteps);
  EXPECT_LT(some_steps, all_steps);
  EXPECT_EQ(some * all_steps, all * some_steps);
}

std::string name_of(const ::testing::TestParamInfo<Decoders::ParamType>& instance) {
  return to_string(std::get<0>(instance.param)) + "_" +
         (std::get<1>(instance.param) == LossForm::softmax ? "softmax" : "stablemax");
}

INSTANTIATE_TEST_SUITE_P(Settings, Decoders,
                         ::testing::Combine(::testing::Values(Feedback::input, Feedback::prediction),
                                            ::testing::Values(LossForm::stablemax, LossForm::softmax)),
                         name_of);

TEST(PuzzleRows, AreOwnBlankOrThoseOfOthers) {
  EXPECT_TRUE(asked_puzzle_rows(PuzzleRow::own, 5, 1).empty());
  EXPECT_EQ(asked_puzzle_rows(PuzzleRow::blank, 5, 1), Tokens(5));
  const auto random = asked_puzzle_rows(PuzzleRow::random, 50, 1);
  EXPECT_EQ(random.front(), 0);
  for (std::size_t id = 1; id < random.size(); ++id) EXPECT_NE(random[id], static_cast<std::int32_t>(id));
  EXPECT_EQ(std::set<std::int32_t>(random.begin(), random.end()).size(), 50U);
  EXPECT_NE(asked_puzzle_rows(PuzzleRow::random, 50, 2), random);
  EXPECT_THROW(asked_puzzle_rows(PuzzleRow::random, 2, 1), UserError);

  auto shape = small_model_shape(kCells, 3);
  shape.identifiers = 3;
  Backbone model(shape, 5, at::kCPU, at::kFloat);
  const at::NoGradGuard no_grad;
  auto table = model.weights().find("model.inner.puzzle_emb.weights")->detach();
  table.copy_(at::arange(table.numel(), at::kFloat).sin().view_as(table));
  model.weights().refresh();
  const auto boards = random_boards(6);
  const Tokens ids{0, 1, 2, 1, 0, 2}, others{0, 2, 1, 2, 0, 1}, blank(6);
  const auto answers = [&](const Tokens& asked, const std::vector<std::int32_t>& rows) {
    const auto found =
        answer_rows(model, {.loss = {LossForm::stablemax}, .batch = 4, .puzzle_rows = rows}, boards, asked, 2);
    return std::pair(found.steps, found.halting);
  };
  EXPECT_EQ(answers(ids, {0, 2, 1}), answers(others, {}));
  EXPECT_EQ(answers(ids, Tokens(3)), answers(blank, {}));
  EXPECT_NE(answers(ids, Tokens(3)), answers(ids, {}));
}

}  // namespace
}  // namespace dis
