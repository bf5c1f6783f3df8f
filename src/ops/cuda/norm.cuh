// Residual + RMS norm: one warp per row.
#pragma once

#include "device.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

constexpr int kRowsPerBlock = kThreads / kWarp;

DIS_DEVICE std::int64_t row_of_warp() {
  return static_cast<std::int64_t>(blockIdx.x) * kRowsPerBlock + threadIdx.x / kWarp;
}

/// Packs of a row that a thread keeps in registers; what lies beyond them is read twice.
constexpr int kKept = 4;

template <class T, int N>
DIS_KERNEL void add_rms_norm_kernel(AddRmsNormPointers<T> p, std::int64_t rows, std::int64_t width, float eps) {
  const std::int64_t row = row_of_warp();
  if (row >= rows) return;  // the whole warp
  const std::int64_t lane = threadIdx.x % kWarp, beyond = (kKept * kWarp + lane) * N;
  const T *a = p.a + row * width, *b = p.b + row * width;
  T* y = p.y + row * width;
  float kept[kKept][N];
  float sum = 0.0F;
  DIS_UNROLL
  for (int k = 0; k < kKept; ++k) {
    const std::int64_t i = (k * kWarp + lane) * N;
    if (i >= width) continue;
    const auto x = load_pack<N>(a + i), r = load_pack<N>(b + i);
    DIS_UNROLL
    for (int j = 0; j < N; ++j) {
      kept[k][j] = load(x.at[j]) + load(r.at[j]);
      sum += kept[k][j] * kept[k][j];
    }
  }
  for (std::int64_t i = beyond; i < width; i += kWarp * N) {
    const auto x = load_pack<N>(a + i), r = load_pack<N>(b + i);
    DIS_UNROLL
    for (int j = 0; j < N; ++j) {
      const float both = load(x.at[j]) + load(r.at[j]);
      sum += both * both;
    }
  }
  const float scale = 1.0F / sqrtf(warp_sum(sum) / static_cast<float>(width) + eps);
  if (lane == 0) p.rstd[row] = scale;
  // Each thread overwrites only what it alone has read: y may be a or b.
  DIS_UNROLL
  for (int k = 0; k < kKept; ++k) {
    const std::int64_t i = (k * kWarp + lane) * N;
    if (i >= width) continue;
    Pack<T, N> out;
    DIS_UNROLL
    for (int j = 0; j < N; ++j) store(out.at[j], kept[k][j] * scale);
    store_pack(y + i, out);
  }
  for (std::int64_t i = beyond; i < width; i += kWarp * N) {
    const auto x = load_pack<N>(a + i), r = load_pack<N>(b + i);
    Pack<T, N> out;
    DIS_UNROLL
    for (int j = 0; j < N; ++j) store(out.at[j], (load(x.at[j]) + load(r.at[j])) * scale);
    store_pack(y + i, out);
  }
}

template <class T, int N>
DIS_KERNEL void rms_norm_backward_kernel(RmsNormBackwardPointers<T> p, std::int64_t rows, std::int64_t width) {
  const std::int64_t row = row_of_warp();
  if (row >= rows) return;
  const std::int64_t lane = threadIdx.x % kWarp, beyond = (kKept * kWarp + lane) * N;
  const T *dy = p.dy + row * width, *y = p.y + row * width;
  T* dx = p.dx + row * width;
  Pack<T, N> kept_dy[kKept], kept_y[kKept];
  float dot = 0.0F;
  DIS_UNROLL
  for (int k = 0; k < kKept; ++k) {
    const std::int64_t i = (k * kWarp + lane) * N;
    if (i >= width) continue;
    kept_dy[k] = load_pack<N>(dy + i);
    kept_y[k] = load_pack<N>(y + i);
    DIS_UNROLL
    for (int j = 0; j < N; ++j) dot += load(kept_dy[k].at[j]) * load(kept_y[k].at[j]);
  }
  for (std::int64_t i = beyond; i < width; i += kWarp * N) {
    const auto d = load_pack<N>(dy + i), n = load_pack<N>(y + i);
    DIS_UNROLL
    for (int j = 0; j < N; ++j) dot += load(d.at[j]) * load(n.at[j]);
  }
  const float mean = warp_sum(dot) / static_cast<float>(width);
  const float scale = p.rstd[row];
  DIS_UNROLL
  for (int k = 0; k < kKept; ++k) {
    const std::int64_t i = (k * kWarp + lane) * N;
    if (i >= width) continue;
    Pack<T, N> out;
    DIS_UNROLL
    for (int j = 0; j < N; ++j) store(out.at[j], scale * (load(kept_dy[k].at[j]) - load(kept_y[k].at[j]) * mean));
    store_pack(dx + i, out);
  }
  for (std::int64_t i = beyond; i < width; i += kWarp * N) {
    const auto d = load_pack<N>(dy + i), n = load_pack<N>(y + i);
    Pack<T, N> out;
    DIS_UNROLL
    for (int j = 0; j < N; ++j) store(out.at[j], scale * (load(d.at[j]) - load(n.at[j]) * mean));
    store_pack(dx + i, out);
  }
}

}  // namespace dis::DIS_CUDA_NAMESPACE
