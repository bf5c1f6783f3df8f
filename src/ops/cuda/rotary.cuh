// Rotary embedding of packed q|k|v, rotate-half form: one block per row, so the position is found once.
#pragma once

#include "device.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

/// N pairs of one head: rotated, or with direction -1 the rotation undone.
template <int N, class T>
DIS_DEVICE void rotate_pairs(const T* from, T* to, const float* cos, const float* sin, float direction, int half) {
  float c[N], s[N];
  load_floats<N>(cos, c);
  load_floats<N>(sin, s);
  const auto first = load_pack<N>(from), second = load_pack<N>(from + half);
  Pack<T, N> a, b;
  DIS_UNROLL
  for (int j = 0; j < N; ++j) {
    const float x = load(first.at[j]), y = load(second.at[j]), turn = s[j] * direction;
    store(a.at[j], x * c[j] - y * turn);
    store(b.at[j], y * c[j] + x * turn);
  }
  store_pack(to, a);
  store_pack(to + half, b);
}

template <class T, int N>
DIS_KERNEL void rotary_kernel(T* qkv, RotaryPointers tables, RotaryShape shape) {
  const int half = static_cast<int>(shape.head / 2), head = static_cast<int>(shape.head);
  const std::int64_t row = blockIdx.x, position = row % shape.positions * half;
  T* x = qkv + row * 3 * shape.heads * head;
  const int pairs = 2 * static_cast<int>(shape.heads) * half;  // of the q heads, then of the k heads
  for (int pair = static_cast<int>(threadIdx.x) * N; pair < pairs; pair += kThreads * N) {
    const int i = pair % half, at = pair / half * head + i;
    rotate_pairs<N>(x + at, x + at, tables.cos + position + i, tables.sin + position + i, 1.0F, half);
  }
}

template <class T, int N>
DIS_KERNEL void rotary_backward_kernel(RotaryBackwardPointers<T> p, RotaryPointers tables, RotaryShape shape) {
  const int half = static_cast<int>(shape.head / 2), head = static_cast<int>(shape.head);
  const int width = static_cast<int>(shape.heads) * head;
  const std::int64_t row = blockIdx.x, position = row % shape.positions * half;
  T* to = p.dqkv + row * 3 * width;
  for (int part = 0; part < 2; ++part, to += width) {
    const T* from = (part == 0 ? p.dq : p.dk) + row * width;
    for (int pair = static_cast<int>(threadIdx.x) * N; pair < width / 2; pair += kThreads * N) {
      const int i = pair % half, at = pair / half * head + i;
      rotate_pairs<N>(from + at, to + at, tables.cos + position + i, tables.sin + position + i, -1.0F, half);
    }
  }
  for (int i = static_cast<int>(threadIdx.x) * N; i < width; i += kThreads * N) {
    store_pack(to + i, load_pack<N>(p.dv + row * width + i));
  }
}

}  // namespace dis::DIS_CUDA_NAMESPACE
