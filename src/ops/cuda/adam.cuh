// The dense optimisers in one pass, with the moving average and the bfloat16 copy (ops/adam.h).
#pragma once

#include "device.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

DIS_KERNEL void adam_kernel(AdamPointers b, std::int64_t count, AdamScalars s) {
  for (std::int64_t i = first_element(); i < count; i += element_stride()) {
    const float g = b.g[i];
    const float m = b.m[i] + (1.0F - s.beta1) * (g - b.m[i]);
    const float v = b.v[i] + (1.0F - s.beta2) * (g * g - b.v[i]);
    const float root = sqrtf(v * s.v_scale);
    const float direction = s.atan2 ? atan2f(m * s.m_scale, root) : m * s.m_scale / (root + s.epsilon);
    const float p = b.p[i] * s.decay - s.scale * direction;
    b.m[i] = m;
    b.v[i] = v;
    b.p[i] = p;
    if (b.ema != nullptr) b.ema[i] = s.ema_rate * b.ema[i] + (1.0F - s.ema_rate) * p;
    if (b.copy != nullptr) store(b.copy[i], p);
  }
}

}  // namespace dis::DIS_CUDA_NAMESPACE
