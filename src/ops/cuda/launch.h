// Starts the CUDA kernels of ops: raw device pointers, no LibTorch, no CUDA header.
//
// Every call puts its kernels on `stream` and returns at once; the caller asks for launch errors. The meaning of the
// arguments and the arithmetic are those of the CPU's kernels (../cpu/kernels.h): T is float or cpu::Bf16 (the bits of
// __nv_bfloat16), all arithmetic is float, the loss's is double. Sums run in a fixed order, so results repeat bit for
// bit. Any size is allowed, 0 too. host_shim.h explains DIS_CUDA_NAMESPACE.
#pragma once

#include <cstdint>

#include "../cpu/kernels.h"

#ifndef DIS_CUDA_NAMESPACE
#define DIS_CUDA_NAMESPACE cuda
#endif

struct CUstream_st;  // a cudaStream_t points to it

namespace dis::DIS_CUDA_NAMESPACE {

using Stream = CUstream_st*;
using cpu::AdamScalars;
using cpu::Bf16;

/// y = rms(a + b) for `rows` rows of `width`; rstd [rows]. `y` may be `a` or `b`.
template <class T>
void launch_add_rms_norm(const T* a, const T* b, T* y, float* rstd, std::int64_t rows, std::int64_t width, float eps,
                         Stream stream);
/// dx of y = rms(x), from dy, y and rstd. `dx` may be `dy`.
template <class T>
void launch_rms_norm_backward(const T* dy, const T* y, const float* rstd, T* dx, std::int64_t rows, std::int64_t width,
                              Stream stream);

/// Rows of packed q|k|v; row r stands at position r % positions; cos, sin [positions, head / 2].
struct RotaryShape {
  std::int64_t rows, positions, heads, head;
};
/// Rotates q and k of qkv [rows, 3, heads, head] in place.
template <class T>
void launch_rotary(T* qkv, const float* cos, const float* sin, const RotaryShape& shape, Stream stream);
/// Packs dq, dk, dv [rows, heads, head] into dqkv [rows, 3, heads, head] and undoes the rotation of dq and dk.
template <class T>
void launch_rotary_backward(const T* dq, const T* dk, const T* dv, T* dqkv, const float* cos, const float* sin,
                            const RotaryShape& shape, Stream stream);

/// out [rows, inner] = silu(gate) up, from rows [gate | up].
template <class T>
void launch_swiglu(const T* gate_up, T* out, std::int64_t rows, std::int64_t inner, Stream stream);
template <class T>
void launch_swiglu_backward(const T* gate_up, const T* dout, T* dgate_up, std::int64_t rows, std::int64_t inner,
                            Stream stream);

/// out = a + (b + c).
template <class T>
void launch_add3(const T* a, const T* b, const T* c, T* out, std::int64_t count, Stream stream);

/// The loss of ops/cross_entropy.h: logits [lanes, positions, vocabulary], the last `length` positions have a cell.
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
template <class T>
void launch_cross_entropy(const CrossEntropyPointers<T>& pointers, const CrossEntropyShape& shape, Stream stream);

/// The embedding of ops/embed.h: x [lanes, puzzle_positions + length, width]; E numbers per puzzle row.
struct EmbedShape {
  std::int64_t lanes, length, puzzle_positions, numbers, width;
};
/// tokens [lanes, length], table [V, width], puzzle [lanes, numbers], steps [lanes], time [.., width]; `puzzle`, and
/// `steps` with `time`, may be null.
struct EmbedPointers {
  const std::int32_t *tokens, *steps;
  const float *table, *puzzle, *time;
};
template <class T>
void launch_embed(const EmbedPointers& pointers, T* x, const EmbedShape& shape, float scale, Stream stream);

/// dx [lanes, positions, width] summed by key, times `scale`: a key per cell (keys [lanes, positions - first], for the
/// positions from `first` on) or, with per_lane, per lane (keys [lanes]). Keys run from 0 to keys-1.
struct SumByKeyShape {
  std::int64_t lanes, positions, first, width, keys;
  bool per_lane;
};
/// Chunks that the rows are summed in; fixed, so that the result is the same on every device.
inline constexpr std::int64_t kSumChunks = 256;
/// out [keys, width]; partial [kSumChunks, keys, width] is scratch. Both are overwritten.
template <class T>
void launch_sum_by_key(const T* dx, const std::int32_t* keys, float* partial, float* out, const SumByKeyShape& shape,
                       float scale, Stream stream);

/// [count] each; the scalars lie on the device, so that a graph reads each update's own; `ema` and `copy` (the bfloat16
/// copy of p) may be null.
struct AdamPointers {
  float* p;
  const float* g;
  float *m, *v, *ema;
  Bf16* copy;
};
void launch_adam(const AdamPointers& pointers, std::int64_t count, const AdamScalars* scalars, bool atan2,
                 Stream stream);

/// gradient [lanes, numbers] of the rows ids [lanes] of a table [.., numbers]: with rates [2] = lr, decay: row <- row
/// decay - lr sign(sum).
struct SignSgdShape {
  std::int64_t lanes, numbers;
};
void launch_sign_sgd(float* table, const std::int32_t* ids, const float* gradient, const float* rates,
                     const SignSgdShape& shape, Stream stream);

}  // namespace dis::DIS_CUDA_NAMESPACE
