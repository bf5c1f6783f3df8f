// Training without files, logs or progress: the loop over lanes, for every method (lane_method.h).
//
// Time is counted in ticks: one tick = one supervision step of every lane. Every rank has the lanes
// rank B / ranks .. (rank + 1) B / ranks - 1; the gradients are summed over the ranks, so all make the same update.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dis/config/config.h"
#include "dis/data/dataset.h"
#include "dis/dist/ranks.h"
#include "dis/model/backbone.h"
#include "dis/train/lane_method.h"
#include "dis/train/lane_rounds.h"
#include "dis/train/loader.h"
#include "dis/train/optimiser.h"
#include "dis/train/step_graph.h"
#include "dis/train/tick_records.h"

namespace dis {

class TrainingLoop {
 public:
  /// Of `config` the sections method, train, run, dist and compute.cuda_graph. The references must outlive the loop;
  /// train.global_batch is a multiple of the ranks (times dist.chunk under dist.deterministic). `targets` are DIS's;
  /// the baselines do not ask for them.
  TrainingLoop(const RunConfig& config, const Ranks& ranks, const TrainingStream& stream, TargetSource targets,
               Backbone& model, Optimiser& optimiser);

  /// `ticks` more ticks; N_sup of them are, in lockstep, a whole batch. Returns their records (the only
  /// synchronisation).
  TickRecords run(std::int64_t ticks);
  std::int64_t tick() const { return tick_; }

  /// What a checkpoint must hold beside the weights to go on at the present tick; of all ranks' lanes.
  std::vector<std::pair<std::string, at::Tensor>> state() const;
  /// Goes on at `tick` with the tensors of `state()`, found by name. UserError: one is missing or has another shape.
  void restore(std::int64_t tick, const std::vector<std::pair<std::string, at::Tensor>>& state);
  /// Goes on at `tick` with the lanes as training begins with them.
  void begin_anew(std::int64_t tick);

 private:
  void refill();
  /// Forward and backward of a tick: device work, the same at every tick.
  void supervise();
  /// The sum over the ranks, and the update.
  void end_tick();
  bool updates_now() const { return (tick_ + 1) % ticks_per_update_ == 0; }

  const Ranks& ranks_;
  LaneRange own_;
  Backbone& model_;
  Optimiser& optimiser_;
  LaneRounds rounds_;
  std::unique_ptr<LaneMethod> method_;
  std::int64_t ticks_per_update_;
  std::vector<LaneField> fields_;
  Loader loader_;
  StepGraph graph_;

  std::int64_t tick_ = 0;
  bool filled_ = false;  ///< all lanes have a sample
  LaneTensors now_;
  /// Of the ticks since the last update, [slots, B] and [slots, B, E].
  at::Tensor puzzle_ids_, puzzle_gradients_;
};

}  // namespace dis
