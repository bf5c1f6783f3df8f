// What rollouts are worth: the share of right answers of one rollout, of any of k, and of the one that each selector
// chooses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dis/core/json.h"
#include "dis/eval/rows/rollouts.h"

namespace dis {

/// The chance that k of K rollouts, drawn without order, hold one of the c right ones: 1 - C(K - c, k) / C(K, k).
double pass_at(std::int64_t K, std::int64_t c, std::int64_t k);

class RolloutTally {
 public:
  RolloutTally(std::int64_t rollouts, std::vector<Select> selectors, bool halting_trained);

  /// A row, and which of its rollouts are right [K].
  void add(const RolloutView& row, const std::vector<bool>& right);

  std::int64_t rows() const { return std::ssize(right_); }
  std::int64_t rollouts() const { return rollouts_; }
  const std::vector<Select>& selectors() const { return selectors_; }
  std::int64_t hits(std::size_t selector) const { return hits_[selector]; }
  /// Mean over rows of pass_at(); k = 1 is the mean of single rollouts.
  double pass_at(std::int64_t k) const;

  /// {"rows", "mean": of single rollouts, "pass_at": {"1": {"value", "lower", "upper"}, "2", "4", ..., K},
  /// "selectors": {"last": rate, ...}}
  Json json() const;
  /// A table.
  std::string text() const;

 private:
  std::vector<std::int64_t> ks() const;

  std::int64_t rollouts_;
  std::vector<Select> selectors_;
  bool halting_trained_;
  std::vector<std::int64_t> right_;  // [rows] right rollouts
  std::vector<std::int64_t> hits_;   // [selectors]
};

}  // namespace dis
