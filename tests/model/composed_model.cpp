#include "model/composed_model.h"

#include <torch/torch.h>

#include <cmath>

#include "dis/ops/reference.h"

namespace dis {

ComposedModel::ComposedModel(const Backbone& model, at::ScalarType type) : shape_(model.shape()), type_(type) {
  for (std::size_t i = 0; i < model.weights().table().size(); ++i) {
    const auto leaf = model.weights().tensor(i).to(type == at::kDouble ? at::kDouble : at::kFloat, false, true);
    leaves_[model.weights().table()[i].name] = leaf.detach().requires_grad_();
  }
  const auto half = at::arange(shape_.head() / 2, at::kDouble);
  const auto frequency = at::pow(shape_.config.rope_theta, -2.0 * half / static_cast<double>(shape_.head()));
  const auto angle = at::outer(at::arange(shape_.positions(), at::kDouble), frequency);
  cos_ = angle.cos();
  sin_ = angle.sin();
}

States ComposedModel::initial_states(std::int64_t lanes) const {
  const auto spread = [&](const std::string& name) {
    return cast(name).detach().expand({lanes, shape_.positions(), shape_.config.hidden_size});
  };
  return {spread("H_init"), spread("L_init")};
}

at::Tensor ComposedModel::input(const at::Tensor& tokens, const at::Tensor& ids, const at::Tensor& steps) const {
  const auto width = shape_.config.hidden_size;
  const auto numbers = shape_.config.puzzle_emb_len * width;
  at::Tensor rows = at::zeros({tokens.size(0), numbers}, type_);
  if (shape_.config.puzzle_embedding) {
    rows = at::constant_pad_nd(leaf("puzzle_emb.weights").index_select(0, ids),
                               {0, numbers - shape_.config.puzzle_emb_ndim});
  }
  at::Tensor time;
  if (shape_.time == TimeEmbedding::integer) time = leaf("timestep_embed.embedding_weight").index_select(0, steps);
  if (shape_.time == TimeEmbedding::continuous) {
    const auto i = at::arange(width / 2, at::kDouble) / static_cast<double>(width / 2);
    const auto t = steps.to(at::kDouble) / static_cast<double>(shape_.supervision);
    const auto angle = at::outer(1000.0 * t, at::pow(10000.0, -i));
    time = at::cat({angle.sin(), angle.cos()}, 1) * std::sqrt(2.0 / static_cast<double>(width));
  }
  return reference::embed(tokens, leaf("embed_tokens.embedding_weight"), rows, time, type_);
}

at::Tensor ComposedModel::stack(at::Tensor h, const std::string& level) const {
  const auto eps = shape_.config.rms_norm_eps;
  for (std::int64_t i = 0; i < shape_.config.num_layers; ++i) {
    const auto layer = level + ".layers." + std::to_string(i) + ".";
    if (shape_.config.mlp_t) {
      const auto turned = h.transpose(1, 2);
      const auto act = reference::swiglu(at::linear(turned, cast(layer + "mlp_t.gate_up_proj.weight")));
      h = reference::rms_norm(turned + at::linear(act, cast(layer + "mlp_t.down_proj.weight")), eps).transpose(1, 2);
    } else {
      const auto qkv = at::linear(h, cast(layer + "self_attn.qkv_proj.weight"))
                           .unflatten(2, {3, shape_.config.num_heads, shape_.head()});
      const auto mixed = reference::attention(qkv, cos_, sin_);
      h = reference::rms_norm(h + at::linear(mixed, cast(layer + "self_attn.o_proj.weight")), eps);
    }
    const auto act = reference::swiglu(at::linear(h, cast(layer + "mlp.gate_up_proj.weight")));
    h = reference::rms_norm(h + at::linear(act, cast(layer + "mlp.down_proj.weight")), eps);
  }
  return h;
}

States ComposedModel::latent_reasoning(const at::Tensor& x, States s, bool whole) const {
  for (std::int64_t cycle = 1; cycle <= shape_.config.H_cycles; ++cycle) {
    if (!whole) s = {s.y.detach(), s.z.detach()};
    for (std::int64_t pass = 1; pass <= shape_.config.L_cycles; ++pass) {
      if (shape_.hierarchical && pass == shape_.config.L_cycles) s.z = s.z.detach();  // HRM: only the last one learns
      s.z = stack(s.z + (s.y + x));
    }
    s.y = stack(s.y + s.z, shape_.hierarchical ? "H_level" : "L_level");
  }
  return s;
}

at::Tensor ComposedModel::readout(const at::Tensor& y) const { return at::linear(y, cast("lm_head.weight")); }

at::Tensor ComposedModel::halting(const at::Tensor& y) const {
  return at::linear(y.select(1, 0), cast("q_head.weight"), cast("q_head.bias"));
}

}  // namespace dis
