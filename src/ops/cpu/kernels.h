// The CPU's inner loops: raw pointers, no LibTorch, one range of independent rows (or elements) per call.
//
// kernels.cpp is compiled once per instruction set; `kernels<T>()` picks the best one that the processor has. Every
// row's result depends on that row alone, so results do not depend on how the rows are split among threads.
// T is float or Bf16 (storage only: all arithmetic is float, the loss's is double).
#pragma once

#include <cstdint>

#include "dis/ops/losses.h"

namespace dis::cpu {

struct Bf16 {
  std::uint16_t bits;
};

/// One update of the dense optimiser; the same scalars for every element (ops/adam.h says what they mean).
struct AdamScalars {
  float beta1, beta2;
  float decay;    ///< factor of the parameter before the update: 1 - lr weight_decay
  float scale;    ///< step length in front of atan2 or of the quotient
  float m_scale;  ///< m_hat = m m_scale
  float v_scale;  ///< v_hat = v v_scale
  float epsilon;  ///< adamw only
  float ema_rate;
};

template <class T>
struct Kernels {
  /// out = rms(a + b) for `rows` rows of `width`; rstd [rows]. `out` may be `a` or `b`.
  void (*add_rms_norm)(const T* a, const T* b, T* out, float* rstd, std::int64_t rows, std::int64_t width, float eps);
  /// dx of y = rms(x), from dy, y and rstd. `dx` may be `dy`.
  void (*rms_norm_backward)(const T* dy, const T* y, const float* rstd, T* dx, std::int64_t rows, std::int64_t width);
  /// out [rows, inner] = silu(gate) up, from rows [gate | up].
  void (*swiglu)(const T* gate_up, T* out, std::int64_t rows, std::int64_t inner);
  void (*swiglu_backward)(const T* gate_up, const T* dout, T* dgate_up, std::int64_t rows, std::int64_t inner);
  /// out = a + b + c.
  void (*add3)(const T* a, const T* b, const T* c, T* out, std::int64_t count);
  /// One lane of the embedding: out [puzzle_positions + length, width] = scale (row + time), the row being a piece of
  /// the puzzle row (numbers beyond `puzzle_numbers` are 0) or a token's row. `puzzle` and `time` may be null.
  void (*embed)(const std::int32_t* tokens, const float* table, const float* puzzle, const float* time, T* out,
                std::int64_t length, std::int64_t puzzle_positions, std::int64_t puzzle_numbers, std::int64_t width,
                float scale);
  /// Gradients of the token table and the time table for the columns first..last-1, all lanes in order: `dtable`
  /// [V, width] and `dtime` [.., width] are added to; `steps` [lanes] picks the row of dtime (null: no time table).
  void (*embed_backward)(const T* dx, const std::int32_t* tokens, const std::int32_t* steps, float* dtable,
                         float* dtime, std::int64_t lanes, std::int64_t length, std::int64_t puzzle_positions,
                         std::int64_t width, std::int64_t first, std::int64_t last, float scale);
  /// One lane of the loss (ops/cross_entropy.h). logits, dlogits [positions, V], the first positions - length of them
  /// without a cell; target [length]. Returns the mean over the valid cells, 0 if there are none; dlogits is its
  /// gradient times `scale` (null: not wanted); predictions [length] = argmax over the first `answers` entries.
  double (*cross_entropy)(const T* logits, const std::int32_t* target, T* dlogits, std::int32_t* predictions,
                          std::int64_t positions, std::int64_t length, std::int64_t vocabulary, std::int64_t answers,
                          const Loss& loss, double scale);
};

template <class T>
const Kernels<T>& kernels();

/// p, m, v [count] updated from g; `ema` and `copy` (the bfloat16 copy of p) may be null; `atan2`: not adamw.
void adam(float* p, const float* g, float* m, float* v, float* ema, Bf16* copy, std::int64_t count,
          const AdamScalars& s, bool atan2);

/// Name of the instruction set in use: "x86-64-v4" (AVX-512), "x86-64-v3" (AVX2) or "baseline".
const char* instruction_set();

}  // namespace dis::cpu
