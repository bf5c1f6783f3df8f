// What a set of N-Queens boards holds, and what it shares with the training boards.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "dis/data/boards/nqueens.h"

namespace dis {

/// Classes of boards by their number of completions: one, two or three, more.
inline constexpr int kCompletionClasses = 3;
int completion_class(int completions);
std::string completion_class_name(int index);

struct BoardCounts {
  std::int64_t boards = 0;
  std::int64_t distinct = 0;  ///< different pairs of input and label
  std::int64_t distinct_inputs = 0;
  std::int64_t solutions = 0;  ///< different labels
  std::int64_t orbits = 0;     ///< their symmetry orbits
  std::map<int, std::int64_t> by_givens;
  std::array<std::int64_t, kCompletionClasses> by_completions{};
};

/// Counts boards 0..count-1, without augmentation.
BoardCounts count_boards(std::int64_t count, const std::function<Board(std::int64_t)>& board);

/// Test boards that training has seen something of. The symmetries count where data.augment shows them to the model;
/// a solution's orbit is the same under every symmetry in any case.
struct Overlap {
  std::int64_t inputs = 0;  ///< test boards whose givens are those of a training example
  std::int64_t boards = 0;  ///< of these, with the same label
  std::int64_t orbits = 0;  ///< test boards whose label lies in the orbit of some training label
};

/// The leak check: compares all images with every training board, without what the generator knows.
Overlap overlap_with_training(const NQueensData& data, std::span<const Board> boards);

}  // namespace dis
