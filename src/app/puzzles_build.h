// dis data build --kind sudoku, maze: puzzles that need no network, as CSV files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "dis/data/puzzles/maze_maker.h"

namespace dis {

struct PuzzlesBuild {
  std::string kind;              ///< "sudoku" or "maze"
  std::filesystem::path folder;  ///< gets train.csv, test.csv and build.json
  std::int64_t train = 1000, tests = 1000;
  std::int64_t clues = 0;     ///< a Sudoku gets more clues than it needs, up to so many
  std::int64_t climb = 5000;  ///< steps of each Sudoku
  std::int64_t seed = 0;
  MazeShape maze = {};
  int threads = 1;
};

/// Makes the puzzles, test puzzles first; none is the same as another one under the family's symmetries. Files are the
/// same for any number of threads. What is done stands in <folder>/build.partial, from which the same command goes on
/// after an interruption (Stopped). UserError: a folder with other puzzles, or with those of a build by other settings.
void build_puzzles(const PuzzlesBuild& build);

}  // namespace dis
