// The supervision steps of rows at evaluation, one after the other, for all that asks the network: answers, rollouts
// and the decoder commit.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "dis/eval/rows/decode.h"
#include "dis/eval/rows/open_rows.h"

namespace dis {

/// Of the cells' tokens, [B, L, A]: the network's logits; with guidance the guided policy in their place.
struct Scores {
  at::Tensor values;
  Loss loss;  ///< how they become probabilities
};

/// Rows after step s.
struct StepView {
  std::int64_t s;
  const Scores& scores;      ///< of all rows; those that have ended keep theirs
  const at::Tensor& number;  ///< int64 [R]: the rows that made this step
  const States& states;      ///< [R, S, D] theirs
};

struct LastStep {
  at::Tensor halting;  ///< [B] logit of the halting head after the row's last step so far
  at::Tensor made;     ///< [B] int32, steps
};

/// When the halting head is read, beside the last step.
using ReadsHalting = std::function<bool(std::int64_t s)>;

/// Runs supervision steps 1..`steps` on rows; calls `after(view, last)`.
LastStep supervise(const Backbone& model, const DecodeSettings& settings, OpenRows open, std::int64_t steps,
                   const std::function<void(const StepView&, const LastStep&)>& after,
                   const ReadsHalting& reads_halting = {});

}  // namespace dis
