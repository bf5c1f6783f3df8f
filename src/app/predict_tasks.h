// dis predict for ARC: a training run on the demonstrations of new tasks (predict_fit.h), then the vote of their
// puzzles; in one fit, or in chunks of the tasks one after the other (--chunks), each with a run folder of its own.
#pragma once

#include "predict_fit.h"

namespace dis {

/// Fits, votes, writes the submission and prints what came of it. UserError as of fit_start() and fit_to_tasks();
/// outputs that would replace an input.
void predict_tasks(const PredictOptions& options);

}  // namespace dis
