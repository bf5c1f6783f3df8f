#include "dis/data/arrays/puzzle_rules.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

namespace dis {
namespace {

std::optional<std::size_t> side_of(std::span<const std::int32_t> field) {
  const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(field.size()))));
  return side * side == field.size() && side > 0 ? std::optional(side) : std::nullopt;
}

/// The cells next to one that have this token or a later one: from kMazeStart on those of a path, from kMazeOpen on
/// those that one can go to.
std::vector<std::size_t> next_cells(std::span<const std::int32_t> field, std::size_t side, std::size_t cell,
                                    std::int32_t least) {
  std::vector<std::size_t> next;
  const auto look = [&](bool inside, std::size_t at) {
    if (inside && field[at] >= least) next.push_back(at);
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
    auto next = next_cells(answer, *side, here, kMazeStart);
    std::erase(next, before);
    if (answer[here] == kMazeGoal) return walked == on_path;
    if (next.size() != 1 || answer[next.front()] == kMazeStart) return false;
    before = here;
    here = next.front();
    walked += answer[here] == kMazePath ? 1 : 0;
    if (walked > on_path) return false;
  }
}

std::vector<std::int64_t> maze_steps_from(std::span<const std::int32_t> field, std::size_t start) {
  const auto side = side_of(field).value();
  std::vector<std::int64_t> steps(field.size(), -1);
  std::vector<std::size_t> reached{start};
  steps[start] = 0;
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const auto here = reached[i];
    for (const auto next : next_cells(field, side, here, kMazeOpen)) {
      if (steps[next] >= 0) continue;
      steps[next] = steps[here] + 1;
      reached.push_back(next);
    }
  }
  return steps;
}

std::int64_t shortest_maze_path(std::span<const std::int32_t> input) {
  if (!side_of(input) || std::ranges::count(input, kMazeStart) != 1 || std::ranges::count(input, kMazeGoal) != 1) {
    return -1;
  }
  const auto place_of = [&](MazeToken token) {
    return static_cast<std::size_t>(std::ranges::find(input, token) - input.begin());
  };
  return maze_steps_from(input, place_of(kMazeStart))[place_of(kMazeGoal)];
}

bool is_shortest_maze_path(std::span<const std::int32_t> input, std::span<const std::int32_t> answer) {
  return is_maze_path(input, answer) && std::ranges::count(answer, kMazePath) + 1 == shortest_maze_path(input);
}

}  // namespace dis
