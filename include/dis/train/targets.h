// The idea of Deep Improvement Supervision: what each supervision step is taught (method, section 3).
//
// An example with N supervision steps has frames 0..N, each [L] tokens. Frame s is the target t_s of step s, frame N is
// the label; frame 0 is what the objective `dual` teaches the readout before step 1. A cell whose frame is kIgnore
// carries no loss at that step. For a cell with a label:
//
//   path          the input's token until the cell's turn comes, then the label: one random order of the d differing
//                 cells, frame s shows the label at floor(s d / N) of them
//   mask          hidden at step s iff u < beta_s, with one u per cell: masks are nested, frame 0 hides every cell and
//                 frame N none; a hidden cell is kIgnore or the mask token (method.masked_cells)
//   replace       the same, a hidden cell being one token drawn once per cell, uniform over 1..V-1 (never the pad, and
//                 the label like any other)
//   programmatic  boards: the input with floor(s m / N) of the label's m missing queens, so that no frame has queens
//                 that attack one another
//   trajectory    frames read from a file (trajectories.h), with the example's augmentation; frame 0 is the input. An
//                 example without any has the targets of `label`
//   label         the label in frames 1..N; frame 0 is the input
//
// A cell without a label is kIgnore in every frame, but for `path` with path_cells = all, the authors' rule: there it
// differs from every input token, takes part, supervises the input's token until its turn comes and nothing afterwards.
//
// The draws of an example depend on (seed, position in the training stream) only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dis/config/config.h"
#include "dis/core/random.h"
#include "dis/data/dataset.h"
#include "dis/train/trajectories.h"

namespace dis {

/// Rate beta_s at which `mask` and `replace` hide cells at step s of N, s = 0..N: 1 - s/N (linear) or cos(pi s / 2N)
/// (cosine). beta_0 is 1 and beta_N is 0 exactly.
double corruption_rate(Schedule schedule, std::int64_t s, std::int64_t N);

/// The rule of `path`: frames [N+1, L] from input [L] to label [L]. Differing cells have their turn in ascending order
/// of `keys` [L], ties by cell.
void path_frames(std::span<const std::int32_t> input, std::span<const std::int32_t> label, std::span<const double> keys,
                 std::int64_t N, PathCells cells, std::span<std::int32_t> frames);

/// One example of the training stream, as it was drawn.
struct ExampleView {
  std::span<const std::int32_t> input;  ///< [L] tokens
  std::span<const std::int32_t> label;  ///< [L] tokens, or kIgnore
  Origin origin;
};

class TargetBuilder {
 public:
  /// `trajectories`: needed by targets = trajectory, otherwise unused.
  /// UserError: targets = programmatic with data that are not N-Queens boards.
  TargetBuilder(const MethodConfig& method, const DataShape& shape,
                std::shared_ptr<const Trajectories> trajectories = nullptr);

  /// Size of the model's vocabulary: that of the data, and one more entry where there is a mask token.
  std::int64_t vocabulary() const;
  /// The token of hidden cells, the last of the vocabulary (targets = mask, masked_cells = token): it is a target but
  /// never an answer, so no argmax may choose it.
  std::optional<std::int32_t> mask_token() const;

  /// Writes the frames [N+1, L] of the example at `position` of the stream that belongs to `seed`. Safe to call from
  /// several threads. UserError: targets = programmatic and the label is no valid completion of the input.
  void frames(std::uint64_t seed, std::uint64_t position, const ExampleView& example, const TrainingStream& stream,
              std::span<std::int32_t> out) const;
  /// The frames [B, N+1, L] of a batch with the positions first..first+B-1.
  std::vector<std::int32_t> batch_frames(std::uint64_t seed, std::uint64_t first, const Batch& batch,
                                         const TrainingStream& stream) const;

 private:
  void corrupted(Draws draws, const ExampleView& example, std::span<std::int32_t> out) const;
  void programmatic(Draws draws, const ExampleView& example, std::span<std::int32_t> out) const;
  void from_file(const ExampleView& example, const TrainingStream& stream, std::span<std::int32_t> out) const;

  MethodConfig method_;
  DataShape shape_;
  std::shared_ptr<const Trajectories> trajectories_;
};

}  // namespace dis
