// Random draws as functions of (seed, purpose, step, index): no generator is carried around.
//
// The numbers are Philox's (philox.h). The same four numbers give
// the same draws on any machine, with any number of threads or ranks, whether or not the run was interrupted.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace dis {

/// What a draw is for; part of the key, so that two purposes never share a stream. Values are part of the
/// reproducibility contract: append, never renumber.
enum class Purpose : std::uint32_t {
  weights = 1,          // step = index of the tensor in the table of names
  train_boards = 2,     // generator of training boards; step 0, index = board
  test_boards = 3,      // the same for test boards
  orbit_split = 4,      // which orbits are held out
  order = 5,            // step = epoch, order of the training examples
  augment = 6,          // index = position in the training stream
  targets = 7,          // index = position in the training stream
  bench = 8,            // made-up batches of `dis bench`
  test = 9,             // test suites
  puzzle = 10,          // step = epoch, index = group: its puzzle and the order of the puzzle's examples
  translate = 11,       // where a grid lies in its field
  votes = 13,           // which votes a smaller evaluation would have had
  exploration = 14,     // step = tick, index = lane: for how long it may not halt
  solution_split = 15,  // which inputs of the split `solutions` are kept for tests, and their order
  start = 16,           // states before the first step (ops/state_draws.h)
  noise = 17,           // noise in the states (ops/state_draws.h)
  commit = 18,          // step = rollout, index = board: which queen comes next
  test_order = 19,      // the order of test puzzles
  climb = 20,           // step = 2 step + split, index = puzzle: how a Sudoku is made harder
  climb_copies = 21,    // index = copy: the symmetric copies whose guesses are counted
  mazes = 22,           // step = split, index = maze
  more_clues = 23,      // step = split, index = puzzle: clues of a Sudoku that it does not need
  puzzle_row = 24,      // which puzzle is asked with the row of which other one
};

/// One Philox 4x32-10 block.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// The key of a seed and a purpose.
std::array<std::uint32_t, 2> draw_key(std::uint64_t seed, Purpose purpose);

/// The endless sequence of numbers that belongs to (seed, purpose, step, index); `step` and `index` below 2^48.
class Draws {
 public:
  Draws(std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint64_t index);

  std::uint32_t next();                  ///< uniform over all 32-bit values
  std::uint32_t below(std::uint32_t n);  ///< uniform over 0..n-1, without bias; n >= 1
  double uniform();                      ///< uniform over [0, 1), 53 bits
  double normal();                       ///< standard normal

  /// Fisher-Yates, from the last element down.
  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(static_cast<std::uint32_t>(i))]);
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

/// The place of element `index` in the pseudo-random order of 0..n-1 that belongs to (seed, purpose, step): a
/// bijection evaluated at one point (a Feistel network with cycle walking), so no order has to be stored. n < 2^62.
std::uint64_t permuted_index(std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint64_t n,
                             std::uint64_t index);

}  // namespace dis
