// rms(h + swiglu(h)) with an explicit backward pass, on each position or, transposed, over the positions.
#include <torch/torch.h>

#include "../products.h"
#include "dis/model/halves.h"
#include "dis/ops/matmul.h"

namespace dis {
namespace {

class SwigluHalf : public torch::autograd::Function<SwigluHalf> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, const at::Tensor& h,
                            const at::Tensor& gate_up_master, const at::Tensor& down_master,
                            const at::Tensor& gate_up_compute, const at::Tensor& down_compute, double eps) {
    const auto gate_up = product(h, gate_up_compute);
    const auto act = swiglu(gate_up);
    const auto norm = add_rms_norm(h, product(act, down_compute), eps);
    // `act` is cheap to compute again: it is not kept.
    ctx->save_for_backward({h, gate_up_master, down_master, gate_up_compute, down_compute, gate_up, norm.y, norm.rstd});
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
    return {dh, dw_gate_up, dw_down, {}, {}, {}};
  }
};

at::Tensor swiglu_of(const HalfCall& c, const at::Tensor& h) {
  return SwigluHalf::apply(h, c.master[0], c.master[1], c.compute[0], c.compute[1], c.shape.config.rms_norm_eps);
}

}  // namespace

at::Tensor swiglu_half(const HalfCall& call) { return swiglu_of(call, call.h); }

at::Tensor position_swiglu_half(const HalfCall& call) {
  return swiglu_of(call, call.h.transpose(1, 2).contiguous()).transpose(1, 2).contiguous();
}

}  // namespace dis
