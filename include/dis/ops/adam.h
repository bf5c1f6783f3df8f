// The dense optimisers, one pass over flat float32 buffers: AdamW and the two forms of Adam-atan2 (method section 3).
//
// All: m, v updated; p <- p (1 - lr wd), then, with m_hat = m / (1 - beta1^t), v_hat = v / (1 - beta2^t):
//   adamw           p -= lr m_hat / (sqrt(v_hat) + eps)
//   adam_atan2      p -= lr a atan2(m_hat, b sqrt(v_hat)), a = 1.27, b = 1   (adam-atan2-pytorch)
//   adam_atan2_trm  p -= lr / (1 - beta1^t) atan2(m, sqrt(v_hat))            (CUDA package of the official TRM, HRM)
#pragma once

#include <ATen/core/Tensor.h>

namespace dis {

enum class AdamForm { adamw, adam_atan2, adam_atan2_trm };

struct AdamSettings {
  AdamForm form = AdamForm::adam_atan2;
  double lr = 1e-4;
  double weight_decay = 0.1;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double ema_rate = 0.0;
};

/// Buffers of one update, all [n]: p, g, m, v float32; `ema` float32 and `copy` bfloat16 may be undefined.
struct AdamBuffers {
  at::Tensor p, g, m, v, ema, copy;
};

/// What is the same for every number in update `update` (from 1): float32 [kAdamScalars] on the CPU, in the order of
/// AdamScalars (src/ops/kernel_shapes.h). A tensor, so that a captured CUDA graph reads each update's own.
at::Tensor adam_scalars(const AdamSettings& settings, std::int64_t update);
inline constexpr std::int64_t kAdamScalars = 8;

/// One update in place, with the scalars on the buffers' device. ema <- rate ema + (1 - rate) p; copy <- p in bfloat16.
void adam_update(const AdamBuffers& buffers, AdamForm form, const at::Tensor& scalars);

}  // namespace dis
