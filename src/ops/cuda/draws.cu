#include "draws.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

template <class T>
void launch_add_draws(const DrawPointers<T>& pointers, const DrawShape& shape, Stream stream) {
  launch(add_draws_kernel<T>, blocks_for(shape.rows * ((shape.numbers + 3) / 4)), stream, pointers, shape);
}

template void launch_add_draws(const DrawPointers<float>&, const DrawShape&, Stream);
template void launch_add_draws(const DrawPointers<Bf16>&, const DrawShape&, Stream);

}  // namespace dis::DIS_CUDA_NAMESPACE
