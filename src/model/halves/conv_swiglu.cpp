// SwiGLU with a depth-wise convolution over each position and the one before it (URM, arXiv 2512.14693), with an
// explicit backward pass; the convolution is LibTorch's operations, in float32.
#include <torch/torch.h>

#include <cmath>

#include "../products.h"
#include "dis/model/halves.h"
#include "dis/model/reference.h"
#include "dis/ops/matmul.h"

namespace dis {
namespace {

/// x [B, S, I] with each position's numbers moved to the next one, or to the one before; zeros come in.
at::Tensor moved_on(const at::Tensor& x) { return at::constant_pad_nd(x, {0, 0, 1, -1}); }
at::Tensor moved_back(const at::Tensor& x) { return at::constant_pad_nd(x, {0, 0, -1, 1}); }

/// The two weights of each channel, [I] each, from [I, 1, 2].
at::Tensor tap(const at::Tensor& weight, std::int64_t which) {
  return weight.select(2, which).squeeze(1).to(at::kFloat);
}

/// c [B, S, I] in float32 from a [B, S, I].
at::Tensor convolution(const at::Tensor& a, const at::Tensor& weight, const at::Tensor& bias) {
  const auto wide = a.to(at::kFloat);
  return tap(weight, 0) * moved_on(wide) + tap(weight, 1) * wide + bias.to(at::kFloat);
}

/// [I] from [B, S, I].
at::Tensor channel_sums(const at::Tensor& x) { return x.flatten(0, 1).sum(0); }

class ConvSwigluHalf : public torch::autograd::Function<ConvSwigluHalf> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, const at::Tensor& h, at::TensorList master,
                            const HalfCall& call) {
    const auto& weights = call.compute;
    const auto gate_up = product(h, weights[0]);
    const auto c = convolution(swiglu(gate_up), weights[1], weights[2]);
    const auto act = at::silu(c).to(h.scalar_type());
    const auto norm = add_rms_norm(h, product(act, weights[3]), call.shape.config.rms_norm_eps);
    // What is cheap to compute again is not kept.
    ctx->save_for_backward(
        {h, master[0], master[3], weights[0], weights[1], weights[2], weights[3], gate_up, norm.y, norm.rstd});
    return norm.y;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const auto s = ctx->get_saved_variables();
    const auto &h = s[0], &gate_up = s[7];
    const auto a = swiglu(gate_up);
    const auto c = convolution(a, s[4], s[5]);
    const auto dsum = rms_norm_backward(grads[0].contiguous(), s[8], s[9]);
    const auto dw_down = product_dw(dsum, at::silu(c).to(h.scalar_type()), s[2]);
    const auto dc = at::silu_backward(product_dx(dsum, s[6]).to(at::kFloat), c);  // float32
    const auto wide = a.to(at::kFloat);
    const auto taps = at::stack({channel_sums(dc * moved_on(wide)), channel_sums(dc * wide)}, -1).unsqueeze(1);
    const auto da = tap(s[4], 1) * dc + tap(s[4], 0) * moved_back(dc);
    const auto dgate_up = swiglu_backward(gate_up, da.to(h.scalar_type()));
    const auto dw_gate_up = product_dw(dgate_up, h, s[1]);
    const auto dh = matrix_product_onto(rows_of(dsum), rows_of(dgate_up), s[3]).view(h.sizes());
    return {dh, dw_gate_up, taps, channel_sums(dc), dw_down, {}};
  }
};

at::Tensor fused_conv_swiglu_half(const HalfCall& c) { return ConvSwigluHalf::apply(c.h, at::TensorList(c.master), c); }

std::vector<WeightSpec> conv_swiglu_weights(const ModelShape& shape) {
  const auto D = shape.config.hidden_size, I = shape.inner();
  const double bound = std::sqrt(0.5);  // PyTorch's default of a convolution with a kernel of 2
  return {matrix("mlp.gate_up_proj.weight", 2 * I, D),
          {"mlp.dwconv.weight", {I, 1, 2}, WeightKind::parameter, 0.0, 0.0, bound},
          {"mlp.dwconv.bias", {I}, WeightKind::parameter, 0.0, 0.0, bound},
          matrix("mlp.down_proj.weight", D, I)};
}
/// Of the products; the convolution is none.
double conv_swiglu_flops(const ModelShape& shape) {
  return swiglu_flops(shape.positions(), shape.config.hidden_size, shape.inner());
}
double conv_swiglu_kept(const ModelShape& shape) {
  return 2.0 * as_real(shape.config.hidden_size) + 2.0 * as_real(shape.inner());
}

}  // namespace

extern const Half kConvSwigluHalf;  // of the table in halves.cpp
const Half kConvSwigluHalf{conv_swiglu_weights, reference::conv_swiglu_half, fused_conv_swiglu_half, conv_swiglu_flops,
                           conv_swiglu_kept};

}  // namespace dis
