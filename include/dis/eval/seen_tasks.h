// Whether training saw the answers of the tasks that are to be evaluated.
//
// 376 tasks of ARC-1's evaluation set are inside ARC-2's training set and six more in its evaluation set, so a network
// trained on ARC-2 knows their answers. Such scores are refused, unless forced (eval.allow_seen_tasks); then they say
// so.
#pragma once

#include <functional>
#include <string>

#include "dis/config/config.h"
#include "dis/data/arc_puzzles.h"

namespace dis {

/// What to write beside the scores: nothing if `trained` holds for no evaluated task. UserError unless `forced`.
std::string warn_of_seen_tasks(const ArcPuzzles& evaluated, const std::function<bool(const std::string& task)>& trained,
                               bool forced);

/// For a run whose data section was `trained`: the tasks whose test pairs were among its examples.
std::function<bool(const std::string& task)> tasks_trained_by(const DataConfig& trained);

/// For weights of which only the identifiers are known: none if they are of the very tasks of `evaluated` (then their
/// training set and test set are taken to be the same too), otherwise every task that they name.
std::function<bool(const std::string& task)> tasks_named_by(const std::vector<std::string>& identifiers,
                                                            const ArcPuzzles& evaluated);

}  // namespace dis
