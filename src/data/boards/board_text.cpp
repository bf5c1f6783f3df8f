#include "dis/data/boards/board_text.h"

#include <algorithm>

#include "dis/core/error.h"
#include "dis/data/boards/queens.h"

namespace dis {
namespace {

constexpr int kGap = 3;  // columns between two drawings

/// A row of a board, 2 N - 1 columns (2 N with colour, whose ground has no gaps).
std::string row_text(const std::string& marks, int n, int row, const TextStyle& style) {
  std::string text;
  for (int column = 0; column < n; ++column) {
    const char mark = marks[static_cast<std::size_t>(row * n + column)];
    if (!style.colour) {
      if (column > 0) text += ' ';
      text += mark;
      continue;
    }
    const std::string queen = style.unicode ? "\u265b " : std::string{mark, ' '};
    const bool wrong = mark == 'x' || mark == '!' || mark == '?';
    const bool light = (row + column) % 2 == 0;
    text += wrong ? "\x1b[48;2;200;60;50m" : light ? "\x1b[48;2;238;228;208m" : "\x1b[48;2;196;172;140m";
    switch (mark) {
      case '.':
        text += "  ";
        break;
      case 'Q':
        text += "\x1b[1;38;2;30;30;30m" + queen;
        break;
      case 'q':
        text += "\x1b[1;38;2;20;90;200m" + queen;
        break;
      case 'x':
        text += "\x1b[1;38;2;255;255;255m" + queen;
        break;
      default:
        text += std::string("\x1b[1;38;2;255;255;255m") + mark + ' ';
    }
    text += "\x1b[0m";
  }
  return text;
}

std::string padded(const std::string& text, int columns) {
  return text + std::string(static_cast<std::size_t>(std::max(0, columns - static_cast<int>(text.size()))), ' ');
}

void append_line(std::string& text, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  text += line + "\n";
}

}  // namespace

std::string board_marks(const BoardView& view, int n) {
  const auto cells = static_cast<std::size_t>(n * n);
  std::string marks(cells, '.');
  const auto answer = [&](std::size_t cell) {
    return view.answer.empty() ? std::int32_t{view.input[cell]} : view.answer[cell];
  };
  std::vector<int> queens;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    const bool given = view.input[cell] == kQueenCell;
    if (answer(cell) == kQueenCell) {
      marks[cell] = given ? 'Q' : 'q';
      queens.push_back(static_cast<int>(cell));
    } else if (given) {
      marks[cell] = '!';
    } else if (answer(cell) != kEmptyCell) {
      marks[cell] = '?';
    }
  }
  for (const int a : queens) {
    for (const int b : queens) {
      const int down = b / n - a / n;
      const int across = b % n - a % n;
      const bool attack = a != b && (down == 0 || across == 0 || std::abs(down) == std::abs(across));
      if (attack && marks[static_cast<std::size_t>(a)] == 'q') marks[static_cast<std::size_t>(a)] = 'x';
    }
  }
  return marks;
}

std::string side_by_side(std::span<const TextBlock> blocks, int columns) {
  int width = 1;
  for (const TextBlock& block : blocks) {
    ensure(block.lines.size() == blocks.front().lines.size(), "side_by_side", "blocks with as many lines each");
    width = std::max({width, block.width, static_cast<int>(block.title.size())});
  }
  const auto per_line = static_cast<std::size_t>(std::max(1, (columns + kGap) / (width + kGap)));
  std::string text;
  for (std::size_t first = 0; first < blocks.size(); first += per_line) {
    const auto shown = blocks.subspan(first, std::min(per_line, blocks.size() - first));
    if (first > 0) text += "\n";
    const auto line_of = [&](auto piece) {
      std::string line;
      for (const TextBlock& block : shown) line += (line.empty() ? "" : std::string(kGap, ' ')) + piece(block);
      append_line(text, std::move(line));
    };
    const bool titled = std::ranges::any_of(shown, [](const TextBlock& block) { return !block.title.empty(); });
    if (titled) line_of([&](const TextBlock& block) { return padded(block.title, width); });
    for (std::size_t row = 0; row < blocks.front().lines.size(); ++row) {
      line_of([&](const TextBlock& block) { return block.lines[row] + padded("", width - block.width); });
    }
  }
  return text;
}

std::string board_text(std::span<const BoardView> views, const TextStyle& style) {
  if (views.empty()) return "";
  const auto size = board_size_of(views.front().input.size());
  ensure(size.has_value(), "board_text", "a board of N x N cells");
  const int n = *size;
  std::vector<TextBlock> blocks;
  for (const BoardView& view : views) {
    ensure(view.input.size() == views.front().input.size() &&
               (view.answer.empty() || view.answer.size() == view.input.size()),
           "board_text", "inputs and answers of one size");
    TextBlock block{view.title, {}, style.colour ? 2 * n : 2 * n - 1};
    const auto marks = board_marks(view, n);
    for (int row = 0; row < n; ++row) block.lines.push_back(row_text(marks, n, row, style));
    blocks.push_back(std::move(block));
  }
  return side_by_side(blocks, style.width);
}

}  // namespace dis
