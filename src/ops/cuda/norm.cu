#include "norm.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

template <class T>
void launch_add_rms_norm(const T* a, const T* b, T* y, float* rstd, std::int64_t rows, std::int64_t width, float eps,
                         Stream stream) {
  const auto kernel = in_packs<T>(width, a, b, y) ? add_rms_norm_kernel<T, kPack<T>> : add_rms_norm_kernel<T, 1>;
  launch(kernel, (rows + kRowsPerBlock - 1) / kRowsPerBlock, stream, a, b, y, rstd, rows, width, eps);
}

template <class T>
void launch_rms_norm_backward(const T* dy, const T* y, const float* rstd, T* dx, std::int64_t rows, std::int64_t width,
                              Stream stream) {
  const auto kernel =
      in_packs<T>(width, dy, y, dx) ? rms_norm_backward_kernel<T, kPack<T>> : rms_norm_backward_kernel<T, 1>;
  launch(kernel, (rows + kRowsPerBlock - 1) / kRowsPerBlock, stream, dy, y, rstd, dx, rows, width);
}

#define DIS_FOR_TYPE(T)                                                                                         \
  template void launch_add_rms_norm(const T*, const T*, T*, float*, std::int64_t, std::int64_t, float, Stream); \
  template void launch_rms_norm_backward(const T*, const T*, const float*, T*, std::int64_t, std::int64_t, Stream);
DIS_FOR_TYPE(float)
DIS_FOR_TYPE(Bf16)
#undef DIS_FOR_TYPE

}  // namespace dis::DIS_CUDA_NAMESPACE
