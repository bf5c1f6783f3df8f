// Training without files, logs or progress: what the loops of DIS (supervision.h) and of its baselines with halting
// (halting.h) have in common.
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
#include "dis/train/loader.h"
#include "dis/train/optimiser.h"
#include "dis/train/tick_records.h"

namespace dis {

class TrainingLoop {
 public:
  virtual ~TrainingLoop() = default;

  /// `ticks` more ticks. Returns their records (the only synchronisation).
  virtual TickRecords run(std::int64_t ticks) = 0;
  virtual std::int64_t tick() const = 0;

  /// What a checkpoint must hold beside the weights to go on at the present tick; of all ranks' lanes.
  virtual std::vector<std::pair<std::string, at::Tensor>> state() const = 0;
  /// Goes on at `tick` with the tensors of `state()`, found by name. UserError: one is missing or has another shape.
  virtual void restore(std::int64_t tick, const std::vector<std::pair<std::string, at::Tensor>>& state) = 0;
  /// Goes on at `tick` with the lanes as training begins with them.
  virtual void begin_anew(std::int64_t tick) = 0;
};

/// The loop of method.algorithm. The references must outlive it; train.global_batch is a multiple of the ranks (times
/// dist.chunk under dist.deterministic). `frames` are DIS's targets.
std::unique_ptr<TrainingLoop> make_training_loop(const RunConfig& config, const Ranks& ranks,
                                                 const TrainingStream& stream, FrameSource frames, Backbone& model,
                                                 Optimiser& optimiser);

}  // namespace dis
