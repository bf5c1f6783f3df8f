// The fused operations of a block, forward and backward, without autograd: model/block.cpp composes them.
//
// On the CPU in float32 and bfloat16 they run our kernels (src/ops/cpu); on any other device or type they are composed
// of LibTorch's operations. Inputs are contiguous; a wrong shape or type is a bug and throws std::logic_error with the
// operation's name. ops/reference.h holds the plain definitions that the tests compare with.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace dis {

/// y = rms(a + b) with rms(x) = x rsqrt(mean(x^2) + eps) over the last dimension, in float32 (method section 1).
struct RmsNorm {
  at::Tensor y;     ///< as a
  at::Tensor rstd;  ///< float32, [rows]: 1 / root mean square
};
/// a, b [..., D]. `b`'s memory is reused for y.
RmsNorm add_rms_norm(const at::Tensor& a, const at::Tensor& b, double eps);
/// Gradient of the sum a + b, from dy, y [..., D] and rstd.
at::Tensor rms_norm_backward(const at::Tensor& dy, const at::Tensor& y, const at::Tensor& rstd);

/// cos and sin of the rotary embedding, float32 [S, head / 2]: angle = position theta^(-2 i / head).
struct RotaryTables {
  at::Tensor cos, sin;
};
RotaryTables rotary_tables(std::int64_t positions, std::int64_t head, double theta, at::Device device);

/// Softmax attention over packed q|k|v, all positions seeing all (no causal mask), rotary on q and k (rotate-half
/// form).
struct Attention {
  at::Tensor out;  ///< [B, S, D]
  at::Tensor lse;  ///< log of the soft-max sums, for the backward pass
};
/// qkv [B, S, 3, H, h]; what the call leaves in it is for attention_backward alone (CUDA rotates q and k in place).
Attention attention(at::Tensor qkv, const RotaryTables& rotary);
/// dqkv [B, S, 3, H, h] from dout [B, S, D], the qkv that attention() left and its results.
at::Tensor attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const Attention& forward,
                              const RotaryTables& rotary);

/// silu(gate) up: [..., 2 I], gate first -> [..., I].
at::Tensor swiglu(const at::Tensor& gate_up);
at::Tensor swiglu_backward(const at::Tensor& gate_up, const at::Tensor& dout);

/// a + (b + c), all of one shape, in one pass.
at::Tensor add3(const at::Tensor& a, const at::Tensor& b, const at::Tensor& c);

}  // namespace dis
