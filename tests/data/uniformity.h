// Whether counts look like draws from equally likely classes.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace dis {

/// Pearson's statistic against equal counts, as standard deviations from its mean (about normal for many classes).
inline double uniformity(const std::vector<std::int64_t>& counts) {
  double total = 0;
  for (const auto c : counts) total += static_cast<double>(c);
  const double expected = total / static_cast<double>(counts.size());
  double statistic = 0;
  for (const auto c : counts) statistic += std::pow(static_cast<double>(c) - expected, 2) / expected;
  const double freedom = static_cast<double>(counts.size()) - 1;
  return (statistic - freedom) / std::sqrt(2 * freedom);
}

inline constexpr double kUnlikely = 4.0;

}  // namespace dis
