#include "adam.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

void launch_adam(const AdamPointers& pointers, std::int64_t count, const AdamScalars& scalars, Stream stream) {
  launch(adam_kernel, blocks_for(count), stream, pointers, count, scalars);
}

}  // namespace dis::DIS_CUDA_NAMESPACE
