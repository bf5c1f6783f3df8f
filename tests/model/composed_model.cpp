#include "model/composed_model.h"

namespace dis {

ComposedModel::ComposedModel(const Backbone& model, at::ScalarType type) : shape_(model.shape()), type_(type) {
  for (std::size_t i = 0; i < model.weights().table().size(); ++i) {
    const auto leaf = model.weights().tensor(i).to(type == at::kDouble ? at::kDouble : at::kFloat, false, true);
    leaves_[model.weights().table()[i].name] = leaf.detach().requires_grad_();
  }
  views_ = weight_views(shape_, [&](const std::string& name) {
    const auto leaf = leaves_.find(name);
    return leaf == leaves_.end() ? at::Tensor() : leaf->second;
  });
  const auto half = at::arange(shape_.head() / 2, at::kDouble);
  const auto frequency = at::pow(shape_.config.rope_theta, -2.0 * half / static_cast<double>(shape_.head()));
  const auto angle = at::outer(at::arange(shape_.positions(), at::kDouble), frequency);
  rotary_ = {angle.cos(), angle.sin()};
}

at::Tensor ComposedModel::input(const at::Tensor& tokens, const at::Tensor& ids, const at::Tensor& steps) const {
  const auto rows = views_.puzzle.defined() ? views_.puzzle.index_select(0, ids) : at::Tensor();
  return reference::input(network(), {tokens, rows, steps});
}

States ComposedModel::differentiable_reasoning(const at::Tensor& x, States s) const {
  for (std::int64_t cycle = 1; cycle <= shape_.config.H_cycles; ++cycle) {
    for (std::int64_t pass = 1; pass <= shape_.config.L_cycles; ++pass) {
      s.z = reference::stack(network(), s.z + (s.y + x), views_.blocks);
    }
    s.y = reference::stack(network(), s.y + s.z, views_.answer_blocks);
  }
  return s;
}

}  // namespace dis
