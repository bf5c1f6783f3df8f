// The network's input x = sqrt(D) (concat(puzzle positions, token rows) + time row), in one pass (method section 1).
#pragma once

#include <ATen/core/Tensor.h>

namespace dis {

/// What the embedding is made of. Tables are float32 master weights.
struct EmbedInputs {
  at::Tensor tokens;                  ///< int32 [B, L]
  at::Tensor table;                   ///< [V, D]
  at::Tensor puzzle_rows;             ///< float32 [B, E], zero-padded to P D; undefined: zeros
  at::Tensor steps;                   ///< int32 [B]: row of `time` that a lane adds; undefined: no time embedding
  at::Tensor time;                    ///< [rows, D]: the learned table or the sinusoids
  std::int64_t puzzle_positions = 0;  ///< P
};

/// x [B, P + L, D] of type `type`.
at::Tensor embed(const EmbedInputs& in, at::ScalarType type);

struct EmbedGradients {
  at::Tensor table;        ///< [V, D]
  at::Tensor puzzle_rows;  ///< [B, E], or undefined
  at::Tensor time;         ///< [rows, D], or undefined when there is no time embedding
};
EmbedGradients embed_backward(const EmbedInputs& in, const at::Tensor& dx);

}  // namespace dis
