// How the benchmarks take times.
#pragma once

#include <c10/core/Device.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "dis/ops/cuda_part.h"

namespace dis {

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

/// The median of `repeat` times of f, in seconds, after two calls that are not timed; on a GPU each time ends when the
/// device has finished.
template <class F>
double median_seconds(at::Device device, std::int64_t repeat, F f) {
  constexpr std::int64_t kWarmUp = 2;
  std::vector<double> seconds;
  for (std::int64_t trial = 0; trial < kWarmUp + repeat; ++trial) {
    const auto start = std::chrono::steady_clock::now();
    f();
    if (device.is_cuda()) cuda_part()->synchronize();
    if (trial >= kWarmUp) {
      seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
  }
  return median(seconds);
}

}  // namespace dis
