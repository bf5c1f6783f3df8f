// Whether training saw the answers of the tasks that are to be evaluated.
//
// 376 tasks of ARC-1's evaluation set are inside ARC-2's training set and six more in its evaluation set, so a network
// trained on ARC-2 knows their answers. Such scores are refused, unless forced (eval.allow_seen_tasks); then they say
// so.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "dis/data/arc/arc_puzzles.h"

namespace dis {

/// What is known of the answers that a network was trained on.
struct SeenTasks {
  std::function<bool(const std::string& task)> contains;
  bool certain = true;  ///< false: training may have seen them
};

/// What to write beside the scores: nothing if `seen` contains none of `tasks`. UserError unless `forced`.
std::string warn_of_seen_tasks(const std::vector<std::string>& tasks, const SeenTasks& seen, bool forced);

/// Names of the tasks with test pairs whose answers are all known: those that are scored.
std::vector<std::string> tested_tasks(const ArcPuzzles& puzzles);

/// What a run's folder says (seen_tasks.json, which training writes); without that file, for it was trained on arrays:
/// as seen_by_names.
SeenTasks seen_by_run(const std::filesystem::path& run, const ArcPuzzles& evaluated);

/// For weights of which only the identifiers are known: nothing if they are of the very tasks of `evaluated` (then
/// their test set is taken to be the same too), otherwise, not certainly, every task that they name.
SeenTasks seen_by_names(const std::vector<std::string>& identifiers, const ArcPuzzles& evaluated);

}  // namespace dis
