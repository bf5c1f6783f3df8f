#include "dis/model/halves.h"

#include <ATen/ATen.h>

#include <cmath>

#include "dis/model/reference.h"
#include "dis/ops/kernel_choice.h"

namespace dis {
namespace {

double real(std::int64_t number) { return static_cast<double>(number); }

/// A weight [out, in] whose products keep the spread of what they are given.
WeightSpec matrix(const char* name, std::int64_t out, std::int64_t in) {
  return {name, {out, in}, WeightKind::parameter, 1.0 / std::sqrt(real(in))};
}

std::vector<WeightSpec> attention_weights(const ModelShape& shape) {
  const auto D = shape.config.hidden_size;
  return {matrix("self_attn.qkv_proj.weight", 3 * D, D), matrix("self_attn.o_proj.weight", D, D)};
}
double attention_flops(const ModelShape& shape) {
  const double S = real(shape.positions()), D = real(shape.config.hidden_size);
  return S * (8.0 * D * D + 4.0 * S * D);
}
/// h, q, k, v, what is mixed, the result.
double attention_kept(const ModelShape& shape) { return 6.0 * real(shape.config.hidden_size); }

std::vector<WeightSpec> position_swiglu_weights(const ModelShape& shape) {
  const auto S = shape.positions(), I = shape.inner_of(S);
  return {matrix("mlp_t.gate_up_proj.weight", 2 * I, S), matrix("mlp_t.down_proj.weight", S, I)};
}
double position_swiglu_flops(const ModelShape& shape) {
  return 6.0 * real(shape.config.hidden_size) * real(shape.positions()) * real(shape.inner_of(shape.positions()));
}

std::vector<WeightSpec> swiglu_weights(const ModelShape& shape) {
  const auto D = shape.config.hidden_size, I = shape.inner();
  return {matrix("mlp.gate_up_proj.weight", 2 * I, D), matrix("mlp.down_proj.weight", D, I)};
}
double swiglu_flops(const ModelShape& shape) {
  return 6.0 * real(shape.positions()) * real(shape.config.hidden_size) * real(shape.inner());
}
/// h, gate, up, their product, the result.
double swiglu_kept(const ModelShape& shape) { return 2.0 * real(shape.config.hidden_size) + 3.0 * real(shape.inner()); }

constexpr Half kAttention{attention_weights, reference::attention_half, attention_half, attention_flops,
                          attention_kept};
constexpr Half kPositionSwiglu{position_swiglu_weights, reference::position_swiglu_half, position_swiglu_half,
                               position_swiglu_flops, attention_kept};
constexpr Half kSwiglu{swiglu_weights, reference::swiglu_half, swiglu_half, swiglu_flops, swiglu_kept};

}  // namespace

std::vector<Half> halves_of(const ModelConfig& config) {
  return {config.mlp_t ? kPositionSwiglu : kAttention, kSwiglu};
}

at::Tensor apply(const Half& half, const HalfCall& call) {
  return half.fused != nullptr && own_kernels() ? half.fused(call) : half.reference(call);
}

}  // namespace dis
