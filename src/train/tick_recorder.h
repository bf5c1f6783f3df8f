// Collects what ticks measured, on the device until all are made: one synchronisation for a batch.
#pragma once

#include "dis/train/lanes.h"
#include "dis/train/tick_records.h"

namespace dis {

class TickRecorder {
 public:
  /// For `ticks` ticks of lanes like `now`.
  TickRecorder(std::int64_t ticks, std::int64_t lanes, const LaneTensors& now);
  /// What the lanes hold behind tick number `tick` of them.
  void add(std::int64_t tick, const LaneTensors& now);
  TickRecords records() const;

 private:
  bool halting_;
  at::Tensor reals_, counts_;  // [numbers, ticks, B]
};

}  // namespace dis
