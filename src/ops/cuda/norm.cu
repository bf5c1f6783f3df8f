#include "norm.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

template <class T>
void launch_add_rms_norm(const AddRmsNormPointers<T>& p, std::int64_t rows, std::int64_t width, float eps,
                         Stream stream) {
  const auto kernel = in_packs<T>(width, p.a, p.b, p.y) ? add_rms_norm_kernel<T, kPack<T>> : add_rms_norm_kernel<T, 1>;
  launch(kernel, (rows + kRowsPerBlock - 1) / kRowsPerBlock, stream, p, rows, width, eps);
}

template <class T>
void launch_rms_norm_backward(const RmsNormBackwardPointers<T>& p, std::int64_t rows, std::int64_t width,
                              Stream stream) {
  const auto kernel =
      in_packs<T>(width, p.dy, p.y, p.dx) ? rms_norm_backward_kernel<T, kPack<T>> : rms_norm_backward_kernel<T, 1>;
  launch(kernel, (rows + kRowsPerBlock - 1) / kRowsPerBlock, stream, p, rows, width);
}

#define DIS_FOR_TYPE(T)                                                                                       \
  template void launch_add_rms_norm(const AddRmsNormPointers<T>&, std::int64_t, std::int64_t, float, Stream); \
  template void launch_rms_norm_backward(const RmsNormBackwardPointers<T>&, std::int64_t, std::int64_t, Stream);
DIS_FOR_TYPE(float)
DIS_FOR_TYPE(Bf16)
#undef DIS_FOR_TYPE

}  // namespace dis::DIS_CUDA_NAMESPACE
