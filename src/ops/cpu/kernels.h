// The CPU's inner loops: raw pointers, no LibTorch, one range of independent rows (or elements) per call.
//
// kernels.cpp is compiled once per instruction set; `kernels<T>()` picks the best one that the processor has. Every
// row's result depends on that row alone, so results do not depend on how the rows are split among threads. Pointers
// are those of whole tensors; a call works on its share of them.
#pragma once

#include <cstdint>

#include "../kernel_shapes.h"

namespace dis::cpu {

/// A call's share of the work: rows, lanes, columns or elements first..last-1.
struct Share {
  std::int64_t first, last;
};

/// Gradients of the token table and the time table: `dtable` [V, width] and `dtime` [.., width] are added to; dx
/// [lanes, positions, width], tokens [lanes, length]; `steps` [lanes] picks the row of dtime (null, as is dtime: no
/// time table).
template <class T>
struct EmbedBackwardPointers {
  const T* dx;
  const std::int32_t *tokens, *steps;
  float *dtable, *dtime;
};

template <class T>
struct Kernels {
  void (*add_rms_norm)(const AddRmsNormPointers<T>& pointers, std::int64_t width, float eps, Share rows);
  void (*rms_norm_backward)(const RmsNormBackwardPointers<T>& pointers, std::int64_t width, Share rows);
  /// out [rows, inner] = silu(gate) up, from rows [gate | up].
  void (*swiglu)(const T* gate_up, T* out, std::int64_t inner, Share rows);
  void (*swiglu_backward)(const T* gate_up, const T* dout, T* dgate_up, std::int64_t inner, Share rows);
  /// out = a + (b + c).
  void (*add3)(const T* a, const T* b, const T* c, T* out, Share elements);
  /// x = scale (row + time), the row being a piece of the puzzle row or a token's row.
  void (*embed)(const EmbedPointers& pointers, T* x, const EmbedShape& shape, float scale, Share lanes);
  /// y = x + scale times a truncated or whole normal draw (ops/state_draws.h).
  void (*add_draws)(const DrawPointers<T>& pointers, const DrawShape& shape, Share rows);
  /// All lanes in order.
  void (*embed_backward)(const EmbedBackwardPointers<T>& pointers, const EmbedShape& shape, float scale, Share columns);
  /// A lane's loss is the mean over its valid cells, 0 if there are none; dlogits is its gradient times the lane's
  /// scale.
  void (*cross_entropy)(const CrossEntropyPointers<T>& pointers, const CrossEntropyShape& shape, Share lanes);
};

template <class T>
const Kernels<T>& kernels();

/// `atan2`: not adamw.
void adam(const AdamPointers& pointers, const AdamScalars& scalars, bool atan2, Share elements);

/// Name of the instruction set in use: "x86-64-v4" (AVX-512), "x86-64-v3" (AVX2) or "baseline".
const char* instruction_set();

}  // namespace dis::cpu
