#include "rotary.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

template <class T>
void launch_rotary(T* qkv, const RotaryPointers& tables, const RotaryShape& shape, Stream stream) {
  const auto kernel =
      in_packs<T>(shape.head / 2, qkv, tables.cos, tables.sin) ? rotary_kernel<T, kPack<T>> : rotary_kernel<T, 1>;
  launch(kernel, shape.rows, stream, qkv, tables, shape);
}

template <class T>
void launch_rotary_backward(const RotaryBackwardPointers<T>& p, const RotaryPointers& tables, const RotaryShape& shape,
                            Stream stream) {
  const auto kernel = in_packs<T>(shape.head / 2, p.dq, p.dk, p.dv, p.dqkv, tables.cos, tables.sin)
                          ? rotary_backward_kernel<T, kPack<T>>
                          : rotary_backward_kernel<T, 1>;
  launch(kernel, shape.rows, stream, p, tables, shape);
}

#define DIS_FOR_TYPE(T)                                                                                             \
  template void launch_rotary(T*, const RotaryPointers&, const RotaryShape&, Stream);                               \
  template void launch_rotary_backward(const RotaryBackwardPointers<T>&, const RotaryPointers&, const RotaryShape&, \
                                       Stream);
DIS_FOR_TYPE(float)
DIS_FOR_TYPE(Bf16)
#undef DIS_FOR_TYPE

}  // namespace dis::DIS_CUDA_NAMESPACE
