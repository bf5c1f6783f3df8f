// How good the ranked candidates of ARC's test inputs are.
//
// pass@k: the answer is among the first k candidates. It is reported
//   by the rule of the ARC Prize: a task counts as solved when all of its test inputs are (Wilson's 95 % interval);
//   as the official code does: the mean over tasks of the share of their test inputs that are solved (95 % interval by
//   bootstrap: 1000 resamplings of the tasks; it has no width where all tasks score the same);
//   and over test inputs, whatever their task.
// A test input without predictions is unsolved. A task with a test input whose answer is not known is left out.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dis/core/json.h"
#include "dis/eval/intervals.h"
#include "dis/eval/votes/arc_vote.h"

namespace dis {

struct ArcScoreSettings {
  std::vector<std::int64_t> pass_at{1, 2, 5, 10, 100, 1000};
  /// Points of the score against the number of votes of each test input; may be empty.
  std::vector<std::int64_t> vote_counts{1, 3, 10, 30, 100, 300, 1000};
  std::int64_t resamplings = 20;  ///< random subsets of the votes, averaged, at each of these points; >= 1
  std::uint64_t seed = 0;         ///< of the subsets and of the bootstrap
};

/// A mean with its 95 % interval.
struct Mean {
  double value = 0.0;
  double lower = 0.0;
  double upper = 0.0;
};

/// The three ways to count what is solved.
struct SolvedRates {
  Rate tasks;      ///< all test inputs of the task
  Mean task_mean;  ///< share of a task's test inputs
  Rate test_inputs;
};

/// The same as plain means over resamplings.
struct SolvedShares {
  double tasks = 0.0;
  double task_mean = 0.0;
  double test_inputs = 0.0;
};

struct VotePoint {
  std::int64_t votes = 0;             ///< of each test input; all where there are fewer
  std::vector<SolvedShares> pass_at;  ///< as settings.pass_at
};

/// One line of the table.
struct TestInputResult {
  std::string task;
  int test = 0;  ///< number within the task, from 0
  std::int64_t votes = 0;
  std::int64_t candidates = 0;
  std::optional<std::int64_t> rank;  ///< of the answer, from 1; none: it is no candidate, or not known
  std::int64_t votes_first = 0;      ///< for the first candidate
  std::int64_t votes_second = 0;
  std::int64_t votes_answer = 0;
};

struct ArcScore {
  ArcScoreSettings settings;
  std::int64_t tasks = 0;  ///< scored
  std::int64_t test_inputs = 0;
  std::int64_t unknown_tasks = 0;  ///< left out: an answer is not known
  std::int64_t predictions = 0;
  std::int64_t candidates = 0;
  std::int64_t without_predictions = 0;  ///< test inputs among those scored
  std::vector<SolvedRates> pass_at;      ///< as settings.pass_at
  SolvedRates oracle;                    ///< the answer is a candidate, whatever its rank
  SolvedRates copied_input;              ///< baseline: the answer is the test input itself
  std::vector<VotePoint> by_votes;       ///< as settings.vote_counts
  std::vector<TestInputResult> table;    ///< all test inputs, also of tasks that are left out
};

/// Scores the votes for test_inputs(tasks). A std::logic_error when the book is for another number of test inputs.
ArcScore score_arc(std::span<const ArcTask> tasks, const VoteBook& book, const ArcScoreSettings& settings = {});

/// {"tasks", "test_inputs", "tasks_without_known_answer", "predictions", "candidates",
///  "test_inputs_without_predictions",
///  "pass_at": {"1": solved, "2": ..., ...}, "oracle": solved, "copied_input": solved,
///  "by_votes": {"resamplings", "seed",
///               "points": [{"votes", "pass_at": {"1": {"arc_prize", "task_mean", "test_inputs"}, ...}}, ...]},
///  "table": [{"task", "test", "votes", "candidates", "rank", "votes_first", "votes_second", "votes_answer"}, ...]}
/// with solved = {"arc_prize": rate, "task_mean": {"value", "lower", "upper"}, "test_inputs": rate} and rate =
/// {"value", "lower", "upper", "hits", "total"}; null in place of solved where no task is scored; "rank" is null when
/// the answer is no candidate.
Json to_json(const ArcScore& score);

/// The table alone: a line of names, as the keys of "table" above, and a line per test input; a missing rank is empty.
std::string table_csv(const ArcScore& score);

/// For the terminal: what was voted, pass@k in the three ways with intervals, the oracle, copying the input, and the
/// score against the number of votes. Ends with an end of line.
std::string report_text(const ArcScore& score);

}  // namespace dis
