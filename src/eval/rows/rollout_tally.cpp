#include "dis/eval/rows/rollout_tally.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "dis/eval/intervals.h"

namespace dis {
namespace {

/// A mean of shares with its interval by the normal distribution.
struct MeanShare {
  double value = 0.0, lower = 0.0, upper = 1.0;
};

template <class Share>
MeanShare mean_share(const std::vector<std::int64_t>& rows, Share share) {
  if (rows.empty()) return {};
  const auto n = static_cast<double>(rows.size());
  double sum = 0.0, squares = 0.0;
  for (const auto row : rows) {
    sum += share(row);
    squares += share(row) * share(row);
  }
  const double mean = sum / n, variance = std::max(0.0, squares / n - mean * mean);
  const double half = n > 1 ? 1.959963984540054 * std::sqrt(variance / (n - 1)) : 1.0;
  return {mean, std::max(0.0, mean - half), std::min(1.0, mean + half)};
}

}  // namespace

double pass_at(std::int64_t K, std::int64_t c, std::int64_t k) {
  double none = 1.0;  // C(K - c, k) / C(K, k)
  for (std::int64_t i = 0; i < k; ++i)
    none *= static_cast<double>(std::max<std::int64_t>(0, K - c - i)) / static_cast<double>(K - i);
  return 1.0 - none;
}

RolloutTally::RolloutTally(std::int64_t rollouts, std::vector<Select> selectors, bool halting_trained)
    : rollouts_(rollouts),
      selectors_(std::move(selectors)),
      halting_trained_(halting_trained),
      hits_(selectors_.size()) {}

void RolloutTally::add(const RolloutView& row, const std::vector<bool>& right) {
  right_.push_back(std::ranges::count(right, true));
  for (std::size_t i = 0; i < selectors_.size(); ++i) {
    const auto chosen = chosen_rollout(row, selectors_[i], halting_trained_);
    hits_[i] += right[static_cast<std::size_t>(chosen)] ? 1 : 0;
  }
}

double RolloutTally::pass_at(std::int64_t k) const {
  return mean_share(right_, [&](std::int64_t c) { return dis::pass_at(rollouts_, c, k); }).value;
}

std::vector<std::int64_t> RolloutTally::ks() const {
  std::vector<std::int64_t> all;
  for (std::int64_t k = 1; k < rollouts_; k *= 2) all.push_back(k);
  all.push_back(rollouts_);
  return all;
}

Json RolloutTally::json() const {
  Json json = {{"rows", rows()}, {"mean", pass_at(1)}};
  for (const auto k : ks()) {
    const auto share = mean_share(right_, [&](std::int64_t c) { return dis::pass_at(rollouts_, c, k); });
    json["pass_at"][std::to_string(k)] = {{"value", share.value}, {"lower", share.lower}, {"upper", share.upper}};
  }
  for (std::size_t i = 0; i < selectors_.size(); ++i) {
    json["selectors"][to_string(selectors_[i])] = rate_json({hits_[i], rows()});
  }
  return json;
}

std::string RolloutTally::text() const {
  std::string text = "rollouts a row: " + std::to_string(rollouts_) + "\n";
  char line[128];
  for (const auto k : ks()) {
    const auto share = mean_share(right_, [&](std::int64_t c) { return dis::pass_at(rollouts_, c, k); });
    std::snprintf(line, sizeof line, "  %-25s%.3f [%.3f, %.3f]%s\n", ("any of " + std::to_string(k)).c_str(),
                  share.value, share.lower, share.upper, k == 1 ? "  (mean of single rollouts)" : "");
    text += line;
  }
  for (std::size_t i = 0; i < selectors_.size(); ++i) {
    std::snprintf(line, sizeof line, "  %-25s%s\n", ("chosen by " + to_string(selectors_[i])).c_str(),
                  rate_text({hits_[i], rows()}).c_str());
    text += line;
  }
  return text;
}

}  // namespace dis
