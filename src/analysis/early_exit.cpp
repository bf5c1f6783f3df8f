#include "dis/analysis/early_exit.h"

#include "dis/core/error.h"

namespace dis {

std::vector<ExitRule> exit_rules(std::int64_t steps, bool halting) {
  std::vector<ExitRule> rules;
  for (std::int64_t s = 1; s <= steps; ++s) rules.push_back({"steps", static_cast<double>(s)});
  rules.push_back({"agreement", 0.0});
  if (halting) {
    for (const double logit : {-4.0, -2.0, 0.0, 2.0, 4.0}) rules.push_back({"halting", logit});
  }
  for (const double margin : {1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001}) rules.push_back({"margin", margin});
  rules.push_back({"last change", 0.0});
  return rules;
}

std::int64_t last_change(const RowTrace& row) {
  for (auto s = row.changed_labelled.size(); s > 1; --s) {
    if (row.changed_labelled[s - 1]) return static_cast<std::int64_t>(s);
  }
  return 1;
}

std::int64_t exit_step(const ExitRule& rule, const RowTrace& row) {
  const auto N = row.exact.size();
  const auto first = [&](auto stops) {
    for (std::size_t s = 1; s < N; ++s) {
      if (stops(s - 1)) return static_cast<std::int64_t>(s);
    }
    return static_cast<std::int64_t>(N);
  };
  if (rule.name == "steps") return static_cast<std::int64_t>(rule.threshold);
  if (rule.name == "agreement") return first([&](std::size_t s) { return !row.changed[s]; });
  if (rule.name == "halting") return first([&](std::size_t s) { return row.halting[s] > rule.threshold; });
  if (rule.name == "margin") return first([&](std::size_t s) { return row.margin[s] < rule.threshold; });
  ensure(rule.name == "last change", "exit_step", "a known rule");
  return last_change(row);
}

void ExitCount::add(const ExitRule& rule, const RowTrace& row) {
  const auto s = exit_step(rule, row);
  const bool solved = row.exact[static_cast<std::size_t>(s - 1)];
  ++rows;
  steps += s;
  exact += solved ? 1 : 0;
  solved_as_last += solved == row.exact.back() ? 1 : 0;
}

void ExitCount::add(const ExitCount& other) {
  rows += other.rows;
  steps += other.steps;
  exact += other.exact;
  solved_as_last += other.solved_as_last;
}

}  // namespace dis
