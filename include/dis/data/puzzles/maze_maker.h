// Mazes with exactly one path, as EqR's Maze-Unique has them (arXiv 2605.21488; published: 30 x 30, paths of 100 to 140
// steps).
//
// The field is wall. Of the largest odd square in its upper left corner the cells at odd rows and columns are opened,
// and joined to a tree: depth first from a drawn cell, to a drawn neighbour that has not been visited, opening the wall
// between. A length is drawn, then starts until one has a cell at that distance, of which one is drawn as the goal.
// Every draw is a function of (seed, split, number of the maze).
#pragma once

#include <cstdint>
#include <vector>

namespace dis {

struct MazeShape {
  std::int64_t side = 30;       ///< rows and columns, 5 to 100
  std::int64_t shortest = 100;  ///< steps from start to goal, at least
  std::int64_t longest = 140;   ///< and at most
};

/// Tokens [side side] of puzzle_family.h.
struct MadeMaze {
  std::vector<std::int32_t> question, answer;
  std::int64_t steps = 0;  ///< from start to goal
};

/// Maze `number` of a split. UserError: no maze of that size has such a path (none was found in many).
MadeMaze make_maze(const MazeShape& shape, std::uint64_t seed, std::uint64_t split, std::uint64_t number);

}  // namespace dis
