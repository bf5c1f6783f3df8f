// Evaluation of each kind of data; evaluate.cpp chooses.
#pragma once

#include "dis/data/arc_data.h"
#include "dis/data/nqueens.h"
#include "dis/data/puzzle_rows.h"
#include "dis/eval/decode.h"
#include "dis/eval/evaluate.h"
#include "dis/eval/intervals.h"

namespace dis {

// Each fills in all but `file` and the head of `json`.
Evaluation evaluate_boards(const Session& session, const NQueensData& data, const EvalConfig& eval);
Evaluation evaluate_arc(const Session& session, const ArcData& data, const EvalConfig& eval,
                        const EvaluationTarget& target);
Evaluation evaluate_rows(const Session& session, const EvalConfig& eval);

DecodeSettings decode_settings(const Session& session, const EvalConfig& eval);

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
/// A table, one line a supervision step.
std::string step_table(const std::vector<RowRates>& steps);

}  // namespace dis
