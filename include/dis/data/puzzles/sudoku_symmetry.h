// The symmetries of a Sudoku of n x n cells, n = box^2, with box = 2 or 3: its sides exchanged, its bands and the rows
// within each band reordered, the same for stacks and columns, and its digits renamed. There are
// 2 n! (box!)^(2 box + 2) of them, 1.2e12 for 9 x 9. Each has a number; that of the identity is 0.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dis/core/random.h"

namespace dis {

/// Done in this order: the field transposed, its rows and columns chosen, its digits renamed, as the official builder
/// of Sudoku-Extreme does.
struct SudokuSymmetry {
  bool transposed = false;
  std::array<std::uint8_t, 9> rows{};     ///< [n] row i of the result is row rows[i] of the (transposed) field
  std::array<std::uint8_t, 9> columns{};  ///< [n] the same of columns
  std::array<std::uint8_t, 9> digits{};   ///< [n] digit d + 1 becomes digits[d] + 1

  bool operator==(const SudokuSymmetry&) const = default;
};

/// How many there are.
std::uint64_t sudoku_symmetries(int box);
/// That of a number, 0..sudoku_symmetries(box)-1.
SudokuSymmetry sudoku_symmetry(int box, std::uint64_t number);
/// Its inverse: the number of a symmetry.
std::uint64_t number_of(int box, const SudokuSymmetry& symmetry);
/// The number of one, each equally likely.
std::uint64_t draw_sudoku_symmetry(int box, Draws& draws);

/// `to` [n n] is `from` [n n] under the symmetry. Tokens: d + 1 for the digit d; others are moved and stay.
void apply(int box, const SudokuSymmetry& symmetry, std::span<const std::int32_t> from, std::span<std::int32_t> to);

}  // namespace dis
