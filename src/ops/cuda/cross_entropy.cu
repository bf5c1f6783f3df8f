#include "cross_entropy.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

template <class T>
void launch_cross_entropy(const T* logits, const std::int32_t* target, const double* scale, double* loss, T* dlogits,
                          std::int32_t* predictions, const CrossEntropyShape& shape, Stream stream) {
  launch(cross_entropy_kernel<T>, shape.lanes, stream, logits, target, scale, loss, dlogits, predictions, shape);
}

#define DIS_FOR_TYPE(T)                                                                                        \
  template void launch_cross_entropy(const T*, const std::int32_t*, const double*, double*, T*, std::int32_t*, \
                                     const CrossEntropyShape&, Stream);
DIS_FOR_TYPE(float)
DIS_FOR_TYPE(Bf16)
#undef DIS_FOR_TYPE

}  // namespace dis::DIS_CUDA_NAMESPACE
