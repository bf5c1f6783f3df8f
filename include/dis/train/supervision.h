// The DIS training loop over supervision steps (method sections 2 and 3).
//
// Lane i stands at supervision step s = (tick + phase_i) mod N + 1; in `lockstep` every phase is 0, in `staggered`
// phase_i = floor(i N / B), so that at every tick a share of the lanes takes new samples. Which sample: number
// k = (tick + phase_i) div N of lane i is example k B + i of the training stream. All of it is a function of the tick,
// so a run can stop and go on between any two.
#pragma once

#include "dis/train/lane_rounds.h"
#include "dis/train/step_graph.h"
#include "dis/train/training_loop.h"

namespace dis {

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

class SupervisionLoop : public TrainingLoop {
 public:
  /// Of `config` the sections method, train, run, dist and compute.cuda_graph.
  SupervisionLoop(const RunConfig& config, const Ranks& ranks, const TrainingStream& stream, FrameSource frames,
                  Backbone& model, Optimiser& optimiser);

  /// N ticks are, in lockstep, a whole batch.
  TickRecords run(std::int64_t ticks) override;
  std::int64_t tick() const override { return tick_; }

  /// Between batches: nothing in lockstep; y, z and the input tokens of all ranks' lanes when staggered.
  std::vector<std::pair<std::string, at::Tensor>> state() const override;
  void restore(std::int64_t tick, const std::vector<std::pair<std::string, at::Tensor>>& state) override;
  void begin_anew(std::int64_t tick) override;

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
  /// Forward and backward of some lanes; gradients go to the worker's leaves.
  void supervise_lanes(std::size_t worker, LaneTensors lanes) const;
  bool updates_now() const;

  MethodConfig method_;
  const Ranks& ranks_;
  LaneRange own_;
  std::int64_t lanes_;  ///< own lanes
  LaneRounds rounds_;
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
  /// Of the ticks since the last update, [slots, B] and [slots, B, E]; one slot where every tick has its update.
  at::Tensor puzzle_ids_, puzzle_gradients_;
};

}  // namespace dis
