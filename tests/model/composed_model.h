// The reference network with leaves of its own, in any type: what dis::Backbone is compared with.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>

#include "dis/model/backbone.h"
#include "dis/model/reference.h"

namespace dis {

class ComposedModel {
 public:
  /// With the weights that `model` has now.
  ComposedModel(const Backbone& model, at::ScalarType type);

  /// Leaves that require gradients, by the official names; the float64 network's are float64, the others' float32.
  std::map<std::string, at::Tensor>& leaves() { return leaves_; }
  reference::Network network() const { return {shape_, views_, rotary_, type_}; }

  /// As Backbone::input; `ids` int32 [B] instead of the rows, so that the puzzle table's gradient is that of the rows.
  at::Tensor input(const at::Tensor& tokens, const at::Tensor& ids, const at::Tensor& steps) const;
  /// latent_reasoning() with gradient through all cycles, instead of the last one.
  States differentiable_reasoning(const at::Tensor& x, States states) const;

 private:
  ModelShape shape_;
  at::ScalarType type_;
  std::map<std::string, at::Tensor> leaves_;
  WeightViews views_;
  RotaryTables rotary_;  // float64
};

}  // namespace dis
