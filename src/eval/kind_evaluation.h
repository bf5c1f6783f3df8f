// How each kind of data is evaluated: rows of tokens by the measures of their data set, and by a table what is special
// about some kinds.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dis/data/dataset.h"
#include "dis/eval/evaluate.h"
#include "dis/eval/rows/decode.h"
#include "dis/eval/rows/rollout_tally.h"
#include "dis/eval/rows/test_rows.h"

namespace dis {

// Each fills in all but `file` and the head of `json`.
Evaluation evaluate_rows(const Session& session, const EvalConfig& eval, const EvaluationTarget& target);
Evaluation evaluate_boards(const Session& session, const EvalConfig& eval, const EvaluationTarget& target);
Evaluation evaluate_arc(const Session& session, const EvalConfig& eval, const EvaluationTarget& target);

/// The rows of the main test set that `eval` chooses. UserError as of test_rows().
std::unique_ptr<TestRows> listed_rows(const Session& session, const EvalConfig& eval, bool one_completion);
/// Those of all test sets, by their number.
std::int64_t count_listed_rows(const Session& session, const EvalConfig& eval);
/// The puzzles that vote on ARC's test inputs.
std::unique_ptr<TestRows> voting_rows(const Session& session, const EvalConfig& eval, bool one_completion);
std::int64_t count_voting_rows(const Session& session, const EvalConfig& eval);

/// How a kind of data is evaluated: what it does not say is done as for any rows.
struct KindEvaluation {
  Evaluation (*evaluate)(const Session&, const EvalConfig&, const EvaluationTarget&) = evaluate_rows;
  std::unique_ptr<TestRows> (*rows)(const Session&, const EvalConfig&, bool one_completion) = listed_rows;
  std::int64_t (*count)(const Session&, const EvalConfig&) = count_listed_rows;
};
KindEvaluation evaluation_of(DataKind kind);

/// [the data's tested pairs] whether the network was trained on them; none where it is not known.
std::vector<bool> seen_marks(const PairList& tested, const EvaluationTarget& target);

/// Answers to rows by the measures of their data set.
class RowScore {
 public:
  explicit RowScore(const DataSet& data);
  void add(const AnsweredRow& row);
  /// [measures], each with the sum of its counts
  const std::vector<Measure>& measures() const { return measures_; }
  const std::vector<MeasureCount>& counts() const { return counts_; }
  /// Of the first measure, as a share.
  double main() const;
  /// "exact 0.930 [0.891, 0.955]": that measure for people; "exact ..., tokens ...": all of them.
  std::string main_text() const;
  std::string text() const;

 private:
  const DataSet& data_;
  std::vector<Measure> measures_;
  std::vector<MeasureCount> counts_;
};
/// {key: rate_json (a share), number (a ratio) or {"mean", "total"} (an amount)}
Json to_json(const RowScore& score);

/// Supervision steps that a row made, the mean, where the halting head ended some rows before the last step.
std::optional<double> mean_steps(std::int64_t made, std::int64_t rows, std::int64_t steps);
/// By all rows.
std::int64_t steps_made(const Answers& answers);
/// A line of a report.
std::string mean_steps_text(const std::optional<double>& mean);

/// The supervision steps after which rollouts of `steps` steps are reported: all of them under eval.per_step.
std::vector<std::int64_t> reported_depths(const EvalConfig& eval, std::int64_t steps);
/// Settings and cost of rollouts, {"rollouts", "steps", "select", "passes_per_row", "seconds"}, with those of the
/// tally.
Json rollouts_json(const Session& session, const EvalConfig& eval, const RolloutTally& tally, double seconds);
/// [K] whether answers [K, L] to an input [L] obey the rules; empty where they are not known.
std::vector<bool> obeyed(const DataSet& data, std::span<const std::int32_t> input,
                         std::span<const std::int32_t> answers);
/// What is known of several answers [K, L] to a row: by its label, and by the rules (empty where they are not known).
struct JudgedRollouts {
  std::vector<bool> right, obeys;  ///< [K]
};
JudgedRollouts judge_rollouts(const DataSet& data, std::span<const std::int32_t> input,
                              std::span<const std::int32_t> label, std::span<const std::int32_t> answers);
/// Whether answers to the session's data can be checked without a label.
bool rules_known(const Session& session);

/// Scores after each supervision step.
struct StepScores {
  std::vector<RowScore> after;  ///< [N]
  std::int64_t rows = 0, made = 0;

  StepScores(const DataSet& data, std::int64_t steps) : after(static_cast<std::size_t>(steps), RowScore(data)) {}
  void add(const Answers& answers, const RowBatch& batch);
  std::optional<double> mean_steps() const { return dis::mean_steps(made, rows, std::ssize(after)); }
};
/// {"per_supervision_step": [N] scores (with `per_step`), "mean_steps": as mean_steps()}
Json to_json(const StepScores& scores, bool per_step);
/// A table, one line a supervision step.
std::string step_table(const StepScores& scores);

}  // namespace dis
