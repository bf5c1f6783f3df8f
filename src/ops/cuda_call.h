// Which tensors the CUDA kernels take.
#pragma once

#include <ATen/core/Tensor.h>

#include "dis/ops/cuda_part.h"
#include "dis/ops/kernel_choice.h"

namespace dis {

/// The kernels for this tensor; null where it is not theirs.
inline const CudaKernels* cuda_kernels(const at::Tensor& x) {
  const bool theirs = own_kernels() && x.is_cuda() && cuda_part() != nullptr &&
                      (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
  return theirs ? &cuda_part()->kernels : nullptr;
}

}  // namespace dis
