// Shares with their uncertainty.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "dis/core/json.h"

namespace dis {

/// How many of `total` trials were hits, with Wilson's 95 % interval (E. B. Wilson, JASA 22, 1927): the true shares p
/// for which |hits / total - p| is at most 1.96 standard deviations. Without trials the interval is 0 to 1.
struct Rate {
  std::int64_t hits = 0;
  std::int64_t total = 0;

  void add(bool hit) {
    hits += hit ? 1 : 0;
    ++total;
  }
  double value() const { return total == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(total); }
  double lower() const { return hits == 0 ? 0.0 : std::max(0.0, centre() - half_width()); }
  double upper() const { return hits == total ? 1.0 : std::min(1.0, centre() + half_width()); }

 private:
  static constexpr double kZ = 1.959963984540054;  // 97.5 % quantile of the normal distribution
  double centre() const {
    const auto n = static_cast<double>(total);
    return (value() + kZ * kZ / (2 * n)) / (1 + kZ * kZ / n);
  }
  double half_width() const {
    const auto n = static_cast<double>(total);
    return kZ / (1 + kZ * kZ / n) * std::sqrt(value() * (1 - value()) / n + kZ * kZ / (4 * n * n));
  }
};

/// "0.930 [0.891, 0.955]"
std::string rate_text(const Rate& rate);

/// {"value", "lower", "upper", "hits", "total"}
Json rate_json(const Rate& rate);

}  // namespace dis
