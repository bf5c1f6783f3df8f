#include "rotary.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

template <class T>
void launch_rotary(T* qkv, const float* cos, const float* sin, const RotaryShape& shape, Stream stream) {
  const auto kernel = in_packs<T>(shape.head / 2, qkv, cos, sin) ? rotary_kernel<T, kPack<T>> : rotary_kernel<T, 1>;
  launch(kernel, shape.rows, stream, qkv, cos, sin, shape);
}

template <class T>
void launch_rotary_backward(const T* dq, const T* dk, const T* dv, T* dqkv, const float* cos, const float* sin,
                            const RotaryShape& shape, Stream stream) {
  const auto kernel = in_packs<T>(shape.head / 2, dq, dk, dv, dqkv, cos, sin) ? rotary_backward_kernel<T, kPack<T>>
                                                                              : rotary_backward_kernel<T, 1>;
  launch(kernel, shape.rows, stream, dq, dk, dv, dqkv, cos, sin, shape);
}

#define DIS_FOR_TYPE(T)                                                                              \
  template void launch_rotary(T*, const float*, const float*, const RotaryShape&, Stream);           \
  template void launch_rotary_backward(const T*, const T*, const T*, T*, const float*, const float*, \
                                       const RotaryShape&, Stream);
DIS_FOR_TYPE(float)
DIS_FOR_TYPE(Bf16)
#undef DIS_FOR_TYPE

}  // namespace dis::DIS_CUDA_NAMESPACE
