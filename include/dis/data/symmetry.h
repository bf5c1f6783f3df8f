// The eight symmetries of the square, of boards and of ARC's grids (which they make R x C or C x R).
//
// As the reference numbers them (numpy's): 0 identity, 1, 2, 3 a quarter turn counter-clockwise once, twice, three
// times, 4 left-right mirror, 5 up-down mirror, 6 transpose, 7 left-right mirror of one quarter turn.
#pragma once

namespace dis {

inline constexpr int kSymmetries = 8;

/// How a symmetry reads its source: cell (r, c) of the result is cell base + r * row_step + c * column_step of what it
/// is applied to, whose cells are numbered row by row.
struct SymmetryView {
  int rows = 0;
  int columns = 0;
  int base = 0;
  int row_step = 0;
  int column_step = 0;
};
/// Of a source of R x C cells.
SymmetryView view_of(int symmetry, int rows, int columns);

/// The one that takes its result back.
int inverse_symmetry(int symmetry);

}  // namespace dis
