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

/// What an operation's arithmetic runs on, if it is not its bytes that take the time.
enum class Arithmetic { none, product, attention, attention_backward };

struct OperationCost {
  std::string name;
  std::int64_t calls;   ///< in one supervision step
  double bytes, flops;  ///< of one call
  Arithmetic arithmetic;
};

/// All operations of a supervision step with its update, in the order in which they first run.
std::vector<OperationCost> step_costs(const StepShape& shape);

/// Speeds of a device: bytes/s from its memory, FLOP/s of its matrix products and of attention in the activations'
/// type.
struct DeviceSpeed {
  double bandwidth, products, attention, attention_backward;
};
/// FLOP/s that attention's kernels reach on an H100 or H200 in bfloat16 at about 1,000 positions, not causal, in the
/// FLOPs of this file (publications count the backward pass's scores, too, 2.5 times the forward pass).
struct AttentionSpeed {
  double forward, backward;
};
/// FlashAttention-2, which LibTorch's `flash` is. Heads of 64 and more: as published with FlashAttention-3 (arXiv
/// 2407.08608); smaller ones: an estimate, nothing is published.
AttentionSpeed hopper_flash(std::int64_t head);
/// The same of cuDNN; for heads below 64 no figure is known, and FlashAttention's stands in.
AttentionSpeed hopper_cudnn(std::int64_t head);
/// Seconds that one call takes at the least: the larger of its bytes' and its FLOPs' time.
double least_seconds(const OperationCost& cost, const DeviceSpeed& device);

}  // namespace dis
