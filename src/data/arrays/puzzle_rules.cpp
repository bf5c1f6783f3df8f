#include "dis/data/arrays/puzzle_rules.h"

#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

namespace dis {
namespace {

enum MazeToken : std::int32_t { kMazeOpen = 2, kMazeStart = 3, kMazeGoal = 4, kMazePath = 5 };

std::optional<std::size_t> side_of(std::span<const std::int32_t> field) {
  const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(field.size()))));
  return side * side == field.size() && side > 0 ? std::optional(side) : std::nullopt;
}

/// Path, start and goal cells next to a cell.
std::vector<std::size_t> next_on_path(std::span<const std::int32_t> field, std::size_t side, std::size_t cell) {
  std::vector<std::size_t> next;
  const auto look = [&](bool inside, std::size_t at) {
    if (inside && field[at] >= kMazeStart) next.push_back(at);
  };
  look(cell >= side, cell - side);
  look(cell + side < field.size(), cell + side);
  look(cell % side > 0, cell - 1);
  look(cell % side + 1 < side, cell + 1);
  return next;
}

}  // namespace

bool is_sudoku_solution(std::span<const std::int32_t> input, std::span<const std::int32_t> answer) {
  const auto side = side_of(answer), box = side ? side_of(answer.first(*side)) : std::nullopt;
  if (!box || input.size() != answer.size()) return false;
  const auto n = *side, b = *box;
  std::vector<bool> rows(n * n), columns(n * n), boxes(n * n);
  for (std::size_t cell = 0; cell < answer.size(); ++cell) {
    const auto token = answer[cell];
    if (token < 2 || static_cast<std::size_t>(token) > n + 1) return false;
    if (input[cell] >= 2 && input[cell] != token) return false;
    const auto digit = static_cast<std::size_t>(token - 2), row = cell / n, column = cell % n;
    const auto in_box = (row / b * b + column / b) * n + digit;
    if (rows[row * n + digit] || columns[column * n + digit] || boxes[in_box]) return false;
    rows[row * n + digit] = columns[column * n + digit] = boxes[in_box] = true;
  }
  return true;
}

bool is_maze_path(std::span<const std::int32_t> input, std::span<const std::int32_t> answer) {
  const auto side = side_of(answer);
  if (!side || input.size() != answer.size()) return false;
  std::size_t start = answer.size(), on_path = 0;
  for (std::size_t cell = 0; cell < answer.size(); ++cell) {
    const bool path = answer[cell] == kMazePath;
    if (path ? input[cell] != kMazeOpen : answer[cell] != input[cell]) return false;
    on_path += path ? 1 : 0;
    if (input[cell] == kMazeStart) start = cell;
  }
  if (start == answer.size()) return false;
  // From the start each cell has one way on, until the goal; then no path cell may be left.
  std::size_t before = start, here = start, walked = 0;
  for (;;) {
    auto next = next_on_path(answer, *side, here);
    std::erase(next, before);
    if (answer[here] == kMazeGoal) return next.empty() && walked == on_path;
    if (next.size() != 1 || answer[next.front()] == kMazeStart) return false;
    before = here;
    here = next.front();
    walked += answer[here] == kMazePath ? 1 : 0;
    if (walked > on_path) return false;
  }
}

}  // namespace dis
