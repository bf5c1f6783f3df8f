// Whether the CUDA kernels take a tensor, and the operations that then run them (cuda/ops.cpp).
//
// Call them as `if constexpr (kCudaKernels) { if (on_cuda_kernels(x)) return cuda::...; }`: without CUDA their names
// are not needed when linking. The operation has checked its arguments.
#pragma once

#include <ATen/core/Tensor.h>

#include "cpu/kernels.h"
#include "dis/ops/adam.h"
#include "dis/ops/cross_entropy.h"
#include "dis/ops/embed.h"
#include "dis/ops/fused.h"
#include "dis/ops/kernel_choice.h"

namespace dis {

#ifdef DIS_WITH_CUDA
inline constexpr bool kCudaKernels = true;
#else
inline constexpr bool kCudaKernels = false;
#endif

inline bool on_cuda_kernels(const at::Tensor& x) {
  return kCudaKernels && own_kernels() && x.is_cuda() &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

namespace cuda {

RmsNorm add_rms_norm(const at::Tensor& a, const at::Tensor& b, double eps);
at::Tensor rms_norm_backward(const at::Tensor& dy, const at::Tensor& y, const at::Tensor& rstd);
/// Rotates q and k of qkv [B, S, 3, H, h] in place.
void rotary(const at::Tensor& qkv, const RotaryTables& tables);
/// dqkv [B, S, 3, H, h] from the contiguous gradients [B, S, H, h] of the rotated q and k and of v.
at::Tensor rotary_backward(const at::Tensor& dq, const at::Tensor& dk, const at::Tensor& dv,
                           const RotaryTables& tables);
at::Tensor swiglu(const at::Tensor& gate_up);
at::Tensor swiglu_backward(const at::Tensor& gate_up, const at::Tensor& dout);
at::Tensor add3(const at::Tensor& a, const at::Tensor& b, const at::Tensor& c);
CrossEntropy cross_entropy(const at::Tensor& logits, const at::Tensor& target, const at::Tensor& scale, bool stablemax,
                           std::int64_t answers, const at::Tensor& labels);
at::Tensor embed(const EmbedInputs& in, at::ScalarType type, double scale);
/// The gradients of the token table and of the time table.
EmbedGradients embed_backward(const EmbedInputs& in, const at::Tensor& dx, double scale);
void adam(const AdamBuffers& buffers, const at::Tensor& scalars, bool atan2);
void sign_sgd(const at::Tensor& table, const at::Tensor& ids, const at::Tensor& gradient, const at::Tensor& rates);

}  // namespace cuda
}  // namespace dis
