#include "dis/eval/boards/queens_score.h"

#include <gtest/gtest.h>

#include "dis/data/boards/nqueens.h"

namespace dis {
namespace {

std::vector<Board> official_boards() {
  DataConfig config;
  config.split = Split::authors;
  return NQueensData(config, 0).test_sets().front().boards;
}

std::vector<std::int32_t> labels_of(const std::vector<Board>& boards) {
  std::vector<std::int32_t> labels;
  for (const Board& board : boards) labels.insert(labels.end(), board.label.begin(), board.label.end());
  return labels;
}

/// The first completion that the list of solutions offers.
std::vector<std::int32_t> some_completions(const std::vector<Board>& boards) {
  const auto solutions = all_solutions(8);
  std::vector<std::int32_t> answers;
  for (const Board& board : boards) {
    for (const Placement& solution : solutions) {
      const auto field = solution.field();
      if (!is_valid_completion(board.input, field)) continue;
      answers.insert(answers.end(), field.begin(), field.end());
      break;
    }
  }
  return answers;
}

TEST(Wilson, IntervalsEqualKnownOnes) {
  // statsmodels.stats.proportion.proportion_confint(hits, total, method="wilson")
  EXPECT_NEAR((Rate{8, 10}.lower()), 0.4901625, 1e-6);
  EXPECT_NEAR((Rate{8, 10}.upper()), 0.9433178, 1e-6);
  EXPECT_NEAR((Rate{133, 200}.lower()), 0.5970, 1e-4);
  EXPECT_NEAR((Rate{133, 200}.upper()), 0.7267, 1e-4);
  EXPECT_EQ((Rate{0, 20}.lower()), 0.0);
  EXPECT_NEAR((Rate{0, 20}.upper()), 0.1611252, 1e-6);
  EXPECT_NEAR((Rate{20, 20}.lower()), 0.8388748, 1e-6);
  EXPECT_EQ((Rate{20, 20}.upper()), 1.0);
  EXPECT_EQ(Rate{}.lower(), 0.0);
  EXPECT_EQ(Rate{}.upper(), 1.0);
  EXPECT_EQ(Rate{}.value(), 0.0);
}

TEST(QueensScore, LabelsReachTheCeiling) {
  const auto boards = official_boards();
  const QueensScore score = score_boards(boards, labels_of(boards));
  EXPECT_EQ(score.all.valid.value(), 1.0);
  EXPECT_EQ(score.all.exact.value(), 1.0);
  EXPECT_EQ(score.all.valid.total, 200);
  EXPECT_EQ(score.distinct_solutions, 65);
  EXPECT_EQ(score.by_completions[0].valid.total, 133);
  EXPECT_EQ(score.by_completions[1].valid.total, 13 + 5);
  EXPECT_EQ(score.by_completions[2].valid.total, 200 - 133 - 18);
  EXPECT_EQ(score.by_givens.at(7).valid.total, 37);
  EXPECT_EQ(score.by_givens.at(0).valid.total, 21);
}

TEST(QueensScore, AnotherCompletionIsValidButNotExact) {
  const auto boards = official_boards();
  const QueensScore score = score_boards(boards, some_completions(boards));
  EXPECT_EQ(score.all.valid.value(), 1.0);
  EXPECT_LT(score.all.exact.value(), 0.9);
  EXPECT_GE(score.all.exact.hits, 133);
  EXPECT_EQ(score.by_completions[0].exact.value(), 1.0);
}

TEST(QueensScore, InputsAndNonsenseScoreNothing) {
  const auto boards = official_boards();
  std::vector<std::int32_t> inputs;
  for (const Board& board : boards) inputs.insert(inputs.end(), board.input.begin(), board.input.end());
  EXPECT_EQ(score_boards(boards, inputs).all.valid.hits, 0);
  EXPECT_EQ(score_boards(boards, std::vector<std::int32_t>(200 * 64, 0)).all.valid.hits, 0);
  EXPECT_EQ(score_boards(boards, inputs).distinct_solutions, 0);
  EXPECT_THROW(score_boards(boards, std::vector<std::int32_t>(64)), std::logic_error);
  inputs.push_back(1);
  EXPECT_THROW(score_boards(boards, inputs), std::logic_error);
}

TEST(QueensScore, HalfTheBoardsWrong) {
  const auto boards = official_boards();
  auto answers = labels_of(boards);
  for (std::size_t i = 0; i < 200; i += 2) answers[i * 64] = answers[i * 64] == 1 ? 2 : 1;
  const QueensScore score = score_boards(boards, answers);
  EXPECT_EQ(score.all.valid.hits, 100);
  EXPECT_EQ(score.all.exact.hits, 100);
}

TEST(QueensScore, JsonHoldsEveryRate) {
  const auto boards = official_boards();
  const Json json = to_json(score_boards(boards, labels_of(boards)));
  EXPECT_EQ(json["boards"], 200);
  EXPECT_EQ(json["valid"]["value"], 1.0);
  EXPECT_EQ(json["by_completions"]["one"]["boards"], 133);
  EXPECT_EQ(json["by_completions"]["two_or_three"]["exact"]["hits"], 18);
  EXPECT_EQ(json["by_givens"]["3"]["boards"], 24);
  EXPECT_EQ(json["distinct_solutions"], 65);
  const Json single = to_json(score_boards(std::vector{boards[4]}, labels_of({boards[4]})));
  int absent = 0;
  for (const auto& [name, rates] : single["by_completions"].items()) absent += rates["valid"].is_null() ? 1 : 0;
  EXPECT_EQ(absent, 2);
}

TEST(QueensScore, TableIsAligned) {
  const auto boards = official_boards();
  const std::string table = score_table(score_boards(boards, labels_of(boards)));
  EXPECT_NE(table.find("one completion                 133   1.000  [0.972, 1.000]   1.000  [0.972, 1.000]\n"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("distinct solutions among the valid answers: 65\n"), std::string::npos);
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 1 + 1 + 3 + 8 + 1);
}

}  // namespace
}  // namespace dis
