// Stopping before the last supervision step: what it would save, and what it would cost (method, section 8).
//
// Rules; only the last one knows what the others cannot:
//   steps: after step s, always
//   agreement: after the first step that answers as the step before it
//   halting: after the first step whose halting logit (HRM: less the continue logit) exceeds a threshold
//   margin: after the first step whose advantage margin for its own answer, mean over the cells, is below a threshold
//   last change: (an oracle) after the last step that changes the answer of a labelled cell
//
// A row that no rule stops makes all N steps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dis {

/// What one row did, step by step; each [N].
struct RowTrace {
  std::vector<bool> exact;             ///< all labelled cells right after step s
  std::vector<bool> changed;           ///< another answer in any cell than after step s - 1; true at s = 1
  std::vector<bool> changed_labelled;  ///< the same for the labelled cells alone
  std::vector<double> halting;         ///< halting logit after step s
  std::vector<double> margin;          ///< advantage margin of step s for its own answer, mean over the cells
};

/// A rule at one threshold.
struct ExitRule {
  std::string name;
  double threshold = 0.0;  ///< of `halting` and `margin`; of `steps`, s
};

/// The rules and thresholds that are reported. `halting`: whether the network's halting head is trained.
std::vector<ExitRule> exit_rules(std::int64_t steps, bool halting);

/// The step, 1..N, after which the rule stops the row.
std::int64_t exit_step(const ExitRule& rule, const RowTrace& row);

/// The last step that changed the answer of a labelled cell, 1..N: the steps after it are dead.
std::int64_t last_change(const RowTrace& row);

/// Sums over rows.
struct ExitCount {
  std::int64_t rows = 0;
  std::int64_t steps = 0;  ///< made in all
  std::int64_t exact = 0;
  std::int64_t solved_as_last = 0;  ///< rows that are exact exactly when they are after step N

  void add(const ExitRule& rule, const RowTrace& row);
  void add(const ExitCount& other);
};

}  // namespace dis
