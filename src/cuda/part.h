// The pieces of the CUDA part (dis/ops/cuda_part.h), which part.cpp puts together.
#pragma once

#include "dis/ops/cuda_part.h"

namespace dis::cuda {

CudaKernels kernels();
std::unique_ptr<CudaGraph> graph(at::Device device);
c10::intrusive_ptr<c10d::Backend> nccl_group(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                                             int index, std::chrono::milliseconds timeout);

}  // namespace dis::cuda
