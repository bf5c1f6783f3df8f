#include "adam.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

void launch_adam(const AdamPointers& pointers, std::int64_t count, const AdamScalars* scalars, bool atan2,
                 Stream stream) {
  constexpr int N = kPack<float>;
  if (in_packs<float>(0, pointers.p, pointers.g, pointers.m, pointers.v, pointers.ema, pointers.copy)) {
    launch(adam_kernel<N>, blocks_for((count + N - 1) / N), stream, pointers, count, scalars, atan2);
  } else {
    launch(adam_kernel<1>, blocks_for(count), stream, pointers, count, scalars, atan2);
  }
}

}  // namespace dis::DIS_CUDA_NAMESPACE
