// Sparse sign-SGD of the puzzle embedding (ops/sign_sgd.h): one block per lane; no sort, no list of distinct ids, no
// synchronisation, so a CUDA graph can hold it.
#pragma once

#include "device.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

/// The block of the first lane with an id sums the gradients of all lanes with it, in their order, and updates the row.
DIS_KERNEL void sign_sgd_kernel(float* table, const std::int32_t* ids, const float* gradient, const float* rates,
                                SignSgdShape shape) {
  const std::int64_t lane = blockIdx.x, numbers = shape.numbers;
  const std::int32_t id = ids[lane];
  int earlier = 0;
  for (std::int64_t other = threadIdx.x; other < lane; other += kThreads) earlier += ids[other] == id ? 1 : 0;
  if (block_sum(earlier) > 0) return;  // the whole block
  const float lr = rates[0], decay = rates[1];
  float* row = table + id * numbers;
  for (std::int64_t i = threadIdx.x; i < numbers; i += kThreads) {
    float sum = 0.0F;
    for (std::int64_t other = lane; other < shape.lanes; ++other) {
      if (ids[other] == id) sum += gradient[other * numbers + i];
    }
    const float sign = sum > 0.0F ? 1.0F : (sum < 0.0F ? -1.0F : sum);  // 0 and NaN stay what they are
    row[i] = row[i] * decay - lr * sign;
  }
}

}  // namespace dis::DIS_CUDA_NAMESPACE
