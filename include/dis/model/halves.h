// The halves of a block, h <- rms(h + f(h)): one mixes the positions, the other works on each by itself (method
// section 1). Which two a network has, model.mlp_t and model.mlp say.
//
// A half is a row of a table (src/model/halves.cpp): its weights, its plain definition, a faster one with an explicit
// backward pass where there is one, and its arithmetic. A new half needs no faster one to train.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "dis/model/weights.h"
#include "dis/ops/fused.h"

namespace dis {

/// What a half works on: h [B, S, D] in the compute type; its weights in the order of Half::weights, as leaves for
/// autograd (float32) and in the compute type.
struct HalfCall {
  const ModelShape& shape;
  const RotaryTables& rotary;
  const at::Tensor& h;
  const HalfWeights &master, &compute;
};

struct Half {
  /// Names within the layer ("mlp.down_proj.weight"), shapes, initial values.
  std::vector<WeightSpec> (*weights)(const ModelShape& shape);
  /// rms(h + f(h)) in plain LibTorch under autograd (model/reference.h).
  at::Tensor (*reference)(const HalfCall& call);
  /// The same, faster; null: there is only the reference.
  at::Tensor (*fused)(const HalfCall& call);
  /// Of one sample, forward; a multiply-add counts two.
  double (*flops)(const ModelShape& shape);
  /// Numbers that the backward pass keeps of one position.
  double (*kept)(const ModelShape& shape);
};

/// The halves of the network's blocks, in their order.
std::vector<Half> halves_of(const ModelConfig& config);

/// rms(h + f(h)) as compute.fused says.
at::Tensor apply(const Half& half, const HalfCall& call);

}  // namespace dis
