// Lets a C++ compiler build the kernels of this folder, so that a test can run them where there is no GPU.
//
// A block is a group of host threads, one per CUDA thread, and blocks run one after the other: barriers, shuffles and
// shared memory keep their meaning, and a missing barrier is a data race that ThreadSanitizer sees. Include it before
// any other file of this folder, then the .cu files. All of it lands in namespace dis::cuda_on_host, as a program that
// is built with CUDA also holds the same names, compiled by nvcc, in dis::cuda.
#pragma once

#define DIS_CUDA_NAMESPACE cuda_on_host

#include <barrier>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "../kernel_shapes.h"

#define __shared__ static  // blocks do not overlap, so one copy is enough

namespace dis::cuda_on_host {

struct Index {
  unsigned x;
};
inline thread_local Index threadIdx, blockIdx, blockDim, gridDim;

/// What the 32 threads of a warp share: values on their way through a shuffle.
struct WarpExchange {
  explicit WarpExchange(int threads) : barrier(threads) {}
  std::barrier<> barrier;
  unsigned char slots[32][8];
};
inline thread_local WarpExchange* warp_exchange;
inline thread_local std::barrier<>* block_barrier;

inline void __syncthreads() { block_barrier->arrive_and_wait(); }

template <class V>
V __shfl_xor_sync(unsigned, V value, int mask) {
  static_assert(sizeof(V) <= 8);
  const auto lane = static_cast<int>(threadIdx.x % 32);
  std::memcpy(warp_exchange->slots[lane], &value, sizeof(V));
  warp_exchange->barrier.arrive_and_wait();
  std::memcpy(&value, warp_exchange->slots[lane ^ mask], sizeof(V));
  warp_exchange->barrier.arrive_and_wait();
  return value;
}

inline float load(Bf16 x) {
  const auto bits = static_cast<std::uint32_t>(x.bits) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}
/// To nearest, ties to even, as the GPU's instruction.
inline void store(Bf16& to, float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  to.bits = static_cast<std::uint16_t>(x != x ? 0x7FFFU : (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

/// Calls `kernel` in `threads` (a multiple of 32) host threads for each of `blocks` blocks.
template <class F>
void run_grid(std::int64_t blocks, int threads, const F& kernel) {
  std::barrier<> barrier(threads);
  std::vector<std::unique_ptr<WarpExchange>> warps;
  for (int i = 0; i < threads / 32; ++i) warps.push_back(std::make_unique<WarpExchange>(32));
  std::vector<std::thread> pool;
  for (int i = 0; i < threads; ++i) {
    pool.emplace_back([&, i] {
      block_barrier = &barrier;
      warp_exchange = warps[static_cast<std::size_t>(i / 32)].get();
      threadIdx.x = static_cast<unsigned>(i);
      blockDim.x = static_cast<unsigned>(threads);
      gridDim.x = static_cast<unsigned>(blocks);
      for (std::int64_t block = 0; block < blocks; ++block) {
        blockIdx.x = static_cast<unsigned>(block);
        kernel();
        barrier.arrive_and_wait();
      }
    });
  }
  for (auto& thread : pool) thread.join();
}

}  // namespace dis::cuda_on_host
