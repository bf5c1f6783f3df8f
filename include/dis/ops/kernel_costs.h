// What the operations of one supervision step move and compute, worked out from the sizes alone: nothing is measured.
//
// Bytes count what an operation must read and write once; FLOPs count a multiply-add as two, and of attention's
// backward pass the four products of the gradients, not the scores that are computed again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dis {

struct StepShape {
  std::int64_t lanes, positions, vocabulary;  ///< B, S, V
  std::int64_t width, heads, inner, layers;   ///< D, H, I
  std::int64_t latent_passes, cycles;         ///< n, T: only the last cycle has a backward pass
  std::int64_t puzzle_numbers;                ///< E
  std::int64_t element_bytes;                 ///< of activations: 4 or 2
  std::int64_t parameters() const;            ///< of the blocks and lm_head
};

struct OperationCost {
  std::string name;
  std::int64_t calls;   ///< in one supervision step
  double bytes, flops;  ///< of one call
  bool product;         ///< a matrix product or attention
};

/// All operations of a supervision step with its update, in the order in which they first run.
std::vector<OperationCost> step_costs(const StepShape& shape);

/// Speeds of a device: bytes/s from its memory, FLOP/s of its matrix products in the activations' type.
struct DeviceSpeed {
  double bandwidth, products;
};
/// Seconds that one call takes at the least: the larger of its bytes' and its FLOPs' time.
double least_seconds(const OperationCost& cost, const DeviceSpeed& device);

}  // namespace dis
