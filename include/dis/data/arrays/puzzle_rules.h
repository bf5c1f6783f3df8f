// What an answer must obey, whatever the label: rules of puzzles that rows of tokens do not tell by themselves. Fields
// are square, row by row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dis {

/// Sudoku n x n, n = b^2, with tokens as in the official data: 1 for an empty cell, 2..n+1 for the digits. Every row,
/// column and box of `answer` has every digit, and the digits of `input` are kept. False for any other size of field.
bool is_sudoku_solution(std::span<const std::int32_t> input, std::span<const std::int32_t> answer);

/// Tokens of Maze-Hard beside the wall, 1.
enum MazeToken : std::int32_t { kMazeOpen = 2, kMazeStart = 3, kMazeGoal = 4, kMazePath = 5 };

/// A maze with the tokens of Maze-Hard: 1 wall, 2 open, 3 start, 4 goal, 5 path. `answer` is `input` with some open
/// cells turned into path, which lead in one line, without a branch or a loop, from the start to the goal.
bool is_maze_path(std::span<const std::int32_t> input, std::span<const std::int32_t> answer);

/// [cells] steps of a shortest way from `start` over cells that are no wall; -1: there is none. Of a square field.
std::vector<std::int64_t> maze_steps_from(std::span<const std::int32_t> field, std::size_t start);

/// Steps of a shortest way from the start to the goal of a maze; -1: there is none, or not one start and one goal.
std::int64_t shortest_maze_path(std::span<const std::int32_t> input);

/// is_maze_path, and none is shorter.
bool is_shortest_maze_path(std::span<const std::int32_t> input, std::span<const std::int32_t> answer);

}  // namespace dis
