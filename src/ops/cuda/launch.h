// Starts the CUDA kernels of ops: raw device pointers, no LibTorch, no CUDA header.
//
// Every call puts its kernels on `stream` and returns at once; the caller asks for launch errors. The meaning of the
// arguments (../kernel_shapes.h) and the arithmetic are those of the CPU's kernels (../cpu/kernels.h); Bf16 has the
// bits of __nv_bfloat16. Sums run in a fixed order, so results repeat bit for bit. Any size is allowed, 0 too.
// host_shim.h explains DIS_CUDA_NAMESPACE.
#pragma once

#include <cstdint>

#include "../kernel_shapes.h"

#ifndef DIS_CUDA_NAMESPACE
#define DIS_CUDA_NAMESPACE cuda
#endif

struct CUstream_st;  // a cudaStream_t points to it

namespace dis::DIS_CUDA_NAMESPACE {

using Stream = CUstream_st*;

template <class T>
void launch_add_rms_norm(const AddRmsNormPointers<T>& pointers, std::int64_t rows, std::int64_t width, float eps,
                         Stream stream);
template <class T>
void launch_rms_norm_backward(const RmsNormBackwardPointers<T>& pointers, std::int64_t rows, std::int64_t width,
                              Stream stream);

/// Rows of packed q|k|v; row r stands at position r % positions.
struct RotaryShape {
  std::int64_t rows, positions, heads, head;
};
/// Rotates q and k of qkv [rows, 3, heads, head] in place.
template <class T>
void launch_rotary(T* qkv, const RotaryPointers& tables, const RotaryShape& shape, Stream stream);
/// dq, dk, dv [rows, heads, head], dqkv [rows, 3, heads, head].
template <class T>
struct RotaryBackwardPointers {
  const T *dq, *dk, *dv;
  T* dqkv;
};
/// Packs dq, dk, dv into dqkv and undoes the rotation of dq and dk.
template <class T>
void launch_rotary_backward(const RotaryBackwardPointers<T>& pointers, const RotaryPointers& tables,
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

template <class T>
void launch_cross_entropy(const CrossEntropyPointers<T>& pointers, const CrossEntropyShape& shape, Stream stream);

template <class T>
void launch_embed(const EmbedPointers& pointers, T* x, const EmbedShape& shape, float scale, Stream stream);

template <class T>
void launch_add_draws(const DrawPointers<T>& pointers, const DrawShape& shape, Stream stream);

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
struct SumByKeyPointers {
  const T* dx;
  const std::int32_t* keys;
  float *partial, *out;
};
template <class T>
void launch_sum_by_key(const SumByKeyPointers<T>& pointers, const SumByKeyShape& shape, float scale, Stream stream);

/// The scalars lie on the device, so that a graph reads each update's own.
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
