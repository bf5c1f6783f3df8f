// Residual + RMS norm: one warp per row.
#pragma once

#include "device.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

constexpr int kRowsPerBlock = kThreads / kWarp;

DIS_DEVICE std::int64_t row_of_warp() {
  return static_cast<std::int64_t>(blockIdx.x) * kRowsPerBlock + threadIdx.x / kWarp;
}

template <class T>
DIS_KERNEL void add_rms_norm_kernel(const T* a, const T* b, T* y, float* rstd, std::int64_t rows, std::int64_t width,
                                    float eps) {
  const std::int64_t row = row_of_warp();
  if (row >= rows) return;  // the whole warp
  const std::int64_t lane = threadIdx.x % kWarp, first = row * width;
  float sum = 0.0F;
  for (std::int64_t i = lane; i < width; i += kWarp) {
    const float x = load(a[first + i]) + load(b[first + i]);
    sum += x * x;
  }
  const float scale = 1.0F / sqrtf(warp_sum(sum) / static_cast<float>(width) + eps);
  if (lane == 0) rstd[row] = scale;
  // Each thread overwrites only what it alone reads: y may be a or b.
  for (std::int64_t i = lane; i < width; i += kWarp) {
    store(y[first + i], (load(a[first + i]) + load(b[first + i])) * scale);
  }
}

template <class T>
DIS_KERNEL void rms_norm_backward_kernel(const T* dy, const T* y, const float* rstd, T* dx, std::int64_t rows,
                                         std::int64_t width) {
  const std::int64_t row = row_of_warp();
  if (row >= rows) return;
  const std::int64_t lane = threadIdx.x % kWarp, first = row * width;
  float dot = 0.0F;
  for (std::int64_t i = lane; i < width; i += kWarp) dot += load(dy[first + i]) * load(y[first + i]);
  const float mean = warp_sum(dot) / static_cast<float>(width);
  const float scale = rstd[row];
  for (std::int64_t i = lane; i < width; i += kWarp) {
    store(dx[first + i], scale * (load(dy[first + i]) - load(y[first + i]) * mean));
  }
}

}  // namespace dis::DIS_CUDA_NAMESPACE
