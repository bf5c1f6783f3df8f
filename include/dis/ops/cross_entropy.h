// The loss of a readout with its gradient and predictions in one pass (method section 3), computed in float64.
// ops/losses.h says which losses there are.
#pragma once

#include <ATen/core/Tensor.h>

#include "dis/ops/losses.h"

namespace dis {

struct CrossEntropy {
  at::Tensor loss;         ///< float64 [B]: mean over the lane's cells with a target >= 0; 0 if it has none
  at::Tensor dlogits;      ///< as logits: gradient of sum_b scale[b] loss[b]; undefined when not asked for
  at::Tensor predictions;  ///< int32 [B, L]: argmax over the first `answers` entries, the first one on ties
  at::Tensor correct;      ///< int32 [B]: cells whose prediction is the label; undefined without labels
};

/// logits [B, S, V], of which the last L positions belong to cells; target int32 [B, L], negative = no loss; scale
/// float64 [B] or undefined (no gradient wanted). `answers` <= V excludes trailing entries (the mask token) from the
/// predictions. labels int32 [B, L] (negative = none) are only counted, not learnt from.
CrossEntropy cross_entropy(const at::Tensor& logits, const at::Tensor& target, const at::Tensor& scale,
                           const Loss& loss, std::int64_t answers, const at::Tensor& labels = {});

}  // namespace dis
