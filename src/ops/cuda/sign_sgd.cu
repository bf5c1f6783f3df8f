#include "sign_sgd.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

void launch_sign_sgd(float* table, const std::int32_t* ids, const float* gradient, const SignSgdShape& shape, float lr,
                     float decay, Stream stream) {
  launch(sign_sgd_kernel, shape.lanes, stream, table, ids, gradient, shape, lr, decay);
}

}  // namespace dis::DIS_CUDA_NAMESPACE
