// Sudokus and mazes that are made: one solution, no clue too many, one path, the same for the same numbers.
#include <gtest/gtest.h>

#include <set>

#include "core/user_error.h"
#include "dis/data/arrays/puzzle_rules.h"
#include "dis/data/puzzles/maze_maker.h"
#include "dis/data/puzzles/sudoku_climb.h"

namespace dis {
namespace {

SudokuGrid sudoku_grid(const std::string& text) {
  SudokuGrid grid{};
  for (std::size_t cell = 0; cell < 81; ++cell)
    grid[cell] = text[cell] == '.' ? 0 : static_cast<std::uint8_t>(text[cell] - '0');
  return grid;
}

/// Solutions by trying every digit everywhere, up to two.
int count_plainly(SudokuGrid& grid, std::size_t cell = 0) {
  while (cell < 81 && grid[cell] != 0) ++cell;
  if (cell == 81) return 1;
  int found = 0;
  for (std::uint8_t digit = 1; digit <= 9 && found < 2; ++digit) {
    bool fits = true;
    for (std::size_t other = 0; other < 81 && fits; ++other) {
      const bool sees =
          other / 9 == cell / 9 || other % 9 == cell % 9 || (other / 27 == cell / 27 && other % 9 / 3 == cell % 9 / 3);
      fits = !sees || grid[other] != digit;
    }
    if (!fits) continue;
    grid[cell] = digit;
    found += count_plainly(grid, cell + 1);
    grid[cell] = 0;
  }
  return found;
}

std::vector<std::int32_t> sudoku_tokens(const SudokuGrid& grid) {
  std::vector<std::int32_t> tokens;
  for (const auto digit : grid) tokens.push_back(digit + 1);
  return tokens;
}

// 26 puzzles of the recorded builds are hard; these are known otherwise.
const char* const kEasy = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79";
const char* const kHardest = "8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4..";

TEST(SudokuSolver, FindsAllSolutionsAndCountsGuesses) {
  const auto easy = solve_sudoku(sudoku_grid(kEasy), 5);
  EXPECT_EQ(easy.solutions, 1);
  EXPECT_EQ(easy.guesses, 0);
  EXPECT_TRUE(is_sudoku_solution(sudoku_tokens(sudoku_grid(kEasy)), sudoku_tokens(easy.first)));
  EXPECT_GT(mean_guesses(sudoku_grid(kHardest), 20, 1), 20.0);
  EXPECT_EQ(mean_guesses(sudoku_grid(kEasy), 20, 1), 0.0);
  EXPECT_EQ(solve_sudoku({}, 7).solutions, 7);
  auto wrong = sudoku_grid(kEasy);
  wrong[2] = 5;  // twice in a row
  EXPECT_EQ(solve_sudoku(wrong, 2).solutions, 0);
  // Without some clues there are several, as counted plainly.
  Draws draws(3, Purpose::test, 0, 0);
  int unique = 0;
  for (int trial = 0; trial < 60; ++trial) {
    auto grid = easy.first;
    const auto keep = 30 + draws.below(12);
    for (std::uint32_t gone = 81; gone > keep;) {
      auto& cell = grid[draws.below(81)];
      gone -= cell != 0 ? 1 : 0;
      cell = 0;
    }
    auto copy = grid;
    const auto plainly = std::min(count_plainly(copy), 2);
    const auto found = solve_sudoku(grid, 2);
    EXPECT_EQ(found.solutions, plainly);
    EXPECT_TRUE(plainly < 2 || found.first != found.last);
    unique += plainly == 1 ? 1 : 0;
    for (int cell = 0; cell < 81; cell += 7) {
      const auto digit = easy.first[static_cast<std::size_t>(cell)];
      const auto other = other_solution(grid, cell, digit);
      if (!other) continue;
      EXPECT_NE((*other)[static_cast<std::size_t>(cell)], digit);
      auto without = grid;
      without[static_cast<std::size_t>(cell)] = 0;
      EXPECT_TRUE(is_sudoku_solution(sudoku_tokens(without), sudoku_tokens(*other)));
    }
  }
  EXPECT_GT(unique, 5);
  EXPECT_LT(unique, 55);
}

TEST(SudokuClimb, MakesMinimalPuzzlesThatGetHarder) {
  double before = 0.0, after = 0.0;
  std::set<SudokuGrid> puzzles;
  for (std::uint64_t number = 0; number < 8; ++number) {
    const auto start = climb_sudoku(4, 1, number, {0}), made = climb_sudoku(4, 1, number, {60});
    before += start.guesses;
    after += made.guesses;
    for (const auto& sudoku : {start, made}) {
      puzzles.insert(sudoku.puzzle);
      const auto found = solve_sudoku(sudoku.puzzle, 2);
      EXPECT_EQ(found.solutions, 1);
      EXPECT_EQ(found.first, sudoku.solution);
      for (int cell = 0; cell < 81; ++cell) {
        const auto clue = sudoku.puzzle[static_cast<std::size_t>(cell)];
        EXPECT_TRUE(clue == 0 || other_solution(sudoku.puzzle, cell, clue).has_value()) << "a clue that can go";
      }
    }
    EXPECT_EQ(climb_sudoku(4, 1, number, {60}).puzzle, made.puzzle);
    auto easier = made;
    add_clues(easier, 40, 4, 1, number);
    EXPECT_EQ(81 - std::ranges::count(easier.puzzle, 0), 40);
    EXPECT_EQ(solve_sudoku(easier.puzzle, 2).solutions, 1);
    EXPECT_LE(easier.guesses, made.guesses);
  }
  EXPECT_GT(after, before + 8.0);
  EXPECT_EQ(puzzles.size(), 16U);
  EXPECT_NE(climb_sudoku(4, 0, 0, {0}).puzzle, climb_sudoku(4, 1, 0, {0}).puzzle) << "tests have draws of their own";
  EXPECT_NE(climb_sudoku(5, 1, 0, {0}).puzzle, climb_sudoku(4, 1, 0, {0}).puzzle);
}

TEST(MazeMaker, MakesTreesWithOnePathOfTheLengthDrawn) {
  std::set<std::string> mazes;
  std::set<std::int64_t> lengths;
  for (std::uint64_t number = 0; number < 60; ++number) {
    const auto made = make_maze({}, 2, number % 2, number);
    const std::vector<std::int32_t> question(made.question.begin(), made.question.end()),
        answer(made.answer.begin(), made.answer.end());
    mazes.insert(std::string(made.question.begin(), made.question.end()));
    lengths.insert(made.steps);
    EXPECT_EQ(900 - std::ranges::count(question, 1), 391) << "14 x 14 cells of a tree";
    EXPECT_TRUE(is_shortest_maze_path(question, answer));
    EXPECT_EQ(std::ranges::count(answer, kMazePath), made.steps - 1);
    EXPECT_GE(made.steps, 100);
    EXPECT_LE(made.steps, 140);
    EXPECT_EQ(make_maze({}, 2, number % 2, number).answer, made.answer);
  }
  EXPECT_EQ(mazes.size(), 60U);
  EXPECT_GT(lengths.size(), 25U) << "uniform over 41 lengths";
  const auto small = make_maze({11, 3, 5}, 1, 0, 0);
  EXPECT_EQ(std::ranges::count(small.question, kMazeGoal), 1);
  EXPECT_TRUE(contains(user_error_of([] { make_maze({8, 50, 50}, 1, 0, 0); }), "a path of 50 steps was not found"));
}

}  // namespace
}  // namespace dis
