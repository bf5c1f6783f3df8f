// The results of `dis eval --scaling` (eval/scaling.h) as figures.
#pragma once

#include <string>

#include "dis/core/json.h"
#include "dis/report/line_plot.h"

namespace dis {

/// The score against the passes of a row, a line for each selector with the number of rollouts along it, all at the
/// largest number of steps; "any" is pass@K, "mean" that of single rollouts.
LinePlot scaling_by_rollouts(const Json& scaling, const std::string& title);
/// The same against the number of steps, at the largest number of rollouts. No series where there is one number of
/// steps.
LinePlot scaling_by_steps(const Json& scaling, const std::string& title);

}  // namespace dis
