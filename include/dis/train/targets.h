// The idea of Deep Improvement Supervision: what each supervision step is taught (method, section 3).
//
// An example with N supervision steps has frames 0..N, each [L] tokens. Frame s is the target t_s of step s, frame N is
// the label; frame 0 is what the objective `dual` teaches the readout before step 1. A cell whose frame is kIgnore
// carries no loss at that step. docs/method.md says what each rule teaches; each has a file in src/train/targets.
//
// A cell without a label is kIgnore in every frame, but for `path` with path_cells = all, the authors' rule: there it
// differs from every input token, takes part, supervises the input's token until its turn comes and nothing afterwards.
//
// The draws of an example depend on (seed, position in the training stream) only.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dis/config/config.h"
#include "dis/core/random.h"
#include "dis/data/dataset.h"
#include "dis/train/loader.h"
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

/// What a rule may ask of the network, at a supervision step of B lanes.
struct NetworkView {
  at::Tensor inputs, labels;  ///< int32 [B, L]; labels may be kIgnore
  at::Tensor steps;           ///< int32 [B], s = 1..N
  /// float64 [B, L]: log-probability of each cell's label in the readout of the state before the step; of no meaning
  /// where there is no label.
  at::Tensor label_log_p;
};

/// A rule of method.targets. Frames are drawn ahead, on the host; or, where they depend on the network, made on the
/// device when the step comes (`asks_network`). src/train/targets holds a file for each, and their table.
class TargetGenerator {
 public:
  virtual ~TargetGenerator() = default;

  /// Writes the frames [N+1, L] of an example with draws of its own. Safe to call from several threads. Cells without
  /// a label may hold anything: the caller (TargetBuilder::frames) leaves them out.
  virtual void frames(Draws draws, const ExampleView& example, const TrainingStream& stream,
                      std::span<std::int32_t> out) const;
  /// Whether frames teach cells without a label, too; if not, the caller makes these kIgnore.
  virtual bool teaches_unlabelled_cells() const { return false; }
  /// An extra entry of the vocabulary, its last, that hidden cells are taught.
  virtual std::optional<std::int32_t> mask_token() const { return std::nullopt; }

  /// Whether frame() takes the place of frames().
  virtual bool asks_network() const { return false; }
  /// Frames int32 [B, L], one for each lane: that of step `s` [B], 0..N, as the network is now. Device work that is
  /// the same at every step, so that a CUDA graph can hold it.
  virtual at::Tensor frame(const NetworkView& network, const at::Tensor& s) const;
};

/// What the lanes of a training loop are taught.
struct TargetSource {
  FrameSource frames;                     ///< drawn ahead; empty if `live`
  const TargetGenerator* live = nullptr;  ///< set: makes the frame of a step when it comes
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
  std::optional<std::int32_t> mask_token() const { return generator_->mask_token(); }

  /// For the examples of the stream that belongs to `seed`. Refers to this object and the stream.
  TargetSource source(std::uint64_t seed, const TrainingStream& stream) const;
  const TargetGenerator& generator() const { return *generator_; }

  /// Writes the frames [N+1, L] of the example at `position` of the stream that belongs to `seed`. Safe to call from
  /// several threads. UserError: targets = programmatic and the label is no valid completion of the input.
  void frames(std::uint64_t seed, std::uint64_t position, const ExampleView& example, const TrainingStream& stream,
              std::span<std::int32_t> out) const;
  /// The frames [B, N+1, L] of a batch with the positions first..first+B-1.
  std::vector<std::int32_t> batch_frames(std::uint64_t seed, std::uint64_t first, const Batch& batch,
                                         const TrainingStream& stream) const;

 private:
  DataShape shape_;
  std::int64_t N_;
  std::unique_ptr<const TargetGenerator> generator_;
};

}  // namespace dis
