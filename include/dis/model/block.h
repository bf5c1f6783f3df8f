// One block of the backbone (method section 1), as two autograd functions with explicit backward passes:
//   h = rms(h + attn(h)),  h = rms(h + swiglu(h)).
// With model.mlp_t the first is rms(h' + swiglu(h')) of the transposed h' [B, D, S]: a SwiGLU over the positions, and a
// norm over them, in place of attention.
#pragma once

#include <ATen/core/Tensor.h>

#include "dis/model/weights.h"
#include "dis/ops/fused.h"

namespace dis {

/// h [B, S, D] in the compute type -> [B, S, D]. Products use `compute`; gradients go to `master` in float32.
at::Tensor block(const at::Tensor& h, const BlockWeights& master, const BlockWeights& compute,
                 const RotaryTables& rotary, std::int64_t heads, double eps);

/// x W^T without bias, the product in the type of x; the gradient of the weight goes to `master` in float32.
at::Tensor linear(const at::Tensor& x, const at::Tensor& master, const at::Tensor& compute);

}  // namespace dis
