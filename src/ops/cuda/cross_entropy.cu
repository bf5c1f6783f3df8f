#include "cross_entropy.cuh"

#include <type_traits>

namespace dis::DIS_CUDA_NAMESPACE {

template <class T>
void launch_cross_entropy(const CrossEntropyPointers<T>& pointers, const CrossEntropyShape& shape, Stream stream) {
  with_loss(shape.loss, [&](const auto& loss) {
    launch(cross_entropy_kernel<T, std::decay_t<decltype(loss)>>, shape.lanes, stream, pointers, shape, loss);
  });
}

template void launch_cross_entropy(const CrossEntropyPointers<float>&, const CrossEntropyShape&, Stream);
template void launch_cross_entropy(const CrossEntropyPointers<Bf16>&, const CrossEntropyShape&, Stream);

}  // namespace dis::DIS_CUDA_NAMESPACE
