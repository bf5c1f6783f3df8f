// Targets made elsewhere (by a solver, a language model): the file behind `method.targets = trajectory`.
//
// The file is JSON:
//
//   {"trajectories": [{"task": "17", "pair": 0, "frames": [frame, frame, ...]}, ...]}
//
//           boards                                     ARC
//   task    the number of the training board, from 0   the id of the task, "25ff71a9"
//   pair    0                                          the index, from 0, among all pairs of the task, "train" and
//                                                      "test" in the order of its JSON
//   frame   N x N tokens                               a grid of colours, from 1 x 1 to the side of the field
//
// Task and pair mean the example before augmentation. A frame is a list of rows of integers or a text of digits: a
// board's cells row by row ("1211..."), a grid's rows joined by '/' ("012/340"). Other keys are ignored.
//
// A grid becomes the tokens of a field (arc_puzzles.h): at the origin, with end markers, pads elsewhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dis/config/config.h"
#include "dis/data/dataset.h"

namespace dis {

/// What the reader has to know about the training examples of a data set (trajectory_items.h).
struct TrajectoryItems {
  /// Writes input [L] and label [L] of an item, as they are before augmentation; a field of ARC lies at the origin.
  using ReadItem = std::function<void(std::int64_t item, std::span<std::int32_t> input, std::span<std::int32_t> label)>;

  DataShape shape;
  std::int64_t count = 0;  ///< items are numbered from 0, as in Origin::item
  bool grids = false;      ///< frames are grids, not boards; L is a square
  /// The item that an entry of the file is about; none: no training example.
  std::function<std::optional<std::int64_t>(const std::string& task, std::int64_t pair)> find;
  /// How messages call an item: `task "17", pair 0`.
  std::function<std::string(std::int64_t item)> name;
  ReadItem read;
};

class Trajectories {
 public:
  /// Reads and checks the trajectories; `items` is not kept. What is no token of a board (outside of 1..V-1: the pad is
  /// never an answer) becomes the token of the frame before; what is no colour 0..9 of a grid becomes the colour of the
  /// frame before where that has one, else 0. Before the first frame stands the input, which is no frame itself. Cells
  /// without a label are not looked at.
  /// UserError, which names the file, task, pair and frame: the file cannot be read or has another form; an entry is
  /// about no training example; an item has two trajectories, or none if that is to be refused; a grid does not fit;
  /// the last frame is not the label; a frame is farther from the label (in labelled cells that differ, the Hamming
  /// distance) than the frame before it.
  Trajectories(const std::filesystem::path& file, const TrajectoryItems& items, TrajectoryMissing missing);

  /// Tokens [L] of the frame that step s of N supervises, s = 1..N: number ceil(s M / N) of the item's M frames,
  /// counted from 1; so step N has the last one, and frames are skipped if M > N. Empty: the item has no trajectory.
  std::span<const std::int32_t> at_step(std::int64_t item, std::int64_t s, std::int64_t N) const;

  /// Items without a trajectory.
  std::int64_t missing_count() const;

 private:
  std::int64_t length_;
  std::vector<std::vector<std::int32_t>> frames_;  // [items] [M, L]
};

}  // namespace dis
