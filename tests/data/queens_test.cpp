#include "dis/data/boards/queens.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "dis/core/random.h"

namespace dis {
namespace {

Placement placement(const std::vector<int>& columns) {
  Placement result(static_cast<int>(columns.size()));
  std::copy(columns.begin(), columns.end(), result.column.begin());
  return result;
}

std::vector<std::int32_t> answer_of(const Placement& solution) {
  const auto field = solution.field();
  return {field.begin(), field.end()};
}

TEST(Queens, NumbersOfSolutionsAndOrbitsAreTheKnownOnes) {
  const std::vector<std::pair<std::size_t, std::size_t>> known{
      {2, 1}, {10, 2}, {4, 1}, {40, 6}, {92, 12}, {352, 46}, {724, 92}};  // OEIS A000170 and A002562, N = 4..10
  for (int n = 4; n <= kLargestTabled; ++n) {
    const auto solutions = all_solutions(n);
    EXPECT_TRUE(std::is_sorted(solutions.begin(), solutions.end()));
    std::set<Placement> orbits;
    for (const Placement& solution : solutions) {
      EXPECT_TRUE(is_peaceful(solution));
      orbits.insert(canonical(solution));
    }
    const auto& [count, orbit_count] = known[static_cast<std::size_t>(n - 4)];
    EXPECT_EQ(solutions.size(), count) << n;
    EXPECT_EQ(orbits.size(), orbit_count) << n;
    EXPECT_EQ(static_cast<std::size_t>(count_completions(Placement(n), 100000)), count) << n;
  }
}

TEST(Queens, CompletionsAgreeWithTheListOfSolutions) {
  Draws draws(1, Purpose::test, 0, 0);
  for (int n = 4; n <= 8; ++n) {
    const auto solutions = all_solutions(n);
    for (int trial = 0; trial < 200; ++trial) {
      const auto& solution = solutions[draws.below(static_cast<std::uint32_t>(solutions.size()))];
      const std::uint32_t rows = draws.below(1U << n);
      const Placement givens = keep_rows(solution, rows);
      const auto fits = [&](const Placement& other) { return keep_rows(other, rows) == givens; };
      const auto expected = static_cast<int>(std::count_if(solutions.begin(), solutions.end(), fits));
      EXPECT_EQ(count_completions(givens, 1000), expected);
      EXPECT_EQ(count_completions(givens, 4), std::min(expected, 4));
      EXPECT_EQ(count_completions(givens.field(), 1000), expected);
    }
  }
}

TEST(Queens, GivensThatAttackOneAnotherHaveNoCompletion) {
  EXPECT_EQ(count_completions(placement({0, 1, -1, -1, -1, -1, -1, -1}), 4), 0);  // a diagonal
  EXPECT_EQ(count_completions(placement({-1, 3, -1, 3, -1, -1, -1, -1}), 4), 0);  // a column
  std::vector<std::uint8_t> field(64, kEmptyCell);
  field[0] = field[5] = kQueenCell;  // a row
  EXPECT_EQ(count_completions(field, 4), 0);
  EXPECT_FALSE(placement_of(field).has_value());
}

TEST(Queens, ValidCompletionRejectsEveryKindOfMistake) {
  const Placement solution = placement({3, 0, 4, 7, 1, 6, 2, 5});
  const auto input = keep_rows(solution, 0b101).field();
  const auto good = answer_of(solution);
  EXPECT_TRUE(is_valid_completion(input, good));
  // another solution of the same givens would do, one that moves a given not
  EXPECT_FALSE(is_valid_completion(input, answer_of(placement({5, 2, 0, 6, 4, 7, 1, 3}))));

  auto answer = good;
  answer[3] = kEmptyCell;  // a given removed
  EXPECT_FALSE(is_valid_completion(input, answer));
  answer = good;
  answer[8] = kEmptyCell;  // a queen too few
  EXPECT_FALSE(is_valid_completion(input, answer));
  answer = good;
  answer[63] = kQueenCell;  // a queen too many
  EXPECT_FALSE(is_valid_completion(input, answer));
  for (const std::int32_t token : {0, 3, -1, 258}) {  // 258 is 2 in eight bits
    answer = good;
    answer[63] = token;
    EXPECT_FALSE(is_valid_completion(input, answer)) << token;
  }
  answer = good;
  answer[8] = kEmptyCell;
  answer[9] = kQueenCell;  // moved beside: N queens that attack
  EXPECT_FALSE(is_valid_completion(input, answer));
  // N queens in N columns and on N diagonals of each kind, but two in one row: rows count too.
  const Placement small = placement({1, 3, 0, 2});
  std::vector<std::int32_t> crowded(16, kEmptyCell);
  crowded[0] = crowded[1 * 4 + 2] = crowded[1 * 4 + 3] = crowded[3 * 4 + 1] = kQueenCell;
  EXPECT_FALSE(is_valid_completion(Placement(4).field(), crowded));
  EXPECT_TRUE(is_valid_completion(Placement(4).field(), answer_of(small)));
}

TEST(Queens, EveryPlacementOfFourQueensOnFourByFourIsJudgedRightly) {
  const auto solutions = all_solutions(4);
  int valid = 0;
  for (std::uint32_t cells = 0; cells < 1U << 16; ++cells) {
    std::vector<std::int32_t> answer(16);
    for (std::uint32_t cell = 0; cell < 16; ++cell) answer[cell] = (cells >> cell & 1U) ? kQueenCell : kEmptyCell;
    const bool expected = std::any_of(solutions.begin(), solutions.end(),
                                      [&](const Placement& solution) { return answer_of(solution) == answer; });
    ASSERT_EQ(is_valid_completion(Placement(4).field(), answer), expected) << cells;
    valid += expected ? 1 : 0;
  }
  EXPECT_EQ(valid, 2);
}

TEST(Queens, SymmetriesAreThoseOfNumpy) {
  // np.arange(9).reshape(3, 3) under identity, rot90 x 1, 2, 3, fliplr, flipud, transpose, fliplr(rot90)
  const std::vector<std::vector<int>> expected{{0, 1, 2, 3, 4, 5, 6, 7, 8}, {2, 5, 8, 1, 4, 7, 0, 3, 6},
                                               {8, 7, 6, 5, 4, 3, 2, 1, 0}, {6, 3, 0, 7, 4, 1, 8, 5, 2},
                                               {2, 1, 0, 5, 4, 3, 8, 7, 6}, {6, 7, 8, 3, 4, 5, 0, 1, 2},
                                               {0, 3, 6, 1, 4, 7, 2, 5, 8}, {8, 5, 2, 7, 4, 1, 6, 3, 0}};
  for (int symmetry = 0; symmetry < kSymmetries; ++symmetry) {
    std::vector<int> field(9);
    std::iota(field.begin(), field.end(), 0);
    transform_field(std::span(field), 3, symmetry);
    EXPECT_EQ(field, expected[static_cast<std::size_t>(symmetry)]) << symmetry;
    transform_field(std::span(field), 3, inverse_symmetry(symmetry));
    EXPECT_TRUE(std::is_sorted(field.begin(), field.end())) << symmetry;
  }
  EXPECT_THROW(symmetry_source(3, 8, 0), std::logic_error);
}

TEST(Queens, PlacementsAndFieldsTransformAlike) {
  const Placement givens = placement({3, -1, 4, -1, 1, -1, -1, 5});
  for (int symmetry = 0; symmetry < kSymmetries; ++symmetry) {
    auto field = givens.field();
    transform_field(std::span(field), 8, symmetry);
    EXPECT_EQ(transformed(givens, symmetry).field(), field) << symmetry;
    EXPECT_EQ(placement_of(field), transformed(givens, symmetry)) << symmetry;
    EXPECT_EQ(canonical(transformed(givens, symmetry)), canonical(givens)) << symmetry;
  }
}

TEST(Queens, SearchFindsSolutionsOfEverySize) {
  for (int n = kSmallestBoard; n <= kLargestBoard; ++n) {
    Draws draws(3, Purpose::test, 1, static_cast<std::uint64_t>(n));
    const Placement solution = search_solution(n, [&](std::span<std::int8_t> order) { draws.shuffle(order); });
    EXPECT_EQ(solution.queens(), n);
    EXPECT_TRUE(is_peaceful(solution));
    EXPECT_EQ(board_size_of(static_cast<std::size_t>(n * n)), n);
  }
  EXPECT_FALSE(board_size_of(9).has_value());
  EXPECT_FALSE(board_size_of(63).has_value());
}

TEST(Queens, ExpandedBoardHasItsCounts) {
  const Board board = CompactBoard{placement({3, 0, 4, 7, 1, 6, 2, 5}), 0}.expanded();
  EXPECT_EQ(board.givens, 0);
  EXPECT_EQ(board.completions, kCompletionsCap);
  const Board full = CompactBoard{placement({3, 0, 4, 7, 1, 6, 2, 5}), 0b1111111}.expanded();
  EXPECT_EQ(full.givens, 7);
  EXPECT_EQ(full.completions, 1);
  EXPECT_EQ(std::count(full.label.begin(), full.label.end(), kQueenCell), 8);
}

}  // namespace
}  // namespace dis
