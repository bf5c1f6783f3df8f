#include "dis/ops/adam.h"

#include <ATen/ATen.h>

#include <cmath>

#include "cpu_call.h"
#include "cuda_call.h"
#include "dis/core/error.h"

namespace dis {
namespace {

/// The same from LibTorch's operations, for devices without a kernel of ours.
void composed(const AdamBuffers& b, const cpu::AdamScalars& s) {
  auto p = b.p, m = b.m, v = b.v;
  m.lerp_(b.g, 1.0 - static_cast<double>(s.beta1));
  v.lerp_(b.g.square(), 1.0 - static_cast<double>(s.beta2));
  const auto root = (v * s.v_scale).sqrt();
  p.mul_(s.decay);
  if (s.atan2) {
    p.sub_((m * s.m_scale).atan2(root), s.scale);
  } else {
    p.sub_(m * s.m_scale / (root + s.epsilon), s.scale);
  }
  auto ema = b.ema, copy = b.copy;
  if (ema.defined()) ema.mul_(s.ema_rate).add_(p, 1.0 - static_cast<double>(s.ema_rate));
  if (copy.defined()) copy.copy_(p);
}

}  // namespace

void adam_step(const AdamBuffers& b, const AdamSettings& settings, std::int64_t step) {
  for (const auto& x : {b.p, b.g, b.m, b.v}) {
    ensure(x.dim() == 1 && x.is_contiguous() && x.scalar_type() == at::kFloat && x.numel() == b.p.numel(), "adam_step",
           "flat float32 buffers of one size");
  }
  ensure(step >= 1, "adam_step", "step >= 1");
  const double correction1 = 1.0 - std::pow(settings.beta1, static_cast<double>(step));
  const double correction2 = 1.0 - std::pow(settings.beta2, static_cast<double>(step));
  double scale = settings.lr;
  double m_scale = 1.0 / correction1;
  if (settings.form == AdamForm::adam_atan2) scale *= 1.27;
  if (settings.form == AdamForm::adam_atan2_trm) {
    scale /= correction1;
    m_scale = 1.0;
  }
  const cpu::AdamScalars s{static_cast<float>(settings.beta1),
                           static_cast<float>(settings.beta2),
                           static_cast<float>(1.0 - settings.lr * settings.weight_decay),
                           static_cast<float>(scale),
                           static_cast<float>(m_scale),
                           static_cast<float>(1.0 / correction2),
                           static_cast<float>(settings.epsilon),
                           static_cast<float>(settings.ema_rate),
                           settings.form != AdamForm::adamw};
  if constexpr (kCudaKernels) {
    if (on_cuda_kernels(b.p)) return cuda::adam(b, s);
  }
  if (!b.p.device().is_cpu()) return composed(b, s);
  for_rows(b.p.numel(), 1, [&](std::int64_t begin, std::int64_t end) {
    cpu::adam(pointer<float>(b.p) + begin, pointer<float>(b.g) + begin, pointer<float>(b.m) + begin,
              pointer<float>(b.v) + begin, b.ema.defined() ? pointer<float>(b.ema) + begin : nullptr,
              b.copy.defined() ? pointer<cpu::Bf16>(b.copy) + begin : nullptr, end - begin, s);
  });
}

}  // namespace dis
