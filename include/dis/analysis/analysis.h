// `dis analyze`: what each supervision step does to the policy, and which passes are dead compute (method, section 8).
//
// Everything is counted over the rows of test_rows.h, a batch at a time, in one evaluation of them: memory does not
// grow with the data. Cells without a label do not count; rows without a labelled cell are left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dis/analysis/early_exit.h"
#include "dis/analysis/guidance_curve.h"
#include "dis/analysis/siblings.h"
#include "dis/core/json.h"
#include "dis/eval/evaluate.h"
#include "dis/train/session.h"

namespace dis {

/// One supervision step.
struct StepAnalysis {
  explicit StepAnalysis(const GuidanceGrid& grid) : all(grid), wrong_before(grid), exact(grid.size()) {}

  GuidanceCurve all;                ///< every labelled cell
  GuidanceCurve wrong_before;       ///< those whose answer before the step was wrong
  std::vector<std::int64_t> exact;  ///< [grid] rows whose guided answer is right in every labelled cell
  std::int64_t improved_rows = 0;   ///< rows whose mean margin at w = 1 is positive
  std::int64_t wrong_to_right = 0, right_to_wrong = 0, wrong_to_wrong = 0;  ///< cells whose answer changed
  std::int64_t wrong_cells = 0;                                             ///< after the step
  std::int64_t target_cells = 0;  ///< cells whose target of this step is not the label
};

/// One latent pass, over the observed rows.
struct LatentPassAnalysis {
  std::int64_t cells = 0, positive = 0;
  double margin = 0.0, loss_before = 0.0, loss_after = 0.0;  ///< sums over cells
};

/// Runs without one pass.
struct RemovalAnalysis {
  std::int64_t trials = 0;
  std::int64_t changed = 0;        ///< of them with another last answer
  std::int64_t exact_with = 0;     ///< rows that the whole run solves
  std::int64_t exact_without = 0;  ///< rows that the run without the pass solves
};

/// A row to look at.
struct AnalysedRow {
  std::string name;
  bool exact = false;
  std::vector<std::int32_t> input, label;          ///< [L]
  std::vector<std::vector<std::int32_t>> answers;  ///< [N][L]
  std::vector<double> margin;                      ///< [N] mean over its labelled cells
};

struct Analysis {
  Analysis(const GuidanceGrid& grid, std::int64_t num_steps, std::int64_t num_passes, std::vector<ExitRule> rules);

  void add(const Analysis& other, std::size_t most_examples);

  std::int64_t rows = 0;
  std::int64_t observed_rows = 0;          ///< those whose latent passes were read out
  std::vector<StepAnalysis> steps;         ///< [N]
  std::vector<LatentPassAnalysis> latent;  ///< [N T (n + 1)]; nothing where an answer pass stands
  std::vector<RemovalAnalysis> removed;    ///< [N T (n + 1)]
  std::vector<ExitRule> rules;
  std::vector<ExitCount> exits;                  ///< as rules
  std::vector<std::int64_t> last_change;         ///< [N] rows whose answer changed last at step s
  std::vector<AnalysedRow> failures, successes;  ///< the first ones
  std::optional<SiblingAnalysis> siblings;       ///< where eval.rollouts asks for several
  bool has_targets = true;                       ///< target_cells are counted
};

/// Runs the session's network over the rows that config.eval chooses. `targets_known`: whether the session's targets
/// are those that the network was trained with (trajectories from a file are not read again). UserError: there are no
/// rows, or none with a known answer.
Analysis analyze(const Session& session, bool targets_known);

/// The file that analyze writes: see docs/analysis.md for its keys.
Json to_json(const Analysis& analysis, const Session& session, const EvaluationTarget& target);

/// Tables for a terminal.
std::string report_text(const Analysis& analysis, const Session& session);

}  // namespace dis
