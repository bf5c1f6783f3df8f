// Evaluation of each kind of data; evaluate.cpp chooses.
#pragma once

#include <optional>

#include "dis/data/arc_data.h"
#include "dis/data/nqueens.h"
#include "dis/data/puzzle_rows.h"
#include "dis/eval/decode.h"
#include "dis/eval/evaluate.h"
#include "dis/eval/intervals.h"

namespace dis {

// Each fills in all but `file` and the head of `json`.
Evaluation evaluate_boards(const Session& session, const NQueensData& data, const EvalConfig& eval,
                           const EvaluationTarget& target);
Evaluation evaluate_arc(const Session& session, const ArcData& data, const EvalConfig& eval,
                        const EvaluationTarget& target);
Evaluation evaluate_rows(const Session& session, const EvalConfig& eval, const EvaluationTarget& target);

/// [the data's tested pairs] whether the network was trained on them; none where it is not known.
std::vector<bool> seen_marks(const PairList& tested, const EvaluationTarget& target);

/// Answers against labels, cell by cell; cells without a label do not count.
struct RowRates {
  Rate exact;  ///< rows whose every labelled cell is right; rows without a labelled cell do not count
  std::int64_t right_cells = 0;
  std::int64_t cells = 0;

  void add(std::span<const std::int32_t> answer, std::span<const std::int32_t> label);
  double token_accuracy() const {
    return cells == 0 ? 0.0 : static_cast<double>(right_cells) / static_cast<double>(cells);
  }
};
/// {"exact": rate_json, "token_accuracy"}
Json to_json(const RowRates& rates);

/// Supervision steps that a row made, the mean, where the halting head ended some rows before the last step.
std::optional<double> mean_steps(std::int64_t made, std::int64_t rows, std::int64_t steps);
/// By all rows.
std::int64_t steps_made(const Answers& answers);
/// A line of a report.
std::string mean_steps_text(const std::optional<double>& mean);

/// Rates after each supervision step.
struct StepRates {
  std::vector<RowRates> after;  ///< [N]
  std::int64_t rows = 0, made = 0;

  explicit StepRates(std::int64_t steps) : after(static_cast<std::size_t>(steps)) {}
  /// `labels` [rows, L]
  void add(const Answers& answers, const std::vector<std::int32_t>& labels);
  std::optional<double> mean_steps() const { return dis::mean_steps(made, rows, std::ssize(after)); }
};
/// {"per_supervision_step": [N] rates (with `per_step`), "mean_steps": as mean_steps()}
Json to_json(const StepRates& rates, bool per_step);
/// A table, one line a supervision step.
std::string step_table(const StepRates& rates);

}  // namespace dis
