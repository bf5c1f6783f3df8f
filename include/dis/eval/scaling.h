// The score of a network that is asked more often and for longer: a grid of rollouts K and supervision steps D, by
// every selector, from one run of the largest (rollouts.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dis/config/config.h"
#include "dis/core/json.h"
#include "dis/train/session.h"

namespace dis {

struct ScalingGrid {
  std::vector<std::int64_t> rollouts;  ///< K, ascending
  std::vector<std::int64_t> steps;     ///< D, ascending
};

/// Reads "K=1,2,4" and "D=8,16", in any order; either may be missing: K then goes up to eval.rollouts in powers of two,
/// and D is that of `config` alone. UserError: anything else.
ScalingGrid scaling_grid(const std::vector<std::string>& texts, const RunConfig& config);

/// `config` for the grid's largest point, checked. UserError as of check_config().
RunConfig scaling_config(RunConfig config, const ScalingGrid& grid);

/// On the main test set (of ARC on all puzzles that vote):
/// {"measure": the first of the data set, "rows", "of", "seconds": of the whole, "points": [{"rollouts", "steps",
/// "passes_per_row", and as of RolloutTally::json(); of ARC also "pass_at_2": {selector: rate of the tasks, after the
/// vote}}, ...]}. A request to stop (signals.h) ends it early: the
/// first "rows" "of" all, without ARC's vote.
Json scaling(const Session& session, const EvalConfig& eval, const ScalingGrid& grid);

/// A table for a terminal; the seconds of a point are its share of the whole by passes.
std::string scaling_text(const Json& scaling);

}  // namespace dis
