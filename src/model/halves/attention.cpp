// rms(h + attn(h)) with an explicit backward pass.
#include <torch/torch.h>

#include "../products.h"
#include "dis/model/halves.h"
#include "dis/model/reference.h"
#include "dis/ops/matmul.h"

namespace dis {
namespace {

class AttentionHalf : public torch::autograd::Function<AttentionHalf> {
 public:
  /// h and the leaves apart from the call, as autograd looks for tensors among the arguments.
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, const at::Tensor& h, at::TensorList master,
                            const HalfCall& call) {
    const auto &qkv_weight = call.compute[0], &o_weight = call.compute[1];
    const auto heads = call.shape.config.num_heads;
    const auto qkv = product(h, qkv_weight).view({h.size(0), h.size(1), 3, heads, h.size(2) / heads});
    const auto mixed = attention(qkv, call.rotary);
    const auto norm = add_rms_norm(h, product(mixed.out, o_weight), call.shape.config.rms_norm_eps);
    ctx->save_for_backward({h, master[0], master[1], qkv_weight, o_weight, call.rotary.cos, call.rotary.sin, qkv,
                            mixed.out, mixed.lse, norm.y, norm.rstd});
    return norm.y;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const auto s = ctx->get_saved_variables();
    const auto &h = s[0], &qkv = s[7], &out = s[8], &lse = s[9], &y = s[10], &rstd = s[11];
    const auto dsum = rms_norm_backward(grads[0].contiguous(), y, rstd);  // of h and of attn(h) alike
    const auto dout = product_dx(dsum, s[4]);
    auto dqkv = attention_backward(dout, qkv, {out, lse}, {s[5], s[6]}).flatten(2);
    const auto dw_o = product_dw(dsum, out, s[2]);
    const auto dw_qkv = product_dw(dqkv, h, s[1]);
    const auto dh = matrix_product_onto(rows_of(dsum), rows_of(dqkv), s[3]).view(h.sizes());
    return {dh, dw_qkv, dw_o, {}};
  }
};

at::Tensor fused_attention_half(const HalfCall& c) { return AttentionHalf::apply(c.h, at::TensorList(c.master), c); }

std::vector<WeightSpec> attention_weights(const ModelShape& shape) {
  const auto D = shape.config.hidden_size;
  return {matrix("self_attn.qkv_proj.weight", 3 * D, D), matrix("self_attn.o_proj.weight", D, D)};
}
double attention_flops(const ModelShape& shape) {
  const double S = as_real(shape.positions()), D = as_real(shape.config.hidden_size);
  return S * (8.0 * D * D + 4.0 * S * D);
}
/// h, q, k, v, what is mixed, the result.
double attention_kept(const ModelShape& shape) { return 6.0 * as_real(shape.config.hidden_size); }

}  // namespace

extern const Half kAttentionHalf;  // of the table in halves.cpp
const Half kAttentionHalf{attention_weights, reference::attention_half, fused_attention_half, attention_flops,
                          attention_kept};

}  // namespace dis
