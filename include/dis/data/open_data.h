// The data set that a configuration names.
#pragma once

#include <memory>

#include "dis/config/config.h"
#include "dis/data/dataset.h"

namespace dis {

/// Generates (nqueens) or reads (arc, folder, grids) the data. UserError as of NQueensData, ArcData, PuzzleRows and
/// read_grid_puzzles.
std::unique_ptr<TrainingStream> open_data(const RunConfig& config);

}  // namespace dis
