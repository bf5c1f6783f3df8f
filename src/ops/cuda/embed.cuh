// The embedding (ops/embed.h): x gathered in one pass, and its gradients summed by token and by step in a fixed order.
#pragma once

#include "device.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

/// One block per position of a lane.
template <class T, int N>
DIS_KERNEL void embed_kernel(EmbedPointers in, T* x, EmbedShape shape, float scale) {
  const std::int64_t positions = shape.puzzle_positions + shape.length, width = shape.width;
  const std::int64_t lane = blockIdx.x / positions, position = blockIdx.x % positions;
  const std::int64_t cell = position - shape.puzzle_positions;
  const float* token = cell >= 0 ? in.table + in.tokens[lane * shape.length + cell] * width : nullptr;
  const float* time = in.steps != nullptr ? in.time + in.steps[lane] * width : nullptr;
  x += static_cast<std::int64_t>(blockIdx.x) * width;
  for (std::int64_t i = static_cast<std::int64_t>(threadIdx.x) * N; i < width; i += kThreads * N) {
    float row[N] = {}, step[N] = {};
    if (token != nullptr) {
      load_floats<N>(token + i, row);
    } else if (in.puzzle != nullptr) {
      const std::int64_t number = position * width + i;  // of the puzzle row, which ends before P D
      for (int j = 0; j < N; ++j) {
        if (number + j < shape.numbers) row[j] = in.puzzle[lane * shape.numbers + number + j];
      }
    }
    if (time != nullptr) load_floats<N>(time + i, step);
    Pack<T, N> out;
    DIS_UNROLL
    for (int j = 0; j < N; ++j) store(out.at[j], scale * (row[j] + step[j]));
    store_pack(x + i, out);
  }
}

/// Keys whose sums a block keeps; more keys take more blocks, each of which reads dx again.
constexpr int kKeysPerBlock = 32;

DIS_DEVICE std::int64_t pieces(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

/// A block sums the rows of one chunk, in their order, for one group of keys and kThreads columns: each thread owns a
/// column of the shared sums, so none waits for another.
template <class T>
DIS_KERNEL void sum_by_key_kernel(SumByKeyPointers<T> p, SumByKeyShape shape) {
  __shared__ float sums[kKeysPerBlock * kThreads];
  const std::int64_t columns = pieces(shape.width, kThreads), groups = pieces(shape.keys, kKeysPerBlock);
  const std::int64_t column = blockIdx.x % columns * kThreads + threadIdx.x;
  const std::int64_t first_key = blockIdx.x / columns % groups * kKeysPerBlock;
  const std::int64_t chunk = blockIdx.x / columns / groups;
  if (column >= shape.width) return;
  const std::int64_t count = shape.keys - first_key < kKeysPerBlock ? shape.keys - first_key : kKeysPerBlock;
  for (std::int64_t k = 0; k < count; ++k) sums[k * kThreads + threadIdx.x] = 0.0F;
  const std::int64_t cells = shape.positions - shape.first, rows = shape.lanes * cells;
  for (std::int64_t row = rows * chunk / kSumChunks; row < rows * (chunk + 1) / kSumChunks; ++row) {
    const std::int64_t lane = row / cells;
    const std::int64_t key = p.keys[shape.per_lane ? lane : row] - first_key;
    if (key < 0 || key >= count) continue;  // the whole block
    const std::int64_t position = lane * shape.positions + shape.first + row % cells;
    sums[key * kThreads + threadIdx.x] += load(p.dx[position * shape.width + column]);
  }
  float* to = p.partial + (chunk * shape.keys + first_key) * shape.width + column;
  for (std::int64_t k = 0; k < count; ++k) to[k * shape.width] = sums[k * kThreads + threadIdx.x];
}

/// The chunks' sums, in their order.
DIS_KERNEL void sum_chunks_kernel(const float* partial, float* out, std::int64_t count, float scale) {
  for (std::int64_t i = first_element(); i < count; i += element_stride()) {
    float sum = 0.0F;
    for (std::int64_t chunk = 0; chunk < kSumChunks; ++chunk) sum += partial[chunk * count + i];
    out[i] = scale * sum;
  }
}

}  // namespace dis::DIS_CUDA_NAMESPACE
