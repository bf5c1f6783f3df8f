// Stable-max and soft-max cross entropy with their gradient and predictions in one pass (method section 3).
//
// stable-max: s(v) = v + 1 for v >= 0, 1 / (1 - v) below; log p_k = log(s(v_k) / sum s(v)); in float64 on the CPU.
#pragma once

#include <ATen/core/Tensor.h>

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
CrossEntropy cross_entropy(const at::Tensor& logits, const at::Tensor& target, const at::Tensor& scale, bool stablemax,
                           std::int64_t answers, const at::Tensor& labels = {});

}  // namespace dis
