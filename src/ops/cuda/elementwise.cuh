// SwiGLU of packed gate|up rows (one block per row) and the sum of three tensors.
#pragma once

#include "device.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

template <class T, int N>
DIS_KERNEL void swiglu_kernel(const T* gate_up, T* out, std::int64_t inner) {
  const std::int64_t row = blockIdx.x;
  gate_up += row * 2 * inner;
  out += row * inner;
  for (std::int64_t i = static_cast<std::int64_t>(threadIdx.x) * N; i < inner; i += kThreads * N) {
    const auto gates = load_pack<N>(gate_up + i), ups = load_pack<N>(gate_up + inner + i);
    Pack<T, N> result;
    DIS_UNROLL
    for (int j = 0; j < N; ++j) {
      const float gate = load(gates.at[j]);
      store(result.at[j], gate / (1.0F + expf(-gate)) * load(ups.at[j]));
    }
    store_pack(out + i, result);
  }
}

template <class T, int N>
DIS_KERNEL void swiglu_backward_kernel(const T* gate_up, const T* dout, T* dgate_up, std::int64_t inner) {
  const std::int64_t row = blockIdx.x;
  gate_up += row * 2 * inner;
  dgate_up += row * 2 * inner;
  dout += row * inner;
  for (std::int64_t i = static_cast<std::int64_t>(threadIdx.x) * N; i < inner; i += kThreads * N) {
    const auto gates = load_pack<N>(gate_up + i), ups = load_pack<N>(gate_up + inner + i), d = load_pack<N>(dout + i);
    Pack<T, N> dgate, dup;
    DIS_UNROLL
    for (int j = 0; j < N; ++j) {
      const float gate = load(gates.at[j]), gradient = load(d.at[j]);
      const float sigmoid = 1.0F / (1.0F + expf(-gate));
      store(dgate.at[j], gradient * load(ups.at[j]) * sigmoid * (1.0F + gate * (1.0F - sigmoid)));
      store(dup.at[j], gradient * gate * sigmoid);
    }
    store_pack(dgate_up + i, dgate);
    store_pack(dgate_up + inner + i, dup);
  }
}

/// The last count % N numbers go one by one.
template <class T, int N>
DIS_KERNEL void add3_kernel(const T* a, const T* b, const T* c, T* out, std::int64_t count) {
  for (std::int64_t p = first_element(); p < count / N; p += element_stride()) {
    const auto x = load_pack<N>(a + p * N), y = load_pack<N>(b + p * N), z = load_pack<N>(c + p * N);
    Pack<T, N> sum;
    DIS_UNROLL
    for (int j = 0; j < N; ++j) store(sum.at[j], load(x.at[j]) + (load(y.at[j]) + load(z.at[j])));
    store_pack(out + p * N, sum);
  }
  for (std::int64_t i = count / N * N + first_element(); i < count; i += element_stride()) {
    store(out[i], load(a[i]) + (load(b[i]) + load(c[i])));
  }
}

}  // namespace dis::DIS_CUDA_NAMESPACE
