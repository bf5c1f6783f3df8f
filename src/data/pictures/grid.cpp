#include "dis/data/pictures/grid.h"

#include <utility>

#include "dis/core/error.h"

namespace dis {

std::string to_text(const Grid& grid) {
  std::string text;
  for (int row = 0; row < grid.rows; ++row) {
    if (row > 0) text += '/';
    for (int column = 0; column < grid.columns; ++column) text += static_cast<char>('0' + grid.at(row, column));
  }
  return text;
}

Grid grid_from_text(const std::string& text) {
  Grid grid;
  if (text.empty()) return grid;
  int column = 0;
  const auto end_row = [&] {
    if (grid.rows > 0 && column != grid.columns) {
      throw UserError("grid \"" + text + "\": row " + std::to_string(grid.rows) + " has " + std::to_string(column) +
                      " cells, row 0 has " + std::to_string(grid.columns));
    }
    grid.columns = std::exchange(column, 0);
    ++grid.rows;
  };
  for (const char c : text) {
    if (c == '/') {
      end_row();
    } else if (c >= '0' && c <= '9') {
      grid.cells.push_back(static_cast<std::uint8_t>(c - '0'));
      ++column;
    } else {
      throw UserError("grid \"" + text + "\": expected digits and '/', found '" + std::string(1, c) + "'");
    }
  }
  end_row();
  if (grid.columns == 0) throw UserError("grid \"" + text + "\": expected rows of digits, found an empty row");
  return grid;
}

namespace {

Grid turned(const Grid& grid, int tid) {
  const auto view = view_of(tid, grid.rows, grid.columns);
  Grid result{view.rows, view.columns, {}};
  result.cells.reserve(grid.cells.size());
  for (int row = 0; row < view.rows; ++row) {
    for (int column = 0; column < view.columns; ++column) {
      result.cells.push_back(
          grid.cells[static_cast<std::size_t>(view.base + row * view.row_step + column * view.column_step)]);
    }
  }
  return result;
}

void recolour(Grid& grid, const ColourMap& map) {
  for (auto& cell : grid.cells) cell = map[cell];
}

}  // namespace

Grid apply(const Augmentation& augmentation, const Grid& grid) {
  Grid result = turned(grid, augmentation.tid);
  recolour(result, augmentation.colours);
  return result;
}

Grid undo(const Augmentation& augmentation, const Grid& grid) {
  ColourMap back{};
  for (std::size_t colour = 0; colour < back.size(); ++colour) {
    back[augmentation.colours[colour]] = static_cast<std::uint8_t>(colour);
  }
  Grid result = turned(grid, inverse_symmetry(augmentation.tid));
  recolour(result, back);
  return result;
}

}  // namespace dis
