// The DIS training loop over supervision steps (method sections 2 and 3), without files, logs or progress.
//
// Time is counted in ticks: one tick = one supervision step of every lane. Lane i stands at supervision step
// s = (tick + phase_i) mod N + 1; in `lockstep` every phase is 0, in `staggered` phase_i = floor(i N / B), so that at
// every tick a share of the lanes takes new samples. Which sample: number k = (tick + phase_i) div N of lane i is
// example k B + i of the training stream. All of it is a function of the tick, so a run can stop and go on between any
// two.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "dis/config/config.h"
#include "dis/data/dataset.h"
#include "dis/model/backbone.h"
#include "dis/train/loader.h"
#include "dis/train/optimiser.h"

namespace dis {

/// What N ticks measured, per lane: row t holds tick t.
struct TickRecords {
  std::int64_t lanes = 0;
  std::vector<std::int32_t> step;     ///< [ticks, B] supervision step s
  std::vector<double> loss;           ///< [ticks, B] CE(post, t_s), plus CE(pre, t_{s-1}) under `dual`; not weighted
  std::vector<std::int32_t> correct;  ///< [ticks, B] cells whose argmax is the label
  std::vector<std::int32_t> cells;    ///< [ticks, B] labelled cells
};

class SupervisionLoop {
 public:
  /// The references must outlive the loop.
  SupervisionLoop(const MethodConfig& method, const TrainConfig& train, std::uint64_t seed,
                  const TrainingStream& stream, FrameSource frames, Backbone& model, Optimiser& optimiser);

  /// N ticks from `tick`: in lockstep a whole batch. Returns their records (the only synchronisation).
  TickRecords run(std::int64_t ticks);

  std::int64_t tick() const { return tick_; }

  /// What a checkpoint between batches must hold beside the weights: nothing in lockstep; y, z and the input tokens
  /// of all lanes when staggered.
  std::vector<std::pair<std::string, at::Tensor>> state() const;
  /// Goes on at `tick` with the tensors of `state()`, found by name. UserError: one is missing or has another shape.
  void restore(std::int64_t tick, const std::vector<std::pair<std::string, at::Tensor>>& state);

 private:
  /// What one worker made of its lanes in one supervision step.
  struct Piece {
    at::Tensor loss, predictions, row_gradient;
    States after;
  };

  void refill();
  void place(const LaneLoad& load);
  void supervise();
  /// Forward and backward of some lanes; gradients go to the worker's leaves. `target_before` may be undefined.
  Piece supervise_piece(std::size_t worker, const at::Tensor& tokens, const at::Tensor& ids, const at::Tensor& steps,
                        const States& before, const at::Tensor& target, const at::Tensor& target_before,
                        const at::Tensor& scale) const;

  MethodConfig method_;
  std::int64_t lanes_, micro_batch_;
  LaneClock clock_;
  Loader loader_;
  Backbone& model_;
  Optimiser& optimiser_;

  std::int64_t tick_ = 0;
  bool filled_ = false;
  at::Tensor labels_, ids_, frames_;  ///< int32 [B, L], [B], [B, N + 1, L]
  at::Tensor inputs_, tokens_;        ///< int32 [B, L]: the puzzles, and what step s sees
  States states_;
  std::vector<std::int32_t> steps_;                        ///< [B] s of this tick
  std::vector<at::Tensor> puzzle_ids_, puzzle_gradients_;  ///< [B], [B, E] of the ticks since the last update
  std::vector<at::Tensor> losses_, corrects_;
};

}  // namespace dis
