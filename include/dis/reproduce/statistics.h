// Means over seeds with their uncertainty. Seeds are few, so intervals are Student's.
#pragma once

#include <vector>

namespace dis {

/// Quantile of Student's t distribution; `probability` in (.5, 1), `freedom` >= 1. Exact to 1e-6.
double student_quantile(double probability, int freedom);

/// Mean of n values and half the width of its 95 % interval; the width is NaN for n < 2, the mean too for n = 0.
struct SeedMean {
  double value = 0.0;
  double half_width = 0.0;
  int n = 0;
};
SeedMean mean_of(const std::vector<double>& values);

/// The true mean difference that n paired differences, as spread as these, would show as different from 0 (two-sided,
/// 5 %) with a probability of 80 %: (t(.975) + t(.8)) s / sqrt(n). NaN for fewer than two.
double detectable_difference(const std::vector<double>& differences);

}  // namespace dis
