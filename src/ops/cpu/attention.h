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

/// out [B, S, H, h] and lse [B, H, S] from qkv [B, S, 3, H, h], not rotated.
template <class T>
struct AttentionPointers {
  const T* qkv;
  T* out;
  float* lse;
};
/// dqkv [B, S, 3, H, h], from dout, as out, and what the forward pass had and made.
template <class T>
struct AttentionBackwardPointers {
  const T *dout, *out, *qkv;
  const float* lse;
  T* dqkv;
};

/// A call's share are units of lane * H + head.
template <class T>
struct AttentionKernels {
  void (*forward)(const AttentionPointers<T>& pointers, const RotaryPointers& rotary, AttentionShape shape,
                  Share units);
  void (*backward)(const AttentionBackwardPointers<T>& pointers, const RotaryPointers& rotary, AttentionShape shape,
                   Share units);
};

template <class T>
const AttentionKernels<T>& attention_kernels();

}  // namespace dis::cpu
