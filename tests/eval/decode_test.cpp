#include "dis/eval/decode.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

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

/// Logits of the answers [L, 3] after each step, for one board and by hand.
std::vector<at::Tensor> logits_by_hand(const Backbone& model, const Tokens& board, Feedback feedback) {
  const at::NoGradGuard no_grad;
  auto tokens = at::empty({1, kCells}, at::kInt);
  std::copy(board.begin(), board.end(), tokens.data_ptr<std::int32_t>());
  auto states = model.initial_states(1);
  std::vector<at::Tensor> all;
  for (std::int64_t s = 1; s <= kSteps; ++s) {
    const auto rows = model.puzzle_rows(at::zeros({1}, at::kInt));
    states = model.latent_reasoning(model.input(tokens, rows, at::full({1}, s, at::kInt)), states);
    all.push_back(model.readout(states.y)[0].slice(0, 2).slice(1, 0, 3));
    if (feedback == Feedback::prediction) tokens = all.back().argmax(-1).to(at::kInt).unsqueeze(0);
  }
  return all;
}

double stablemax(double v) { return v < 0 ? 1.0 / (1.0 - v) : v + 1.0; }

/// Probability of a queen in one cell.
double queen_probability(const at::Tensor& logits, LossKind loss) {
  double sum = 0.0, queen = 0.0;
  for (int k = 0; k < 3; ++k) {
    const double v = logits[k].item<double>();
    const double share = loss == LossKind::softmax ? std::exp(v) : stablemax(v);
    sum += share;
    if (k == kQueen) queen = share;
  }
  return queen / sum;
}

class Decoders : public ::testing::TestWithParam<std::tuple<Feedback, LossKind>> {
 protected:
  DecodeSettings settings(std::int64_t batch = 200) const {
    return {std::get<0>(GetParam()), std::get<1>(GetParam()), batch};
  }
};

TEST_P(Decoders, ArgmaxIsWhatTheStepsGiveByHand) {
  const auto model = network();
  const auto boards = random_boards(7);
  const auto answers = decode_argmax(model, settings(), boards, kSteps);
  ASSERT_EQ(answers.size(), static_cast<std::size_t>(kSteps));
  for (std::int64_t board = 0; board < 7; ++board) {
    const auto logits = logits_by_hand(model, board_of(boards, board), settings().feedback);
    for (std::size_t s = 0; s < kSteps; ++s) {
      EXPECT_EQ(board_of(answers[s], board), copy_of(logits[s].argmax(-1))) << "board " << board << ", step " << s + 1;
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
      const auto logits = logits_by_hand(model, board, settings().feedback).back();
      std::size_t best = 0;
      double certainty = -1.0;
      for (std::size_t cell = 0; cell < kCells; ++cell) {
        if (board[cell] == kQueen) continue;
        const double p = queen_probability(logits[static_cast<std::int64_t>(cell)], settings().loss);
        if (p > certainty) {
          certainty = p;
          best = cell;
        }
      }
      board[best] = kQueen;
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
      EXPECT_EQ(decode_argmax(model, settings(batch), boards, kSteps),
                decode_argmax(model, settings(), boards, kSteps));
      EXPECT_EQ(decode_commit(model, settings(batch), boards, kSteps),
                decode_commit(model, settings(), boards, kSteps));
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
  EXPECT_EQ(decode_argmax(network(), settings(), {}, kSteps), std::vector<Tokens>(kSteps));
  EXPECT_TRUE(decode_commit(network(), settings(), {}, kSteps).empty());
}

std::string name_of(const ::testing::TestParamInfo<Decoders::ParamType>& instance) {
  return to_string(std::get<0>(instance.param)) + "_" + to_string(std::get<1>(instance.param));
}

INSTANTIATE_TEST_SUITE_P(Settings, Decoders,
                         ::testing::Combine(::testing::Values(Feedback::input, Feedback::prediction),
                                            ::testing::Values(LossKind::stablemax, LossKind::softmax)),
                         name_of);

}  // namespace
}  // namespace dis
