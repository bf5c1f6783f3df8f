// What the kernels have in common: element conversions, sums over a warp and a block, the launch.
//
// The same source is compiled by nvcc for the GPU and, through host_shim.h, by a C++ compiler for the tests.
#pragma once

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_runtime.h>
#define DIS_KERNEL __global__
#define DIS_DEVICE __device__ inline
#define DIS_UNROLL _Pragma("unroll")
#else
#include "host_shim.h"
#define DIS_KERNEL inline
#define DIS_DEVICE inline
#define DIS_UNROLL
#endif

#include <cmath>
#include <cstdint>

#include "launch.h"

namespace dis::DIS_CUDA_NAMESPACE {

constexpr int kWarp = 32;
constexpr int kThreads = 128;  ///< of every block

DIS_DEVICE float load(float x) { return x; }
DIS_DEVICE void store(float& to, float x) { to = x; }

#ifdef __CUDACC__
DIS_DEVICE float load(Bf16 x) { return __bfloat162float(__ushort_as_bfloat16(x.bits)); }
DIS_DEVICE void store(Bf16& to, float x) { to.bits = __bfloat16_as_ushort(__float2bfloat16_rn(x)); }
#endif

/// N consecutive numbers, moved in one access; the kernels take N = kPack<T> where in_packs allows it, else 1.
template <class T, int N>
struct alignas(N * sizeof(T)) Pack {
  T at[N];
};
template <class T>
constexpr int kPack = static_cast<int>(16 / sizeof(T));

template <int N, class T>
DIS_DEVICE Pack<T, N> load_pack(const T* from) {
  return *reinterpret_cast<const Pack<T, N>*>(from);
}
template <int N, class T>
DIS_DEVICE void store_pack(T* to, const Pack<T, N>& x) {
  *reinterpret_cast<Pack<T, N>*>(to) = x;
}
/// N floats of a table that many threads read.
template <int N>
DIS_DEVICE void load_floats(const float* from, float* to) {
  constexpr int kWidth = N % 4 == 0 ? 4 : 1;
  DIS_UNROLL
  for (int i = 0; i < N; i += kWidth) {
    const auto x = load_pack<kWidth>(from + i);
    for (int j = 0; j < kWidth; ++j) to[i + j] = x.at[j];
  }
}

/// Whether rows of `count` numbers of type T behind these pointers start at multiples of 16 bytes. Called by launchers.
template <class T, class... P>
bool in_packs(std::int64_t count, const P*... pointers) {
  return count % kPack<T> == 0 && ((reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0) && ...);
}

/// The sum over the 32 threads of a warp, the same in all of them. All must call it.
template <class V>
DIS_DEVICE V warp_sum(V value) {
  for (int distance = kWarp / 2; distance > 0; distance /= 2) value += __shfl_xor_sync(0xFFFFFFFFU, value, distance);
  return value;
}

/// The sum over the threads of a block, the same in all of them. All must call it.
template <class V>
DIS_DEVICE V block_sum(V value) {
  __shared__ V partial[kThreads / kWarp];
  value = warp_sum(value);
  __syncthreads();  // a previous sum may still be read
  if (threadIdx.x % kWarp == 0) partial[threadIdx.x / kWarp] = value;
  __syncthreads();
  V total = 0;
  for (const V part : partial) total += part;
  return total;
}

/// Blocks that give each of `count` elements a thread; kernels go on in strides of the grid where that is too many.
inline std::int64_t blocks_for(std::int64_t count) {
  constexpr std::int64_t kMost = 1 << 16;
  const std::int64_t blocks = (count + kThreads - 1) / kThreads;
  return blocks < kMost ? blocks : kMost;
}

DIS_DEVICE std::int64_t first_element() { return static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; }
DIS_DEVICE std::int64_t element_stride() { return static_cast<std::int64_t>(gridDim.x) * kThreads; }

#ifdef __CUDACC__
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), std::int64_t blocks, Stream stream, const Arguments&... arguments) {
  if (blocks > 0) kernel<<<static_cast<unsigned>(blocks), kThreads, 0, stream>>>(arguments...);
}
#else
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), std::int64_t blocks, Stream, const Arguments&... arguments) {
  run_grid(blocks, kThreads, [&] { kernel(arguments...); });
}
#endif

}  // namespace dis::DIS_CUDA_NAMESPACE
