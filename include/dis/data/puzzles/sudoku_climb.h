// Hard 9 x 9 Sudokus made from nothing, by climbing.
//
// A puzzle begins as a random minimal one: it has one solution, and no clue can go. A step removes a clue, completes
// what is left at random, adds clues of that solution until it is the only one, removes in random order what can go,
// and keeps the result if it takes as many guesses as before (sudoku_solver.h) or more. One clue is enough: of steps
// that remove two to five, one in 700 climbs from a mean of ten guesses on, for little is left of what made the puzzle
// hard. Every draw is a function of (seed, split, number of the puzzle, step): a puzzle depends on no other one.
#pragma once

#include <cstdint>

#include "dis/data/puzzles/sudoku_solver.h"

namespace dis {

struct ClimbedSudoku {
  SudokuGrid puzzle{}, solution{};
  double guesses = 0.0;  ///< mean_guesses() over kClimbCopies copies
};

inline constexpr int kClimbCopies = 8;

/// Clues of the solution added where they are drawn, until there are so many; the guesses are those of the result.
void add_clues(ClimbedSudoku& sudoku, int clues, std::uint64_t seed, std::uint64_t split, std::uint64_t number);

/// How far to climb: so many steps, or until `stop` says so.
struct ClimbLimit {
  std::int64_t steps = 0;
  bool (*stop)() = nullptr;
};

/// Puzzle `number` of a split (0, 1, ...).
ClimbedSudoku climb_sudoku(std::uint64_t seed, std::uint64_t split, std::uint64_t number, const ClimbLimit& limit);

}  // namespace dis
