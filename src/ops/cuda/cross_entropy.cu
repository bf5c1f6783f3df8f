#include "cross_entropy.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

template <class T>
void launch_cross_entropy(const CrossEntropyPointers<T>& pointers, const CrossEntropyShape& shape, Stream stream) {
  launch(cross_entropy_kernel<T>, shape.lanes, stream, pointers, shape);
}

template void launch_cross_entropy(const CrossEntropyPointers<float>&, const CrossEntropyShape&, Stream);
template void launch_cross_entropy(const CrossEntropyPointers<Bf16>&, const CrossEntropyShape&, Stream);

}  // namespace dis::DIS_CUDA_NAMESPACE
