// What kernels are given, those of the CPU (cpu/) and of CUDA (cuda/launch.h) alike: pointers, and the sizes behind
// them.
//
// Plain structures in C++17 without LibTorch, functions or initialisers: nvcc compiles them, and so do the files that
// are compiled once per instruction set, which must not share code. Everything is contiguous. T is float or Bf16, in
// which numbers are only stored: all arithmetic is float, the loss's is double.
#pragma once

#include <cstdint>

#include "dis/core/philox.h"
#include "dis/ops/losses.h"

namespace dis {

struct Bf16 {
  std::uint16_t bits;
};

/// y = rms(a + b): a, b, y [rows, width], rstd [rows]. `y` may be `a` or `b`.
template <class T>
struct AddRmsNormPointers {
  const T *a, *b;
  T* y;
  float* rstd;
};
/// dx of y = rms(x), from dy, y [rows, width] and rstd [rows]. `dx` may be `dy`.
template <class T>
struct RmsNormBackwardPointers {
  const T *dy, *y;
  const float* rstd;
  T* dx;
};

/// cos, sin [positions, head / 2] of the rotary embedding.
struct RotaryPointers {
  const float *cos, *sin;
};

/// The loss of ops/cross_entropy.h: logits [lanes, positions, vocabulary], the last `length` positions have a cell;
/// predictions are among the first `answers` entries.
struct CrossEntropyShape {
  std::int64_t lanes, positions, length, vocabulary, answers;
  Loss loss;
};
/// target, labels, predictions [lanes, length]; loss, correct [lanes]; `dlogits`, as logits, and `scale` [lanes] may
/// both be null, and so may `labels` and `correct`.
template <class T>
struct CrossEntropyPointers {
  const T* logits;
  const std::int32_t *target, *labels;
  const double* scale;
  double* loss;
  T* dlogits;
  std::int32_t *predictions, *correct;
};

/// The embedding of ops/embed.h: x [lanes, puzzle_positions + length, width]; `numbers` of a puzzle row, which is
/// padded with zeros.
struct EmbedShape {
  std::int64_t lanes, length, puzzle_positions, numbers, width;
};
/// tokens [lanes, length], table [V, width], puzzle [lanes, numbers], steps [lanes], time [.., width]; `puzzle`, and
/// `steps` with `time`, may be null.
struct EmbedPointers {
  const std::int32_t *tokens, *steps;
  const float *table, *puzzle, *time;
};

/// x [rows, numbers] + draws (ops/state_draws.h): sizes, the key, which pass and state, and what is made of a uniform
/// draw.
struct DrawShape {
  std::int64_t rows, numbers;
  std::uint32_t key0, key1, place;
  float shrink;  ///< of the uniform draw: below 1 cuts the tails off
  float scale;   ///< of the normal one
};
/// x, y [rows, numbers], keys [rows], steps [rows]. `y` may be `x`.
template <class T>
struct DrawPointers {
  const T* x;
  T* y;
  const std::int64_t* keys;
  const std::int32_t* steps;
};

/// What is the same for every number in an update of the dense optimiser (ops/adam.h says what it means).
struct AdamScalars {
  float beta1, beta2;
  float decay;    ///< factor of the parameter before the update: 1 - lr weight_decay
  float scale;    ///< step length in front of atan2 or of the quotient
  float m_scale;  ///< m_hat = m m_scale
  float v_scale;  ///< v_hat = v v_scale
  float epsilon;  ///< adamw only
  float ema_rate;
};
/// [count] each: p, m, v updated from g; `ema` and `copy` (the bfloat16 copy of p) may be null.
struct AdamPointers {
  float* p;
  const float* g;
  float *m, *v, *ema;
  Bf16* copy;
};

}  // namespace dis
