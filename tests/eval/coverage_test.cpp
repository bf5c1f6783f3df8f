#include "dis/eval/boards/coverage.h"

#include <gtest/gtest.h>

#include <cmath>

#include "dis/data/boards/queens.h"

namespace dis {
namespace {

std::vector<std::int32_t> field_of(const Placement& placement) {
  const auto field = placement.field();
  return {field.begin(), field.end()};
}

void append(std::vector<std::int32_t>& to, const std::vector<std::int32_t>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

TEST(Coverage, CountsDistinctValidCompletions) {
  // 6 x 6 has four solutions; the empty board twice and a board with one completion.
  const auto solutions = all_solutions(6);
  ASSERT_EQ(solutions.size(), 4U);
  const auto empty = CompactBoard{solutions[0], 0}.expanded();
  const auto given = CompactBoard{solutions[1], 0b000001}.expanded();
  const std::vector<Board> boards{empty, empty, given};
  const std::vector<std::int32_t> nonsense(36, 1);
  std::vector<std::int32_t> answers;
  for (const auto& answer : {field_of(solutions[0]), field_of(solutions[0]), field_of(solutions[2])})
    append(answers, answer);
  for (const auto& answer : {field_of(solutions[3]), nonsense, nonsense}) append(answers, answer);
  for (const auto& answer : {field_of(solutions[1]), field_of(solutions[0]), nonsense}) append(answers, answer);
  const auto score = coverage_of(boards, answers, 3);
  EXPECT_EQ(score.valid, 5);
  EXPECT_EQ(score.pooled.found, 2 + 1 + 1);
  const auto of_given = count_completions(given.input, 100);
  EXPECT_EQ(score.pooled.total, 4 + 4 + of_given);
  EXPECT_EQ(score.distinct, 4);
  const double m = of_given;
  const double uniform4 = 4.0 * (1.0 - 0.75 * 0.75 * 0.75);
  EXPECT_NEAR(score.pooled.uniform, 2.0 * uniform4 + m * (1.0 - std::pow(1.0 - 1.0 / m, 3)), 1e-12);
  EXPECT_NEAR(score.per_input, ((2.0 + 1.0) / 8.0 + 1.0 / m) / 2.0, 1e-12) << "the rows of an input first";
  EXPECT_NEAR(score.mean_completions, (8.0 + m) / 3.0, 1e-12);
  const auto json = to_json(score);
  EXPECT_EQ(json.at("pooled").at("found"), 4);
  EXPECT_NEAR(json.at("valid_answers").get<double>(), 5.0 / 9.0, 1e-12);
}

TEST(Coverage, OneRightAnswerCoversOneOfM) {
  const auto solutions = all_solutions(8);
  std::vector<Board> boards;
  std::vector<std::int32_t> answers;
  for (std::size_t i = 0; i < 92; ++i) {
    boards.push_back(CompactBoard{solutions[i], 0}.expanded());
    append(answers, field_of(solutions[i]));
  }
  const auto score = coverage_of(boards, answers, 1);
  EXPECT_DOUBLE_EQ(score.pooled.value(), 1.0 / 92.0);
  EXPECT_NEAR(score.pooled.ceiling(), 1.0 / 92.0, 1e-12);
  EXPECT_EQ(score.distinct, 92);
}

}  // namespace
}  // namespace dis
