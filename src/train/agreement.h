// What ranks agree on after a batch.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>

#include "dis/dist/ranks.h"
#include "dis/train/tick_records.h"

namespace dis {

/// What a rank has seen since the last batch; after agree(), what any of them has, and the samples of all.
struct SeenByRanks {
  bool non_finite = false;  ///< a loss
  bool stop = false;        ///< a signal to stop
  bool save = false;        ///< a signal that asks for a checkpoint
  bool late = false;        ///< the deadline is over
  std::int64_t ended = 0;   ///< samples that the network was done with
};

inline SeenByRanks agree(const Ranks& ranks, SeenByRanks own) {
  if (ranks.size() == 1) return own;
  const auto seen = at::zeros({5}, at::kLong);
  auto* number = seen.data_ptr<std::int64_t>();
  number[0] = own.non_finite ? 1 : 0;
  number[1] = own.stop ? 1 : 0;
  number[2] = own.save ? 1 : 0;
  number[3] = own.late ? 1 : 0;
  number[4] = own.ended;
  ranks.sum(seen);
  return {number[0] > 0, number[1] > 0, number[2] > 0, number[3] > 0, number[4]};
}

/// Samples that the network was done with in these ticks.
inline std::int64_t ended_samples(const TickRecords& own) {
  return own.halting() ? std::count(own.halted.begin(), own.halted.end(), 1) : own.lanes;
}

}  // namespace dis
