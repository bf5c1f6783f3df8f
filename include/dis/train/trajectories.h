// Targets made elsewhere (by a solver, a language model): the file behind `method.targets = trajectory`.
//
// The file is JSON:
//
//   {"trajectories": [{"task": "17", "pair": 0, "frames": [board, board, ...]}, ...]}
//
// `task` is the number of the training item, from 0, before augmentation; `pair` is 0, as an item has one example; a
// board is a string with one digit per cell, row by row, or a square list of rows of integers. Other keys are ignored.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "dis/data/dataset.h"

namespace dis {

class Trajectories {
 public:
  /// Writes input [L] and label [L] of training item `item`, as they are before augmentation.
  using ReadItem = std::function<void(std::int64_t item, std::span<std::int32_t> input, std::span<std::int32_t> label)>;

  /// Reads the trajectories of items 0..items-1 and checks them. Values outside of the tokens 1..V-1 (the pad is never
  /// an answer) take the token of the frame before, in the first frame that of the input. Cells without a label are
  /// not looked at.
  /// UserError, which names the file, task, pair and frame: the file cannot be read or has another form; an item has no
  /// trajectory, or two; the last frame is not the label; a frame is farther from the label (in cells that differ, the
  /// Hamming distance) than the frame before it. The input is not a frame.
  Trajectories(const std::filesystem::path& file, const DataShape& shape, std::int64_t items,
               const ReadItem& read_item);

  /// Tokens [L] of the frame that step s of N supervises, s = 1..N: number ceil(s M / N) of the item's M frames,
  /// counted from 1; so step N has the last one, and frames are skipped if M > N.
  std::span<const std::int32_t> at_step(std::int64_t item, std::int64_t s, std::int64_t N) const;

 private:
  std::int64_t length_;
  std::vector<std::vector<std::int32_t>> frames_;  // [items] [M, L]
};

}  // namespace dis
