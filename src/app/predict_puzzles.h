// dis predict for data other than ARC: puzzles of a user's file, answered by a trained network as it is.
#pragma once

#include "predict_fit.h"

namespace dis {

/// Whether the run's network answers puzzles without a fit: its data have no tasks.
bool answers_without_fit(const PredictOptions& options);

/// Answers options.input into options.output, a JSON file: {"run", "checkpoint", "weights", "kind", "puzzles":
/// [{"question", "answer" (as the file writes them), "valid" (where the rules are known), "exact" (where the file has
/// the answer)},
/// ...]}; and into a picture, if one is asked for. UserError: options of a fit; as of DataSet::questions().
void answer_puzzles(const PredictOptions& options);

}  // namespace dis
