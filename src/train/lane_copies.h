// Samples on their way to the device.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "dis/core/cpus.h"

namespace dis {

/// Copies plain numbers to `to` without waiting: by way of pinned memory, which LibTorch keeps until it is done.
inline void copy_numbers(const std::vector<std::int32_t>& from, at::Tensor to) {
  auto staged = at::empty(to.sizes(), at::TensorOptions().dtype(at::kInt).pinned_memory(to.is_cuda()));
  std::memcpy(staged.data_ptr(), from.data(), from.size() * sizeof(std::int32_t));
  to.copy_(staged, true);
}

/// The positions in the training stream of a load's samples.
inline at::Tensor sample_numbers(std::int64_t first, const at::Tensor& like) {
  return at::arange(first, first + like.size(0), like.options());
}

/// Threads that draw samples ahead. A GPU waits for them; on the CPU the cores have other work, and drawing is a small
/// part of it.
inline std::size_t loader_threads(at::Device device) {
  return device.is_cpu() ? 1 : static_cast<std::size_t>(std::clamp(usable_threads() / 2, 1, 8));
}

}  // namespace dis
