// Noise for states (ops/state_draws.h): one thread per block of four numbers.
#pragma once

#include "device.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

template <class T>
DIS_KERNEL void add_draws_kernel(DrawPointers<T> p, DrawShape shape) {
  const std::int64_t blocks = (shape.numbers + 3) / 4;
  for (std::int64_t i = first_element(); i < shape.rows * blocks; i += element_stride()) {
    const std::int64_t row = i / blocks, block = i % blocks, first = 4 * block;
    const auto key = static_cast<std::uint64_t>(p.keys[row]);
    const std::uint32_t when = static_cast<std::uint32_t>(p.steps[row]) << 16 | shape.place;
    const auto drawn = philox_block({{static_cast<std::uint32_t>(block), when, static_cast<std::uint32_t>(key),
                                      static_cast<std::uint32_t>(key >> 32)}},
                                    shape.key0, shape.key1);
    DIS_UNROLL
    for (int j = 0; j < 4; ++j) {
      if (first + j >= shape.numbers) break;
      const float v = shape.shrink * centred_uniform(drawn.number[j]);
      const float w = -logf((1.0F - v) * (1.0F + v));
      const std::int64_t at = row * shape.numbers + first + j;
      store(p.y[at], load(p.x[at]) + shape.scale * normal_of_uniform(v, w, sqrtf(w)));
    }
  }
}

}  // namespace dis::DIS_CUDA_NAMESPACE
