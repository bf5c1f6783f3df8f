// The dense optimisers in one pass, with the moving average and the bfloat16 copy (ops/adam.h).
#pragma once

#include "device.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

/// One number: the new p, and m and v brought up to date.
DIS_DEVICE float adam_update(float p, float g, float& m, float& v, const AdamScalars& s, bool atan2) {
  m += (1.0F - s.beta1) * (g - m);
  v += (1.0F - s.beta2) * (g * g - v);
  const float root = sqrtf(v * s.v_scale);
  const float direction = atan2 ? atan2f(m * s.m_scale, root) : m * s.m_scale / (root + s.epsilon);
  return p * s.decay - s.scale * direction;
}

/// Numbers first..first+N-1.
template <int N>
DIS_DEVICE void adam_pack(const AdamPointers& b, std::int64_t first, const AdamScalars& s, bool atan2) {
  auto p = load_pack<N>(b.p + first), m = load_pack<N>(b.m + first), v = load_pack<N>(b.v + first);
  const auto g = load_pack<N>(b.g + first);
  DIS_UNROLL
  for (int j = 0; j < N; ++j) p.at[j] = adam_update(p.at[j], g.at[j], m.at[j], v.at[j], s, atan2);
  store_pack(b.p + first, p);
  store_pack(b.m + first, m);
  store_pack(b.v + first, v);
  if (b.ema != nullptr) {
    auto ema = load_pack<N>(b.ema + first);
    DIS_UNROLL
    for (int j = 0; j < N; ++j) ema.at[j] = s.ema_rate * ema.at[j] + (1.0F - s.ema_rate) * p.at[j];
    store_pack(b.ema + first, ema);
  }
  if (b.copy != nullptr) {
    Pack<Bf16, N> copy;
    DIS_UNROLL
    for (int j = 0; j < N; ++j) store(copy.at[j], p.at[j]);
    store_pack(b.copy + first, copy);
  }
}

/// The last count % N numbers go one by one.
template <int N>
DIS_KERNEL void adam_kernel(AdamPointers b, std::int64_t count, const AdamScalars* scalars, bool atan2) {
  const AdamScalars s = *scalars;
  for (std::int64_t i = first_element(); i < count / N; i += element_stride()) adam_pack<N>(b, i * N, s, atan2);
  for (std::int64_t i = count / N * N + first_element(); i < count; i += element_stride()) adam_pack<1>(b, i, s, atan2);
}

}  // namespace dis::DIS_CUDA_NAMESPACE
