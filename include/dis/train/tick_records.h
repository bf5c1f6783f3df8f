// What ticks of training measured, per lane.
#pragma once

#include <cstdint>
#include <vector>

#include "dis/dist/ranks.h"

namespace dis {

/// Row t of each list holds tick t. Of a rank its own lanes, until they are gathered.
struct TickRecords {
  std::int64_t lanes = 0;
  std::vector<std::int32_t> step;     ///< [ticks, B] supervision step s
  std::vector<double> loss;           ///< [ticks, B] CE(post, t_s), plus CE(pre, t_{s-1}) under `dual`; not weighted
  std::vector<std::int32_t> correct;  ///< [ticks, B] cells whose argmax is the label
  std::vector<std::int32_t> cells;    ///< [ticks, B] labelled cells
  // With halting alone, else empty:
  std::vector<std::int32_t> halted = {};  ///< [ticks, B] whether the lane's sample ended with this step
  std::vector<double> halting_loss = {};  ///< [ticks, B] BCE of the halting head, plus that of HRM's continue head
  std::vector<double> q_halt = {};        ///< [ticks, B] logits of the halting head
  std::vector<double> q_continue = {};    ///< [ticks, B] of the continue head, which TRM does not train

  bool halting() const { return !halted.empty(); }
};

/// The records of all ranks' lanes, in their order.
TickRecords gather(const Ranks& ranks, const TickRecords& own);

}  // namespace dis
