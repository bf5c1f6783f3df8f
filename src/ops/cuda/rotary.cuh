// Rotary embedding of packed q|k|v, rotate-half form: one block per row, so the position is found once.
#pragma once

#include "device.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

template <class T>
DIS_KERNEL void rotary_kernel(T* qkv, const float* cos, const float* sin, RotaryShape shape) {
  const int half = static_cast<int>(shape.head / 2), head = static_cast<int>(shape.head);
  const std::int64_t row = blockIdx.x;
  const float* c = cos + row % shape.positions * half;
  const float* s = sin + row % shape.positions * half;
  T* x = qkv + row * 3 * shape.heads * head;
  const int pairs = 2 * static_cast<int>(shape.heads) * half;  // of the q heads, then of the k heads
  for (int pair = static_cast<int>(threadIdx.x); pair < pairs; pair += kThreads) {
    const int i = pair % half, at = pair / half * head + i;
    const float first = load(x[at]), second = load(x[at + half]);
    store(x[at], first * c[i] - second * s[i]);
    store(x[at + half], second * c[i] + first * s[i]);
  }
}

template <class T>
DIS_KERNEL void rotary_backward_kernel(const T* dq, const T* dk, const T* dv, T* dqkv, const float* cos,
                                       const float* sin, RotaryShape shape) {
  const int half = static_cast<int>(shape.head / 2), head = static_cast<int>(shape.head);
  const int width = static_cast<int>(shape.heads) * head;
  const std::int64_t row = blockIdx.x;
  const float* c = cos + row % shape.positions * half;
  const float* s = sin + row % shape.positions * half;
  T* to = dqkv + row * 3 * width;
  for (int part = 0; part < 2; ++part, to += width) {
    const T* from = (part == 0 ? dq : dk) + row * width;
    for (int pair = static_cast<int>(threadIdx.x); pair < width / 2; pair += kThreads) {
      const int i = pair % half, at = pair / half * head + i;
      const float first = load(from[at]), second = load(from[at + half]);
      store(to[at], first * c[i] + second * s[i]);
      store(to[at + half], second * c[i] - first * s[i]);
    }
  }
  for (int i = static_cast<int>(threadIdx.x); i < width; i += kThreads) to[i] = dv[row * width + i];
}

}  // namespace dis::DIS_CUDA_NAMESPACE
