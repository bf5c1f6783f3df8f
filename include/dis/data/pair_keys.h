// What an input and its answer are, whatever they are called: so that a test whose answer was trained is known under
// any name.
//
// A key stands for a pair and for all that its data's own augmentations make of it, for training shows these:
//   ARC             the eight symmetries, input and output alike, times the permutations of the colours 1 to 9. Black
//   (0)
//                   stays, as in training: a pair that equals another one only when black changes place with a colour
//                   was never shown.
//   boards          the eight symmetries where data.augment is on, else none
//   sudoku, maze    all that the family has, but none with data.copies = none (puzzles/puzzle_family.h)
//   folder, grids   none: rows are augmented already, or not. Rows of ARC's builders are read back to grids and count
//                   as ARC's.
// A key is 64 bits of a SHA-256: at 10^13 comparisons the odds of a mistake are below 10^-6.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "dis/data/boards/queens.h"
#include "dis/data/pictures/grid.h"

namespace dis {

using PairKey = std::uint64_t;

/// Of a pair without a known answer; equal to no other.
inline constexpr PairKey kNoPair = 0;

PairKey arc_pair_key(const Grid& input, const Grid& output);
PairKey board_pair_key(const Placement& givens, const Placement& solution, bool augmented);
/// Rows of tokens or of kIgnore.
PairKey row_pair_key(std::span<const std::int32_t> input, std::span<const std::int32_t> label);

/// The pairs of a split in their order, and what they are called, as "task 070dd51e, test 0".
struct PairList {
  std::vector<PairKey> keys;
  std::function<std::string(std::int64_t)> name;
};

/// Hashes (16 hexadecimal digits) of what a data set holds under a name, to the last cell and in its order.
struct ContentHash {
  std::string name;      ///< of a task; "boards", "examples" of data without tasks
  std::string shown;     ///< demonstrations; training boards or examples
  std::string asked;     ///< test pairs; test boards or examples
  bool trained = false;  ///< training shows what is asked, too
};

}  // namespace dis
