// The devices that tests of operations run on, and the seed of their numbers.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "dis/ops/cuda_part.h"

namespace dis {

/// The CPU, and the GPU where there is one.
inline std::vector<at::DeviceType> devices() {
  if (find_cuda()) return {at::kCPU, at::kCUDA};
  return {at::kCPU};
}

/// $DIS_TEST_SEED, else 1: the same tests on fresh numbers.
inline std::uint64_t test_seed() {
  const char* named = std::getenv("DIS_TEST_SEED");
  return named == nullptr ? 1 : std::strtoull(named, nullptr, 10);
}

}  // namespace dis
