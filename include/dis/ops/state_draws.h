// Normal draws added to the states of a network: noise, and random states to start from.
//
// A draw is a function of (seed, purpose, key of the row, supervision step, place, number within the row), so it
// depends neither on the batch nor on threads or ranks; between CPU and GPU it differs by rounding.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "dis/core/random.h"

namespace dis {

/// Whose draws these are.
struct DrawKeys {
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::noise;
  at::Tensor rows;          ///< int64 [B]: a number of each row's own
  at::Tensor steps;         ///< int32 [B], 0..65535
  std::uint32_t place = 0;  ///< 0..65535: tells several draws within a step apart
};

enum class DrawForm {
  normal,     ///< standard normal
  truncated,  ///< cut at +-2 and brought back to standard deviation 1, so within +-2.27 (as initial weights)
};

/// x + scale n, of x [B, ...] with draws n of that shape: added in float32 and rounded once to x's type (added in
/// float64 to a float64 x). Gradients do not pass through it.
at::Tensor add_draws(const at::Tensor& x, const DrawKeys& keys, double scale, DrawForm form = DrawForm::normal);

}  // namespace dis
