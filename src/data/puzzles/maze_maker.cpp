#include "dis/data/puzzles/maze_maker.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "dis/core/error.h"
#include "dis/core/random.h"
#include "dis/data/arrays/puzzle_rules.h"

namespace dis {
namespace {

constexpr std::int32_t kWall = 1;
constexpr int kMazes = 200, kStarts = 200;  // tries for one length, as EqR's builder

/// A field with a tree of open cells.
class Maze {
 public:
  Maze(std::size_t side, Draws& draws) : side_(side), field_(side * side, kWall) { carve(draws); }

  const std::vector<std::int32_t>& field() const { return field_; }
  std::size_t side() const { return side_; }
  std::vector<std::size_t> open_cells() const {
    std::vector<std::size_t> cells;
    for (std::size_t cell = 0; cell < field_.size(); ++cell) {
      if (field_[cell] != kWall) cells.push_back(cell);
    }
    return cells;
  }

 private:
  void carve(Draws& draws) {
    const auto count = static_cast<std::uint32_t>((side_ - 1) / 2);
    const auto cell_of = [&](std::size_t row, std::size_t column) { return (2 * row + 1) * side_ + 2 * column + 1; };
    std::vector<std::array<std::size_t, 2>> path{{draws.below(count), draws.below(count)}};
    field_[cell_of(path.back()[0], path.back()[1])] = kMazeOpen;
    while (!path.empty()) {
      const auto [row, column] = path.back();
      std::array<std::array<std::size_t, 2>, 4> next{};
      std::uint32_t choices = 0;
      const auto offer = [&](bool inside, std::size_t r, std::size_t c) {
        if (inside && field_[cell_of(r, c)] == kWall) next[choices++] = {r, c};
      };
      offer(row + 1 < count, row + 1, column);
      offer(row > 0, row - 1, column);
      offer(column + 1 < count, row, column + 1);
      offer(column > 0, row, column - 1);
      if (choices == 0) {
        path.pop_back();
        continue;
      }
      const auto [r, c] = next[draws.below(choices)];
      field_[cell_of(r, c)] = kMazeOpen;
      field_[(cell_of(r, c) + cell_of(row, column)) / 2] = kMazeOpen;
      path.push_back({r, c});
    }
  }

  std::size_t side_;
  std::vector<std::int32_t> field_;
};

std::optional<MadeMaze> with_path(const Maze& maze, std::int64_t steps, Draws& draws) {
  const auto open = maze.open_cells();
  const auto drawn = [&](const std::vector<std::size_t>& cells) {
    return cells[draws.below(static_cast<std::uint32_t>(cells.size()))];
  };
  for (int attempt = 0; attempt < kStarts; ++attempt) {
    const auto start = drawn(open);
    const auto steps_to = maze_steps_from(maze.field(), start);
    std::vector<std::size_t> goals;
    std::ranges::copy_if(open, std::back_inserter(goals), [&](std::size_t cell) { return steps_to[cell] == steps; });
    if (goals.empty()) continue;
    const auto goal = drawn(goals);
    MadeMaze made{maze.field(), maze.field(), steps};
    for (auto* field : {&made.question, &made.answer}) {
      (*field)[start] = kMazeStart;
      (*field)[goal] = kMazeGoal;
    }
    // Back along the one way: the border is wall, so no neighbour lies outside.
    const auto before = [&](std::size_t cell) {
      for (const auto next : {cell + maze.side(), cell - maze.side(), cell + 1}) {
        if (steps_to[next] == steps_to[cell] - 1) return next;
      }
      return cell - 1;
    };
    for (auto cell = before(goal); cell != start; cell = before(cell)) made.answer[cell] = kMazePath;
    return made;
  }
  return std::nullopt;
}

}  // namespace

MadeMaze make_maze(const MazeShape& shape, std::uint64_t seed, std::uint64_t split, std::uint64_t number) {
  ensure(shape.side >= 5 && shape.side <= 100 && shape.shortest >= 1 && shape.longest >= shape.shortest, "make_maze",
         "a side from 5 to 100 and lengths in order");
  Draws draws(seed, Purpose::mazes, split, number);
  const auto steps = shape.shortest + draws.below(static_cast<std::uint32_t>(shape.longest - shape.shortest + 1));
  for (int attempt = 0; attempt < kMazes; ++attempt) {
    const Maze maze(static_cast<std::size_t>(shape.side), draws);
    if (auto made = with_path(maze, steps, draws)) return *made;
  }
  throw UserError("a maze of " + std::to_string(shape.side) + " x " + std::to_string(shape.side) +
                  " cells with a path of " + std::to_string(steps) + " steps was not found in " +
                  std::to_string(kMazes) + " mazes: ask for shorter paths, or for a larger maze");
}

}  // namespace dis
