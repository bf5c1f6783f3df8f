// SwiGLU of packed gate|up rows (one block per row) and the sum of three tensors.
#pragma once

#include "device.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

template <class T>
DIS_KERNEL void swiglu_kernel(const T* gate_up, T* out, std::int64_t inner) {
  const std::int64_t row = blockIdx.x;
  gate_up += row * 2 * inner;
  out += row * inner;
  for (std::int64_t i = threadIdx.x; i < inner; i += kThreads) {
    const float gate = load(gate_up[i]);
    store(out[i], gate / (1.0F + expf(-gate)) * load(gate_up[i + inner]));
  }
}

template <class T>
DIS_KERNEL void swiglu_backward_kernel(const T* gate_up, const T* dout, T* dgate_up, std::int64_t inner) {
  const std::int64_t row = blockIdx.x;
  gate_up += row * 2 * inner;
  dgate_up += row * 2 * inner;
  dout += row * inner;
  for (std::int64_t i = threadIdx.x; i < inner; i += kThreads) {
    const float gate = load(gate_up[i]), up = load(gate_up[i + inner]), d = load(dout[i]);
    const float sigmoid = 1.0F / (1.0F + expf(-gate));
    store(dgate_up[i], d * up * sigmoid * (1.0F + gate * (1.0F - sigmoid)));
    store(dgate_up[i + inner], d * gate * sigmoid);
  }
}

template <class T>
DIS_KERNEL void add3_kernel(const T* a, const T* b, const T* c, T* out, std::int64_t count) {
  for (std::int64_t i = first_element(); i < count; i += element_stride()) {
    store(out[i], load(a[i]) + (load(b[i]) + load(c[i])));
  }
}

}  // namespace dis::DIS_CUDA_NAMESPACE
