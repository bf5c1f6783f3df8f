#include "dis/data/symmetry.h"

#include <stdexcept>

namespace dis {

SymmetryView view_of(int symmetry, int rows, int columns) {
  const int R = rows, C = columns;
  switch (symmetry) {
    case 0:
      return {R, C, 0, C, 1};
    case 1:
      return {C, R, C - 1, -1, C};
    case 2:
      return {R, C, R * C - 1, -C, -1};
    case 3:
      return {C, R, (R - 1) * C, 1, -C};
    case 4:
      return {R, C, C - 1, C, -1};
    case 5:
      return {R, C, (R - 1) * C, -C, 1};
    case 6:
      return {C, R, 0, 1, C};
    case 7:
      return {C, R, R * C - 1, -1, -C};
    default:
      throw std::logic_error("[view_of] expected a symmetry 0..7");
  }
}

int inverse_symmetry(int symmetry) {
  if (symmetry == 1) return 3;
  if (symmetry == 3) return 1;
  return symmetry;
}

}  // namespace dis
