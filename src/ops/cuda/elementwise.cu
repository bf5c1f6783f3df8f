#include "elementwise.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

template <class T>
void launch_swiglu(const T* gate_up, T* out, std::int64_t rows, std::int64_t inner, Stream stream) {
  const auto kernel = in_packs<T>(inner, gate_up, out) ? swiglu_kernel<T, kPack<T>> : swiglu_kernel<T, 1>;
  launch(kernel, rows, stream, gate_up, out, inner);
}

template <class T>
void launch_swiglu_backward(const T* gate_up, const T* dout, T* dgate_up, std::int64_t rows, std::int64_t inner,
                            Stream stream) {
  const auto kernel =
      in_packs<T>(inner, gate_up, dout, dgate_up) ? swiglu_backward_kernel<T, kPack<T>> : swiglu_backward_kernel<T, 1>;
  launch(kernel, rows, stream, gate_up, dout, dgate_up, inner);
}

template <class T>
void launch_add3(const T* a, const T* b, const T* c, T* out, std::int64_t count, Stream stream) {
  if (in_packs<T>(0, a, b, c, out)) {
    launch(add3_kernel<T, kPack<T>>, blocks_for((count + kPack<T> - 1) / kPack<T>), stream, a, b, c, out, count);
  } else {
    launch(add3_kernel<T, 1>, blocks_for(count), stream, a, b, c, out, count);
  }
}

#define DIS_FOR_TYPE(T)                                                                             \
  template void launch_swiglu(const T*, T*, std::int64_t, std::int64_t, Stream);                    \
  template void launch_swiglu_backward(const T*, const T*, T*, std::int64_t, std::int64_t, Stream); \
  template void launch_add3(const T*, const T*, const T*, T*, std::int64_t, Stream);
DIS_FOR_TYPE(float)
DIS_FOR_TYPE(Bf16)
#undef DIS_FOR_TYPE

}  // namespace dis::DIS_CUDA_NAMESPACE
