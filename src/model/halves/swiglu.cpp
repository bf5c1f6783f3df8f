// rms(h + swiglu(h)) with an explicit backward pass, on each position or, transposed, over the positions.
#include <torch/torch.h>

#include "../products.h"
#include "dis/model/halves.h"
#include "dis/model/reference.h"
#include "dis/ops/matmul.h"

namespace dis {
namespace {

class SwigluHalf : public torch::autograd::Function<SwigluHalf> {
 public:
  /// `h` is the call's, or its transpose.
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, const at::Tensor& h, at::TensorList master,
                            const HalfCall& call) {
    const auto &gate_up_weight = call.compute[0], &down_weight = call.compute[1];
    const auto gate_up = product(h, gate_up_weight);
    const auto act = swiglu(gate_up);
    const auto norm = add_rms_norm(h, product(act, down_weight), call.shape.config.rms_norm_eps);
    // `act` is cheap to compute again: it is not kept.
    ctx->save_for_backward({h, master[0], master[1], gate_up_weight, down_weight, gate_up, norm.y, norm.rstd});
    return norm.y;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const auto s = ctx->get_saved_variables();
    const auto &h = s[0], &gate_up = s[5], &y = s[6], &rstd = s[7];
    const auto dsum = rms_norm_backward(grads[0].contiguous(), y, rstd);
    const auto dw_down = product_dw(dsum, swiglu(gate_up), s[2]);
    const auto dgate_up = swiglu_backward(gate_up, product_dx(dsum, s[4]));
    const auto dw_gate_up = product_dw(dgate_up, h, s[1]);
    const auto dh = matrix_product_onto(rows_of(dsum), rows_of(dgate_up), s[3]).view(h.sizes());
    return {dh, dw_gate_up, dw_down, {}};
  }
};

at::Tensor swiglu_of(const HalfCall& c, const at::Tensor& h) {
  return SwigluHalf::apply(h, at::TensorList(c.master), c);
}

at::Tensor fused_swiglu_half(const HalfCall& call) { return swiglu_of(call, call.h); }

at::Tensor fused_position_swiglu_half(const HalfCall& call) {
  return swiglu_of(call, call.h.transpose(1, 2).contiguous()).transpose(1, 2).contiguous();
}

std::vector<WeightSpec> swiglu_weights(const ModelShape& shape) {
  const auto D = shape.config.hidden_size, I = shape.inner();
  return {matrix("mlp.gate_up_proj.weight", 2 * I, D), matrix("mlp.down_proj.weight", D, I)};
}
double feed_forward_flops(const ModelShape& shape) {
  return swiglu_flops(shape.positions(), shape.config.hidden_size, shape.inner());
}
/// h, gate, up, their product, the result.
double swiglu_kept(const ModelShape& shape) {
  return 2.0 * as_real(shape.config.hidden_size) + 3.0 * as_real(shape.inner());
}

std::vector<WeightSpec> position_swiglu_weights(const ModelShape& shape) {
  const auto S = shape.positions(), I = shape.inner_of(S);
  return {matrix("mlp_t.gate_up_proj.weight", 2 * I, S), matrix("mlp_t.down_proj.weight", S, I)};
}
double position_swiglu_flops(const ModelShape& shape) {
  return swiglu_flops(shape.config.hidden_size, shape.positions(), shape.inner_of(shape.positions()));
}
/// For one position of the network: what swiglu_kept counts, with the sizes exchanged.
double position_swiglu_kept(const ModelShape& shape) {
  const double S = as_real(shape.positions()), I = as_real(shape.inner_of(shape.positions()));
  return as_real(shape.config.hidden_size) * (2.0 + 3.0 * I / S);
}

}  // namespace

extern const Half kSwigluHalf, kPositionSwigluHalf;  // of the table in halves.cpp
const Half kSwigluHalf{swiglu_weights, reference::swiglu_half, fused_swiglu_half, feed_forward_flops, swiglu_kept};
const Half kPositionSwigluHalf{position_swiglu_weights, reference::position_swiglu_half, fused_position_swiglu_half,
                               position_swiglu_flops, position_swiglu_kept};

}  // namespace dis
