// ARC's grids, their augmentations: symmetries of the square (symmetry.h) and permutations of colours.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dis/data/symmetry.h"

namespace dis {

inline constexpr int kLargestGrid = 30;  ///< rows and columns
inline constexpr int kColours = 10;

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

Grid apply(const Augmentation& augmentation, const Grid& grid);
/// undo(a, apply(a, g)) == g; the symmetry is taken back first, then the colours.
Grid undo(const Augmentation& augmentation, const Grid& grid);

}  // namespace dis
