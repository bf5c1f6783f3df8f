#include "dis/model/block.h"

#include <torch/torch.h>

#include "dis/ops/matmul.h"

namespace dis {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

/// [.., n] as [rows, n].
at::Tensor rows_of(const at::Tensor& x) { return x.reshape({-1, x.size(-1)}); }

/// x [.., k] times weight [n, k] transposed.
at::Tensor product(const at::Tensor& x, const at::Tensor& weight) {
  auto shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return matrix_product(rows_of(x), weight.t()).view(shape);
}

/// Gradient of x for dy of y = x W^T.
at::Tensor product_dx(const at::Tensor& dy, const at::Tensor& weight) {
  auto shape = dy.sizes().vec();
  shape.back() = weight.size(1);
  return matrix_product(rows_of(dy), weight).view(shape);
}

/// Gradient of W for dy of y = x W^T, float32 (the sum over the n + 1 passes is float32 too).
at::Tensor product_dw(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& master) {
  return matrix_product(rows_of(dy).t(), rows_of(x)).to(master.scalar_type());
}

class Linear : public Function<Linear> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& master,
                            const at::Tensor& compute) {
    ctx->save_for_backward({x, master, compute});
    return product(x, compute);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto dy = grads[0].contiguous();
    return {ctx->needs_input_grad(0) ? product_dx(dy, saved[2]) : at::Tensor(), product_dw(dy, saved[0], saved[1]), {}};
  }
};

/// rms(h + attn(h)).
class AttentionHalf : public Function<AttentionHalf> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& h, const at::Tensor& qkv_master,
                            const at::Tensor& o_master, const BlockWeights& weights, const RotaryTables& rotary,
                            std::int64_t heads, double eps) {
    const auto head = h.size(2) / heads;
    const auto qkv = product(h, weights.qkv).view({h.size(0), h.size(1), 3, heads, head});
    const auto mixed = attention(qkv, rotary);
    const auto norm = add_rms_norm(h, product(mixed.out, weights.o), eps);
    ctx->save_for_backward({h, qkv_master, o_master, weights.qkv, weights.o, rotary.cos, rotary.sin, qkv, mixed.out,
                            mixed.lse, norm.y, norm.rstd});
    return norm.y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto s = ctx->get_saved_variables();
    const auto &h = s[0], &qkv = s[7], &out = s[8], &lse = s[9], &y = s[10], &rstd = s[11];
    const auto dsum = rms_norm_backward(grads[0].contiguous(), y, rstd);  // of h and of attn(h) alike
    const auto dout = product_dx(dsum, s[4]);
    auto dqkv = attention_backward(dout, qkv, {out, lse}, {s[5], s[6]}).flatten(2);
    const auto dw_o = product_dw(dsum, out, s[2]);
    const auto dw_qkv = product_dw(dqkv, h, s[1]);
    const auto dh = matrix_product_onto(rows_of(dsum), rows_of(dqkv), s[3]).view(h.sizes());
    return {dh, dw_qkv, dw_o, {}, {}, {}, {}};
  }
};

/// rms(h + swiglu(h)).
class SwigluHalf : public Function<SwigluHalf> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& h, const at::Tensor& gate_up_master,
                            const at::Tensor& down_master, const at::Tensor& gate_up_compute,
                            const at::Tensor& down_compute, double eps) {
    const auto gate_up = product(h, gate_up_compute);
    const auto act = swiglu(gate_up);
    const auto norm = add_rms_norm(h, product(act, down_compute), eps);
    // `act` is cheap to compute again: it is not kept.
    ctx->save_for_backward({h, gate_up_master, down_master, gate_up_compute, down_compute, gate_up, norm.y, norm.rstd});
    return norm.y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
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

/// The block's first half with model.mlp_t: [B, S, D] -> [B, S, D].
at::Tensor mix_positions(const at::Tensor& h, const BlockWeights& master, const BlockWeights& compute, double eps) {
  return SwigluHalf::apply(h.transpose(1, 2).contiguous(), master.token_gate_up, master.token_down,
                           compute.token_gate_up, compute.token_down, eps)
      .transpose(1, 2)
      .contiguous();
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& master, const at::Tensor& compute) {
  return Linear::apply(x, master, compute);
}

at::Tensor block(const at::Tensor& h, const BlockWeights& master, const BlockWeights& compute,
                 const RotaryTables& rotary, std::int64_t heads, double eps) {
  const auto mixed = master.qkv.defined() ? AttentionHalf::apply(h, master.qkv, master.o, compute, rotary, heads, eps)
                                          : mix_positions(h, master, compute, eps);
  return SwigluHalf::apply(mixed, master.gate_up, master.down, compute.gate_up, compute.down, eps);
}

}  // namespace dis
