#include "dis/data/puzzles/sudoku_climb.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

#include "dis/core/error.h"

namespace dis {
namespace {

constexpr int kMeasuredCopies = 4;  // while climbing

std::vector<int> clues_of(const SudokuGrid& puzzle) {
  std::vector<int> cells;
  for (int cell = 0; cell < 81; ++cell) {
    if (puzzle[static_cast<std::size_t>(cell)] != 0) cells.push_back(cell);
  }
  return cells;
}

/// Adds clues of `solution` until it is the only one: each where another solution differs.
void add_until_unique(SudokuGrid& puzzle, const SudokuGrid& solution, Draws& draws) {
  for (;;) {
    const auto found = solve_sudoku(puzzle, 2);
    if (found.solutions < 2) return;
    const auto& other = found.first == solution ? found.last : found.first;
    std::vector<std::size_t> differ;
    for (std::size_t cell = 0; cell < 81; ++cell) {
      if (other[cell] != solution[cell]) differ.push_back(cell);
    }
    const auto cell = differ[draws.below(static_cast<std::uint32_t>(differ.size()))];
    puzzle[cell] = solution[cell];
  }
}

void remove_what_can_go(SudokuGrid& puzzle, Draws& draws) {
  auto cells = clues_of(puzzle);
  draws.shuffle(std::span(cells));
  for (const int cell : cells) {
    auto& clue = puzzle[static_cast<std::size_t>(cell)];
    if (!other_solution(puzzle, cell, clue)) clue = 0;
  }
}

/// A minimal puzzle that keeps the clues given as far as they are needed.
ClimbedSudoku minimal_from(SudokuGrid clues, Draws& draws) {
  const auto solution = random_solution(clues, draws);
  ensure(solution.has_value(), "minimal_from", "clues of a Sudoku");
  add_until_unique(clues, *solution, draws);
  remove_what_can_go(clues, draws);
  return {clues, *solution, 0.0};
}

ClimbedSudoku measured(ClimbedSudoku made, std::uint64_t seed) {
  made.guesses = mean_guesses(made.puzzle, kMeasuredCopies, seed);
  return made;
}

}  // namespace

void add_clues(ClimbedSudoku& sudoku, int clues, std::uint64_t seed, std::uint64_t split, std::uint64_t number) {
  Draws draws(seed, Purpose::more_clues, split, number);
  std::vector<std::size_t> empty;
  for (std::size_t cell = 0; cell < 81; ++cell) {
    if (sudoku.puzzle[cell] == 0) empty.push_back(cell);
  }
  draws.shuffle(std::span(empty));
  const auto wanted = std::clamp<std::int64_t>(clues - (81 - std::ssize(empty)), 0, std::ssize(empty));
  for (const auto cell : std::span(empty).first(static_cast<std::size_t>(wanted))) {
    sudoku.puzzle[cell] = sudoku.solution[cell];
  }
  sudoku.guesses = mean_guesses(sudoku.puzzle, kClimbCopies, seed + 1);
}

ClimbedSudoku climb_sudoku(std::uint64_t seed, std::uint64_t split, std::uint64_t number, const ClimbLimit& limit) {
  const auto draws_of = [&](std::int64_t step) {
    return Draws(seed, Purpose::climb, 2 * static_cast<std::uint64_t>(step) + split, number);
  };
  auto draws = draws_of(0);
  auto best = measured(minimal_from({}, draws), seed);
  for (std::int64_t step = 1; step <= limit.steps && (limit.stop == nullptr || !limit.stop()); ++step) {
    draws = draws_of(step);
    auto clues = best.puzzle;
    const auto cells = clues_of(clues);
    clues[static_cast<std::size_t>(cells[draws.below(static_cast<std::uint32_t>(cells.size()))])] = 0;
    const auto next = measured(minimal_from(clues, draws), seed);
    if (next.guesses >= best.guesses) best = next;
  }
  best.guesses = mean_guesses(best.puzzle, kClimbCopies, seed + 1);
  return best;
}

}  // namespace dis
