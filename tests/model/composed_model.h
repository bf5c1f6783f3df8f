// The backbone composed of plain LibTorch operations under LibTorch's own autograd: what dis::Backbone is compared
// with.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>

#include "dis/model/backbone.h"

namespace dis {

/// In float64 the exact network; in float32 or bfloat16 the plain one: float32 weights cast at every use, norm and
/// rotary embedding in float32. Needs shape().config.puzzle_emb_len >= 1.
class ComposedModel {
 public:
  /// With the weights that `model` has now.
  ComposedModel(const Backbone& model, at::ScalarType type);

  /// Leaves that require gradients, by the official names; the float64 network's are float64, the others' float32.
  std::map<std::string, at::Tensor>& leaves() { return leaves_; }
  const at::Tensor& leaf(const std::string& name) const { return leaves_.at("model.inner." + name); }

  States initial_states(std::int64_t lanes) const;
  /// As Backbone::input; `ids` int32 [B] instead of the rows, so that the puzzle table's gradient is that of the rows.
  at::Tensor input(const at::Tensor& tokens, const at::Tensor& ids, const at::Tensor& steps) const;
  /// `whole`: gradient through all cycles, instead of the last one.
  States latent_reasoning(const at::Tensor& x, States states, bool whole = false) const;
  at::Tensor readout(const at::Tensor& y) const;  ///< logits [B, S, V]
  at::Tensor halting(const at::Tensor& y) const;  ///< [B, 2]

 private:
  at::Tensor cast(const std::string& name) const { return leaf(name).to(type_); }
  at::Tensor stack(at::Tensor h, const std::string& level = "L_level") const;

  ModelShape shape_;
  at::ScalarType type_;
  std::map<std::string, at::Tensor> leaves_;
  at::Tensor cos_, sin_;  // float64 [S, h / 2]
};

}  // namespace dis
