#include "sign_sgd.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

void launch_sign_sgd(float* table, const std::int32_t* ids, const float* gradient, const float* rates,
                     const SignSgdShape& shape, Stream stream) {
  launch(sign_sgd_kernel, shape.lanes, stream, table, ids, gradient, rates, shape);
}

}  // namespace dis::DIS_CUDA_NAMESPACE
