// The training loop of the baselines with halting (method sections 6 and 7): TRM, and HRM with its second stack.
//
// At every tick each lane makes one supervision step towards its label, and the weights are updated. The halting head
// learns whether all labelled cells are right; a lane whose sample is done (q_halt > 0 of TRM, q_halt > q_continue of
// HRM, or s = N_sup) takes its row of the next tick's global batch with fresh y and z: example (tick) B + lane of the
// training stream. The rows that are offered to running lanes are skipped. With probability method.halt_exploration a
// lane may not halt before a step drawn from 2..N_sup, anew at every tick.
#pragma once

#include "dis/train/lane_rounds.h"
#include "dis/train/step_graph.h"
#include "dis/train/training_loop.h"

namespace dis {

/// What lanes hold on the device, [B, ..] each. Allocated once and overwritten.
struct HaltingLanes {
  at::Tensor inputs, labels, ids;                 ///< int32 [B, L], [B, L], [B]: the samples
  at::Tensor next_inputs, next_labels, next_ids;  ///< those that halted lanes take
  at::Tensor steps, halted, floor;                ///< int32 [B]: s; whether the sample ended; least s that may halt
  at::Tensor scale;                               ///< float64 [B]: 1 / global batch
  at::Tensor y, z;                                ///< [B, S, D] in the compute type
  at::Tensor loss, halting_loss, q;               ///< float64 [B], [B], [B, 2]: what this tick found
  at::Tensor correct;                             ///< int32 [B]
  at::Tensor puzzle_gradient;                     ///< float32 [B, E], undefined without puzzle embedding

  /// Views of some lanes.
  HaltingLanes narrow(std::int64_t first, std::int64_t count) const;
};

/// What HRM's continue head is taught, [B]: the sigmoid of what the next step's heads say, of the halting head alone
/// where s = N_sup. `next_q` [B, 2], `last` bool [B].
at::Tensor continue_target(const at::Tensor& next_q, const at::Tensor& last);

class HaltingLoop : public TrainingLoop {
 public:
  /// Of `config` the sections method, train, run, dist and compute.cuda_graph.
  HaltingLoop(const RunConfig& config, const Ranks& ranks, const TrainingStream& stream, Backbone& model,
              Optimiser& optimiser);

  TickRecords run(std::int64_t ticks) override;
  std::int64_t tick() const override { return tick_; }

  /// The samples, states, steps and halted flags of all lanes.
  std::vector<std::pair<std::string, at::Tensor>> state() const override;
  void restore(std::int64_t tick, const std::vector<std::pair<std::string, at::Tensor>>& state) override;
  void begin_anew(std::int64_t tick) override;

 private:
  /// Host work of a tick: makes ready what its device work reads.
  void begin_tick();
  /// Halted lanes take new samples, and all make a step: device work, the same at every tick.
  void supervise();
  void supervise_lanes(std::size_t worker, const HaltingLanes& lanes) const;
  void end_tick();
  /// The tensors of a checkpoint, by name.
  std::vector<std::pair<std::string, at::Tensor>> kept() const;

  MethodConfig method_;
  std::uint64_t seed_;
  const Ranks& ranks_;
  LaneRange own_;
  LaneRounds rounds_;
  Loader loader_;
  Backbone& model_;
  Optimiser& optimiser_;
  StepGraph graph_;
  std::int64_t tick_ = 0;
  States fresh_;  ///< of one lane
  HaltingLanes now_;
};

}  // namespace dis
