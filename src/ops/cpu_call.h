// How the operations call the CPU's inner loops: typed pointers, and rows split among LibTorch's threads.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include "cpu/kernels.h"
#include "dis/ops/kernel_choice.h"

namespace dis {

/// Whether our CPU kernels take this tensor.
inline bool on_cpu_kernels(const at::Tensor& x) {
  return own_kernels() && x.device().is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

/// Calls f with a value of the element type (float or Bf16) of `x`.
template <class F>
auto with_element_type(const at::Tensor& x, F f) {
  return x.scalar_type() == at::kFloat ? f(float{}) : f(Bf16{});
}

template <class T>
T* pointer(const at::Tensor& x) {
  return static_cast<T*>(x.data_ptr());
}

/// Null for a tensor that is not defined.
template <class T>
T* optional(const at::Tensor& x) {
  return x.defined() ? pointer<T>(x) : nullptr;
}

/// Splits rows 0..rows-1 among the threads in pieces worth at least about 32,000 elements each.
template <class F>
void for_rows(std::int64_t rows, std::int64_t elements_per_row, F f) {
  at::parallel_for(0, rows, std::max<std::int64_t>(1, 32768 / std::max<std::int64_t>(1, elements_per_row)), f);
}

}  // namespace dis
