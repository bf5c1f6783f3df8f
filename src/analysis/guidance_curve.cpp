#include "dis/analysis/guidance_curve.h"

#include <cmath>

#include "dis/core/error.h"

namespace dis {
namespace {

/// The polynomial of degree 5 on [0, 1] with these values, first and second derivatives at both ends.
struct Quintic {
  double value0, slope0, curve0, value1, slope1, curve1;

  double value(double t) const {
    const double a = value1 - value0 - slope0 - curve0 / 2, b = slope1 - slope0 - curve0, c = curve1 - curve0;
    const double c3 = 10 * a - 4 * b + c / 2, c4 = -15 * a + 7 * b - c, c5 = 6 * a - 3 * b + c / 2;
    return value0 + t * (slope0 + t * (curve0 / 2 + t * (c3 + t * (c4 + t * c5))));
  }
  double slope(double t) const {
    const double a = value1 - value0 - slope0 - curve0 / 2, b = slope1 - slope0 - curve0, c = curve1 - curve0;
    const double c3 = 10 * a - 4 * b + c / 2, c4 = -15 * a + 7 * b - c, c5 = 6 * a - 3 * b + c / 2;
    return slope0 + t * (curve0 + t * (3 * c3 + t * (4 * c4 + t * 5 * c5)));
  }
};

}  // namespace

GuidedLoss guided_loss(std::span<const double> reference, std::span<const double> conditional, std::size_t truth,
                       double w) {
  ensure(reference.size() == conditional.size() && truth < reference.size(), "guided_loss",
         "log-probabilities of the same tokens, and the right one among them");
  const auto guided = [&](std::size_t k) { return (1.0 - w) * reference[k] + w * conditional[k]; };
  double largest = guided(0);
  for (std::size_t k = 1; k < reference.size(); ++k) largest = std::max(largest, guided(k));
  const double truth_gain = conditional[truth] - reference[truth];
  // Moments of d - d[y]: they are small where most of the policy is on y, and then nothing cancels.
  double sum = 0.0, first = 0.0, second = 0.0;
  for (std::size_t k = 0; k < reference.size(); ++k) {
    const double weight = std::exp(guided(k) - largest);
    const double gain = conditional[k] - reference[k] - truth_gain;
    sum += weight;
    first += weight * gain;
    second += weight * gain * gain;
  }
  const double mean = first / sum;
  return {largest + std::log(sum) - guided(truth), -mean, std::max(0.0, second / sum - mean * mean)};
}

std::size_t guided_answer(std::span<const double> reference, std::span<const double> conditional, double w) {
  std::size_t best = 0;
  double highest = (1.0 - w) * reference[0] + w * conditional[0];
  for (std::size_t k = 1; k < reference.size(); ++k) {
    const double value = (1.0 - w) * reference[k] + w * conditional[k];
    if (value > highest) {
      highest = value;
      best = k;
    }
  }
  return best;
}

void GuidanceCurve::add(std::span<const GuidedLoss> cell, std::span<const std::uint8_t> right) {
  ++cells_;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    auto& point = points_[i];
    point.loss += cell[i].loss;
    point.margin += cell[i].margin;
    point.curvature += cell[i].curvature;
    point.positive += cell[i].margin > 0.0 ? 1 : 0;
    point.right += right[i];
  }
}

void GuidanceCurve::add(const GuidanceCurve& other) {
  cells_ += other.cells_;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    auto& point = points_[i];
    const auto& more = other.points_[i];
    point.loss += more.loss;
    point.margin += more.margin;
    point.curvature += more.curvature;
    point.positive += more.positive;
    point.right += more.right;
  }
}

std::optional<GuidanceCurve::Best> GuidanceCurve::best() const {
  if (cells_ == 0) return std::nullopt;
  const auto n = static_cast<double>(cells_);
  const auto& first = points_.front();
  const auto& last = points_.back();
  if (first.margin <= 0.0) return Best{grid_.at(0), first.loss / n, true};
  if (last.margin >= 0.0) return Best{grid_.at(points_.size() - 1), last.loss / n, true};
  std::size_t i = 0;
  while (points_[i + 1].margin > 0.0) ++i;  // the sums of margins fall from point to point
  const double h = grid_.at(i + 1) - grid_.at(i);
  const auto &from = points_[i], &to = points_[i + 1];
  const Quintic q{from.loss / n, -from.margin / n * h, from.curvature / n * h * h,
                  to.loss / n,   -to.margin / n * h,   to.curvature / n * h * h};
  double low = 0.0, high = 1.0;
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = (low + high) / 2;
    (q.slope(middle) < 0.0 ? low : high) = middle;
  }
  return Best{grid_.at(i) + h * low, q.value(low), false};
}

}  // namespace dis
