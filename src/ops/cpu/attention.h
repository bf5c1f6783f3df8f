// Soft-max attention of one lane and head at a time, for sequences of any length.
//
// The rotary embedding is applied while q and k are gathered from the packed rows, and undone while their gradients are
// scattered, so no pass over memory is spent on it. Sums and the soft-max are float32 for both element types; for
// bfloat16 the factors of a product are bfloat16 where the processor has such an instruction. Like kernels.cpp,
// attention.cpp is compiled once per instruction set.
#pragma once

#include <cstdint>

#include "kernels.h"

namespace dis::cpu {

struct AttentionShape {
  std::int64_t positions, heads, head;  ///< S, H, h
};

template <class T>
struct AttentionKernels {
  /// For units first..last-1 (unit = lane * H + head): out [B, S, H, h] and lse [B, H, S] from qkv [B, S, 3, H, h], not
  /// rotated; cos, sin [S, h / 2].
  void (*forward)(const T* qkv, const float* cos, const float* sin, T* out, float* lse, std::int64_t first,
                  std::int64_t last, AttentionShape shape);
  /// dqkv [B, S, 3, H, h] of the units' heads.
  void (*backward)(const T* dout, const T* out, const T* qkv, const float* lse, const float* cos, const float* sin,
                   T* dqkv, std::int64_t first, std::int64_t last, AttentionShape shape);
};

template <class T>
const AttentionKernels<T>& attention_kernels();

}  // namespace dis::cpu
