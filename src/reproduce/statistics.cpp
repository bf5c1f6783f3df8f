#include "dis/reproduce/statistics.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace dis {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Integral of the t density from 0 to x, by Simpson's rule.
double mass_up_to(double x, int freedom) {
  const auto nu = static_cast<double>(freedom);
  const double scale = std::exp(std::lgamma((nu + 1) / 2) - std::lgamma(nu / 2)) / std::sqrt(nu * std::numbers::pi);
  const auto density = [&](double t) { return scale * std::pow(1 + t * t / nu, -(nu + 1) / 2); };
  constexpr int kPieces = 2000;
  const double h = x / kPieces;
  double sum = density(0.0) + density(x);
  for (int i = 1; i < kPieces; ++i) sum += (i % 2 == 1 ? 4.0 : 2.0) * density(h * i);
  return sum * h / 3;
}

double deviation(const std::vector<double>& values, double mean) {
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

}  // namespace

double student_quantile(double probability, int freedom) {
  double low = 0.0, high = 1000.0;
  while (high - low > 1e-9) {
    const double middle = (low + high) / 2;
    (0.5 + mass_up_to(middle, freedom) < probability ? low : high) = middle;
  }
  return low;
}

SeedMean mean_of(const std::vector<double>& values) {
  const auto n = static_cast<int>(values.size());
  if (n == 0) return {kNaN, kNaN, 0};
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (n == 1) return {mean, kNaN, 1};
  return {mean, student_quantile(0.975, n - 1) * deviation(values, mean) / std::sqrt(n), n};
}

double detectable_difference(const std::vector<double>& differences) {
  const auto mean = mean_of(differences);
  if (mean.n < 2) return kNaN;
  const double quantiles = student_quantile(0.975, mean.n - 1) + student_quantile(0.8, mean.n - 1);
  return quantiles * deviation(differences, mean.value) / std::sqrt(mean.n);
}

}  // namespace dis
