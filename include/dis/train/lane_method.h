// What a training method says about lanes, and the loop over them (training_loop.h) does not know: which tensors they
// have, when they take samples, and the loss of a supervision step.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dis/config/config.h"
#include "dis/model/backbone.h"
#include "dis/train/lanes.h"
#include "dis/train/loader.h"
#include "dis/train/targets.h"

namespace dis {

class LaneMethod {
 public:
  virtual ~LaneMethod() = default;

  /// The tensors that it uses; puzzle_gradient aside, which the loop adds where there is a puzzle table.
  virtual std::vector<LaneField> fields() const = 0;
  /// At which ticks the loader draws samples for which lanes.
  virtual LaneClock clock() const = 0;
  /// Ticks whose gradients are added up for an update.
  virtual std::int64_t ticks_per_update() const { return 1; }

  /// Makes all lanes ready for their first samples.
  virtual void begin(const LaneTensors&) const {}
  /// Samples have come for these lanes.
  virtual void place(const LaneLoad& load, const LaneTensors& lanes) const = 0;
  /// Host work of a tick: the numbers that its device work reads. `own` are the lanes, among those of all ranks.
  virtual void begin_tick(std::int64_t tick, LaneRange own, const LaneTensors& lanes) const = 0;

  // Device work, the same at every tick.

  /// Before the step, of all own lanes.
  virtual void prepare(const LaneTensors& lanes) const = 0;
  /// The supervision step of some lanes: forward, loss, backward. Gradients go to the worker's leaves; loss, correct,
  /// y, z and puzzle_gradient are written.
  virtual void supervise(std::size_t worker, const LaneTensors& lanes) const = 0;
  /// After the step, of all own lanes.
  virtual void finish(const LaneTensors& lanes) const = 0;

  /// Numbers of the own lanes that stand, at this tick, in the middle of a sample: kept fields bring them back.
  virtual std::vector<std::int64_t> in_the_middle(std::int64_t tick, LaneRange own) const = 0;
};

/// DIS, lockstep or staggered (method section 3). `own` are this rank's lanes; `live` makes the targets when a step
/// comes, null: they are drawn ahead.
std::unique_ptr<LaneMethod> dis_method(const RunConfig& config, LaneRange own, Backbone& model,
                                       const TargetGenerator* live);
/// TRM, and HRM with its second stack (sections 6 and 7): lanes halt by themselves.
std::unique_ptr<LaneMethod> halting_method(const RunConfig& config, Backbone& model);

/// What HRM's continue head is taught, [B]: the sigmoid of what the next step's heads say, of the halting head alone
/// where s = N_sup. `next_q` [B, 2], `last` bool [B].
at::Tensor continue_target(const at::Tensor& next_q, const at::Tensor& last);

}  // namespace dis
