#include "dis/model/halves.h"

#include "dis/ops/kernel_choice.h"

namespace dis {

// The table; each half has a file in src/model/halves.
extern const Half kAttentionHalf, kPositionSwigluHalf, kSwigluHalf, kConvSwigluHalf;

std::vector<Half> halves_of(const ModelConfig& config) {
  return {config.mlp_t ? kPositionSwigluHalf : kAttentionHalf,
          config.mlp == MlpKind::conv_swiglu ? kConvSwigluHalf : kSwigluHalf};
}

at::Tensor apply(const Half& half, const HalfCall& call) {
  return half.fused != nullptr && own_kernels() ? half.fused(call) : half.reference(call);
}

}  // namespace dis
