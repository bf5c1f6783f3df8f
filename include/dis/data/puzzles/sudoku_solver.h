// A solver of 9 x 9 Sudokus by a fixed rule, so that the guesses which it makes are a measure of difficulty.
//
// Before each guess all is concluded, until nothing follows any more, from
//   singles  a cell with one digit left, a digit with one cell left in a row, column or box
//   bands    in three rows (or columns) through three boxes a digit has six ways to stand once in each row and box; a
//            place that none of its ways has left is none for it
//   triads   three cells of a row (or column) in a box have three digits: when three must be there, or only three can,
//            they are these
// Then, in the band whose digits have the fewest ways in all, a digit with the fewest, at least two, takes one after
// the other. Each but the last is a guess. This is the strength, and about the count, of the solver tdoku, whose
// guesses Sudoku-Extreme's ratings are (data/README.md says how near). The number depends on which symmetric copy of a
// puzzle is solved: see mean_guesses().
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "dis/core/random.h"

namespace dis {

/// Digits 1..9 row by row; 0: empty.
using SudokuGrid = std::array<std::uint8_t, 81>;

struct SudokuSearch {
  int solutions = 0;  ///< found, at most as many as asked for
  std::int64_t guesses = 0;
  SudokuGrid first{}, last{};  ///< of those found
};

/// Looks for up to `most` solutions.
SudokuSearch solve_sudoku(const SudokuGrid& grid, int most);

/// A solution, with the digits of each guess tried in a drawn order; none if there is none.
std::optional<SudokuGrid> random_solution(const SudokuGrid& grid, Draws& draws);

/// A solution of `grid` with another digit than `digit` in `cell`, whatever the grid has there; none if there is none.
std::optional<SudokuGrid> other_solution(SudokuGrid grid, int cell, int digit);

/// Guesses up to the (only) solution: the geometric mean of 1 + guesses over `copies` symmetric copies, less 1. The
/// copies are those of (seed, 0..copies-1), the same for every puzzle.
double mean_guesses(const SudokuGrid& puzzle, int copies, std::uint64_t seed);

}  // namespace dis
