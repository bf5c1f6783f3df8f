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
#include "dis/dist/ranks.h"
#include "dis/model/backbone.h"
#include "dis/train/loader.h"
#include "dis/train/optimiser.h"
#include "dis/train/step_graph.h"

namespace dis {

/// What N ticks measured, per lane: row t holds tick t. Of a rank its own lanes, until they are gathered.
struct TickRecords {
  std::int64_t lanes = 0;
  std::vector<std::int32_t> step;     ///< [ticks, B] supervision step s
  std::vector<double> loss;           ///< [ticks, B] CE(post, t_s), plus CE(pre, t_{s-1}) under `dual`; not weighted
  std::vector<std::int32_t> correct;  ///< [ticks, B] cells whose argmax is the label
  std::vector<std::int32_t> cells;    ///< [ticks, B] labelled cells
};

/// What lanes hold on the device, [B, ..] each. Allocated once and overwritten, so that a captured graph finds them.
struct LaneTensors {
  at::Tensor inputs, tokens, labels;      ///< int32 [B, L]: the puzzles, what step s sees, the answers
  at::Tensor ids, steps;                  ///< int32 [B]: puzzle identifiers; s of this tick
  at::Tensor target, target_before;       ///< int32 [B, L]: t_s, and t_{s-1} (undefined without `dual`)
  at::Tensor scale;                       ///< float64 [B]: weight of the lane's loss in the gradient
  at::Tensor y, z;                        ///< [B, S, D] in the compute type
  at::Tensor loss, predictions, correct;  ///< float64 [B], int32 [B, L], int32 [B]: what this tick found
  at::Tensor puzzle_gradient;             ///< float32 [B, E], undefined without puzzle embedding

  /// Views of some lanes.
  LaneTensors narrow(std::int64_t first, std::int64_t count) const;
};

/// The records of all ranks' lanes, in their order.
TickRecords gather(const Ranks& ranks, const TickRecords& own);

/// Every rank has the lanes rank B / ranks .. (rank + 1) B / ranks - 1. The gradients are summed over the ranks; so all
/// make the same update. With dist.deterministic each chunk of dist.chunk lanes is computed by itself, and the chunks'
/// gradients are summed in the order of the lanes: then the result does not depend on the number of ranks at all (a
/// product's rounding depends on its shape, so a fixed order of the sum alone would not do).
class SupervisionLoop {
 public:
  /// Of `config` the sections method, train, run, dist and compute.cuda_graph. The references must outlive the loop;
  /// train.global_batch is a multiple of the ranks (times dist.chunk).
  SupervisionLoop(const RunConfig& config, const Ranks& ranks, const TrainingStream& stream, FrameSource frames,
                  Backbone& model, Optimiser& optimiser);

  /// N ticks from `tick`: in lockstep a whole batch. Returns their records (the only synchronisation).
  TickRecords run(std::int64_t ticks);

  std::int64_t tick() const { return tick_; }

  /// What a checkpoint between batches must hold beside the weights: nothing in lockstep; y, z and the input tokens
  /// of all ranks' lanes when staggered.
  std::vector<std::pair<std::string, at::Tensor>> state() const;
  /// Goes on at `tick` with the tensors of `state()`, found by name. UserError: one is missing or has another shape.
  void restore(std::int64_t tick, const std::vector<std::pair<std::string, at::Tensor>>& state);

 private:
  void allocate();
  void refill();
  void place(const LaneLoad& load);
  /// Host work of a tick: makes ready what its device work reads.
  void begin_tick();
  /// Forward and backward of a tick: device work, the same at every tick.
  void supervise();
  /// The sum over the ranks, and the update.
  void end_tick();
  void sum_gradients();
  /// Forward and backward of some lanes; gradients go to the worker's leaves.
  void supervise_lanes(std::size_t worker, LaneTensors lanes) const;
  bool updates_now() const;

  MethodConfig method_;
  const Ranks& ranks_;
  LaneRange own_;
  std::int64_t lanes_, workers_;                ///< own lanes
  std::vector<std::vector<LaneRange>> rounds_;  ///< pieces of the own lanes that workers compute at the same time
  LaneClock clock_;
  Loader loader_;
  Backbone& model_;
  Optimiser& optimiser_;
  StepGraph graph_;

  std::int64_t tick_ = 0;
  bool filled_ = false;
  LaneTensors now_;
  at::Tensor frames_;                    ///< int32 [B, N + 1, L]
  at::Tensor step_table_, scale_table_;  ///< [N, B]: steps and scale of the ticks 0..N-1; later ones repeat them
  at::Tensor chunk_gradients_;           ///< [own chunks, n] under dist.deterministic
  /// Of the ticks since the last update, [slots, B] and [slots, B, E]; one slot where every tick has its update.
  at::Tensor puzzle_ids_, puzzle_gradients_;
};

}  // namespace dis
