// The normal distribution cut at +-2, of initial weights and random starts.
#pragma once

#include <cmath>
#include <numbers>

namespace dis {

/// Its standard deviation, .87962566: divided by it, draws have standard deviation 1 and lie within +-2.27369.
inline double truncated_normal_spread() {
  const double density = std::exp(-2.0) / std::sqrt(2.0 * std::numbers::pi);
  return std::sqrt(1.0 - 4.0 * density / std::erf(std::numbers::sqrt2));
}

}  // namespace dis
