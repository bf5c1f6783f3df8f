// A scene of grids as text for a terminal.
#include <algorithm>

#include "grid_layout.h"

namespace dis {
namespace {

constexpr int kTextGap = 3;  // columns between two panels

enum class CellSize { small, large };

std::string escape(const char* what, Rgb colour) {
  return std::string("\x1b[") + what + ";2;" + std::to_string(colour.red) + ";" + std::to_string(colour.green) + ";" +
         std::to_string(colour.blue) + "m";
}
std::string ground_code(Rgb colour) { return escape("48", colour); }
std::string ink_code(Rgb colour) { return escape("38", colour); }
constexpr const char* kReset = "\x1b[0m";

/// A line of a panel and the columns that it takes.
struct Line {
  std::string text;
  int columns;
};
using Block = std::vector<Line>;

Line plain_row(const Grid& grid, int row, CellSize size) {
  std::string text;
  for (int column = 0; column < grid.columns; ++column) {
    if (size == CellSize::large && column > 0) text += ' ';
    text += static_cast<char>('0' + grid.at(row, column));
  }
  return {text, static_cast<int>(text.size())};
}

/// Whether the cell differs from the one on its left: only then is its colour named.
bool changes(const Grid& grid, int row, int column) {
  return column == 0 || grid.at(row, column) != grid.at(row, column - 1);
}

/// `columns` spaces a cell.
Line ground_row(const Grid& grid, int row, int columns) {
  std::string text;
  for (int column = 0; column < grid.columns; ++column) {
    if (changes(grid, row, column)) text += ground_code(kGridColours[grid.at(row, column)]);
    text.append(static_cast<std::size_t>(columns), ' ');
  }
  return {text + kReset, columns * grid.columns};
}

/// Two rows in one line of upper half blocks: the ink is the upper row, the ground the lower one.
Line small_rows(const Grid& grid, int row) {
  std::string text;
  for (int column = 0; column < grid.columns; ++column) {
    if (changes(grid, row, column)) text += ink_code(kGridColours[grid.at(row, column)]);
    if (row + 1 < grid.rows && changes(grid, row + 1, column)) {
      text += ground_code(kGridColours[grid.at(row + 1, column)]);
    }
    text += "\u2580";
  }
  return {text + kReset, grid.columns};
}

Line text_line(const std::string& text) { return {text, length_of(text)}; }

Line caption_line(const GridPanel& panel, bool colour) {
  Line line = text_line(caption_of(panel));
  if (colour && panel.mark != GridMark::none) {
    line.text = ink_code(panel.mark == GridMark::right ? kGridColours[3] : kGridColours[2]) + line.text + kReset;
  }
  return line;
}

/// Title (an empty line where `titled` and there is none), grid, caption.
Block block_of(const GridPanel& panel, bool titled, const TextStyle& style, CellSize size) {
  Block block;
  if (titled) block.push_back(text_line(clean_text(panel.title)));
  if (const std::string text = placeholder_of(panel); !text.empty()) {
    block.push_back(text_line(panel.grid ? "(" + text + ")" : text));
  } else {
    const bool halves = style.colour && style.unicode && size == CellSize::small;
    const int step = halves ? 2 : 1;
    for (int row = 0; row < panel.grid->rows; row += step) {
      block.push_back(!style.colour ? plain_row(*panel.grid, row, size)
                      : halves      ? small_rows(*panel.grid, row)
                                    : ground_row(*panel.grid, row, size == CellSize::large ? 2 : 1));
    }
  }
  if (const Line caption = caption_line(panel, style.colour); !caption.text.empty()) block.push_back(caption);
  return block;
}

int columns_of(const Block& block) {
  int columns = 0;
  for (const Line& line : block) columns = std::max(columns, line.columns);
  return columns;
}

int columns_of(std::span<const Block> blocks) {
  int columns = -kTextGap;
  for (const Block& block : blocks) columns += kTextGap + columns_of(block);
  return columns;
}

std::string side_by_side(std::span<const Block> blocks) {
  std::size_t lines = 0;
  for (const Block& block : blocks) lines = std::max(lines, block.size());
  std::string text;
  for (std::size_t i = 0; i < lines; ++i) {
    std::string line;
    int missing = 0;  // spaces before what follows, if anything does
    for (const Block& block : blocks) {
      const int columns = columns_of(block);
      if (i < block.size() && !block[i].text.empty()) {
        line += std::string(static_cast<std::size_t>(missing), ' ') + block[i].text;
        missing = columns - block[i].columns + kTextGap;
      } else {
        missing += columns + kTextGap;
      }
    }
    text += line + "\n";
  }
  return text;
}

std::string row_text(const GridRow& row, const TextStyle& style) {
  const bool titled =
      std::any_of(row.panels.begin(), row.panels.end(), [](const auto& panel) { return !panel.title.empty(); });
  const auto blocks_of = [&](CellSize size) {
    std::vector<Block> blocks;
    for (const GridPanel& panel : row.panels) blocks.push_back(block_of(panel, titled, style, size));
    return blocks;
  };
  std::vector<Block> blocks = blocks_of(CellSize::large);
  if (columns_of(blocks) > style.width) blocks = blocks_of(CellSize::small);

  std::string text;
  for (std::size_t first = 0; first < blocks.size();) {
    std::size_t count = 1;
    while (first + count < blocks.size() && columns_of(std::span(blocks).subspan(first, count + 1)) <= style.width) {
      ++count;
    }
    text += (first > 0 ? "\n" : "") + side_by_side(std::span(blocks).subspan(first, count));
    first += count;
  }
  return text;
}

}  // namespace

std::string grid_text(const GridScene& scene, const TextStyle& style) {
  const auto heading = [&](const std::string& title) {
    if (title.empty()) return std::string();
    return (style.colour ? "\x1b[1m" + clean_text(title) + kReset : clean_text(title)) + "\n";
  };
  std::string text = heading(scene.title);
  for (const GridRow& row : scene.rows) text += (text.empty() ? "" : "\n") + heading(row.title) + row_text(row, style);
  return text;
}

}  // namespace dis
