// The operations in plain LibTorch, differentiable and in any floating type: what the fused ones are compared with.
#pragma once

#include <ATen/core/Tensor.h>

#include "dis/ops/losses.h"

namespace dis::reference {

/// rms(x) over the last dimension; float32 inside for narrower types, the type of x for float64.
at::Tensor rms_norm(const at::Tensor& x, double eps);
/// Attention over packed, not yet rotated qkv [B, S, 3, H, h] -> [B, S, D]; cos, sin [S, h / 2].
at::Tensor attention(const at::Tensor& qkv, const at::Tensor& cos, const at::Tensor& sin);
at::Tensor swiglu(const at::Tensor& gate_up);
/// log p of every entry, float64 [.., V], of logits [.., V] (any floating type), as the loss makes probabilities.
at::Tensor log_probabilities(const at::Tensor& logits, const Loss& loss);
/// Mean over each lane's cells with target >= 0: logits [B, L, V], target int [B, L] -> [B], in float64.
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& target, const Loss& loss);
/// x of ops/embed.h; arguments as there, `time_row` [B, D] or undefined, `puzzle_rows` [B, P D] already padded.
at::Tensor embed(const at::Tensor& tokens, const at::Tensor& table, const at::Tensor& puzzle_rows,
                 const at::Tensor& time_row, at::ScalarType type);

}  // namespace dis::reference
