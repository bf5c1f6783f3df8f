// ARC Prize submissions: two attempts for every test input, or as many as a second scorer asks for (eval.attempts), in
// the order of their votes.
//
//   {"<task>": [{"attempt_1": [[0, 3], [3, 0]], "attempt_2": [[0, 3], [3, 1]]}, ...one per test input...], ...}
//
// Every test input of every task has its entry, in order, so none shifts. Where there are fewer candidates the last one
// is repeated; without any, attempts are [[0]]. The empty grid, which may be a candidate, is no grid to the scorer: it
// is written as [[0]] too.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "dis/core/json.h"
#include "dis/data/arc/arc_task.h"
#include "dis/eval/votes/arc_vote.h"

namespace dis {

/// [test inputs]: the grids of the first `attempts` candidates; fewer where there are fewer.
std::vector<std::vector<Grid>> best_grids(const VoteBook& book, std::int64_t attempts);

/// `attempts` for test_inputs(tasks), best first, of which `most` are written, under attempt_1, attempt_2, ...
Json submission(std::span<const ArcTask> tasks, std::span<const std::vector<Grid>> attempts, std::int64_t most);

/// Writes it in one line (write_or_keep).
void write_submission(const std::filesystem::path& path, std::span<const ArcTask> tasks,
                      std::span<const std::vector<Grid>> attempts, std::int64_t most);

/// The tasks of several submissions in one, in their order. UserError: a file that holds none, a task in two of them.
Json merged_submissions(const std::vector<std::filesystem::path>& files);

/// What is wrong with the submission in a file, one line each; empty: nothing. It must hold exactly these tasks, an
/// entry for each of their test inputs, and in it exactly attempt_1 and attempt_2: rectangular grids of 1..30 rows and
/// columns of whole numbers 0..9. UserError when the file cannot be read; one that is no JSON is a problem.
std::vector<std::string> check_submission(const std::filesystem::path& path, std::span<const ArcTask> tasks);

}  // namespace dis
