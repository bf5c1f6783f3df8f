#include "dis/ops/adam.h"

#include <ATen/ATen.h>

#include <cmath>

#include "cpu_call.h"
#include "cuda_call.h"
#include "dis/core/error.h"

namespace dis {

static_assert(sizeof(AdamScalars) == kAdamScalars * sizeof(float));

namespace {

/// The same from LibTorch's operations, for devices without a kernel of ours.
void composed(const AdamBuffers& b, AdamForm form, const at::Tensor& scalars) {
  const auto s = scalars.unbind();
  const auto &beta1 = s[0], &beta2 = s[1], &decay = s[2], &scale = s[3], &m_scale = s[4], &v_scale = s[5],
             &epsilon = s[6], &ema_rate = s[7];
  auto p = b.p, m = b.m, v = b.v;
  m.lerp_(b.g, 1.0 - beta1);
  v.lerp_(b.g.square(), 1.0 - beta2);
  const auto root = (v * v_scale).sqrt();
  const auto direction = form == AdamForm::adamw ? m * m_scale / (root + epsilon) : (m * m_scale).atan2(root);
  p.mul_(decay).sub_(direction * scale);
  auto ema = b.ema, copy = b.copy;
  if (ema.defined()) ema.lerp_(p, 1.0 - ema_rate);
  if (copy.defined()) copy.copy_(p);
}

}  // namespace

at::Tensor adam_scalars(const AdamSettings& settings, std::int64_t update) {
  ensure(update >= 1, "adam_scalars", "update >= 1");
  const double correction1 = 1.0 - std::pow(settings.beta1, static_cast<double>(update));
  const double correction2 = 1.0 - std::pow(settings.beta2, static_cast<double>(update));
  double scale = settings.lr;
  double m_scale = 1.0 / correction1;
  if (settings.form == AdamForm::adam_atan2) scale *= 1.27;
  if (settings.form == AdamForm::adam_atan2_trm) {
    scale /= correction1;
    m_scale = 1.0;
  }
  auto scalars = at::empty({kAdamScalars}, at::kFloat);
  *pointer<AdamScalars>(scalars) = {static_cast<float>(settings.beta1),
                                    static_cast<float>(settings.beta2),
                                    static_cast<float>(1.0 - settings.lr * settings.weight_decay),
                                    static_cast<float>(scale),
                                    static_cast<float>(m_scale),
                                    static_cast<float>(1.0 / correction2),
                                    static_cast<float>(settings.epsilon),
                                    static_cast<float>(settings.ema_rate)};
  return scalars;
}

void adam_update(const AdamBuffers& b, AdamForm form, const at::Tensor& scalars) {
  for (const auto& x : {b.p, b.g, b.m, b.v}) {
    ensure(x.dim() == 1 && x.is_contiguous() && x.scalar_type() == at::kFloat && x.numel() == b.p.numel(),
           "adam_update", "flat float32 buffers of one size");
  }
  ensure(scalars.numel() == kAdamScalars && scalars.is_contiguous() && scalars.scalar_type() == at::kFloat &&
             scalars.device() == b.p.device(),
         "adam_update", "the scalars of adam_scalars on the buffers' device");
  const bool atan2 = form != AdamForm::adamw;
  if (const auto* cuda = cuda_kernels(b.p)) return cuda->adam(b, scalars, atan2);
  if (!on_cpu_kernels(b.p)) return composed(b, form, scalars);
  const AdamPointers pointers{pointer<float>(b.p), pointer<float>(b.g),    pointer<float>(b.m),
                              pointer<float>(b.v), optional<float>(b.ema), optional<Bf16>(b.copy)};
  const auto& s = *pointer<AdamScalars>(scalars);
  for_rows(b.p.numel(), 1, [&](std::int64_t begin, std::int64_t end) { cpu::adam(pointers, s, atan2, {begin, end}); });
}

}  // namespace dis
