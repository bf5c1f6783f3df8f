// ARC's grids, the eight symmetries of the square, and permutations of colours.
//
// Symmetry `tid`, as the reference numbers them (method: numpy's): 0 identity, 1, 2, 3 a quarter turn counter-clockwise
// once, twice, three times, 4 left-right mirror, 5 up-down mirror, 6 transpose, 7 left-right mirror of one quarter
// turn.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dis {

inline constexpr int kLargestGrid = 30;  ///< rows and columns
inline constexpr int kColours = 10;
inline constexpr int kGridSymmetries = 8;

/// Rows x columns of colours 0..9, row by row. A prediction may be the empty grid (0 x 0); a puzzle's grids never are.
struct Grid {
  int rows = 0;
  int columns = 0;
  std::vector<std::uint8_t> cells;

  std::uint8_t at(int row, int column) const {
    return cells[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column)];
  }
  auto operator<=>(const Grid&) const = default;
};

/// Rows of digits joined by '/', as "012/340"; the empty grid is the empty text.
std::string to_text(const Grid& grid);
/// The inverse of to_text. UserError for any other text.
Grid grid_from_text(const std::string& text);

/// Colour c becomes map[c].
using ColourMap = std::array<std::uint8_t, kColours>;
inline constexpr ColourMap kSameColours{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

/// What an augmentation does to a grid: the colours first, then the symmetry.
struct Augmentation {
  int tid = 0;
  ColourMap colours = kSameColours;

  bool operator==(const Augmentation&) const = default;
  bool is_identity() const { return *this == Augmentation{}; }
};

/// How a symmetry reads its source: cell (r, c) of the result is cell base + r * row_step + c * column_step of the grid
/// it is applied to, whose cells are numbered row by row.
struct SymmetryView {
  int rows = 0;
  int columns = 0;
  int base = 0;
  int row_step = 0;
  int column_step = 0;
};
SymmetryView view_of(int tid, int rows, int columns);

/// The symmetry that takes the result of `tid` back.
int inverse_grid_symmetry(int tid);

Grid apply(const Augmentation& augmentation, const Grid& grid);
/// undo(a, apply(a, g)) == g; the symmetry is taken back first, then the colours.
Grid undo(const Augmentation& augmentation, const Grid& grid);

}  // namespace dis
