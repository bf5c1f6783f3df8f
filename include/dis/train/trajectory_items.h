// The training examples of the data sets that trajectories can be made for.
#pragma once

#include "dis/data/arc/arc_data.h"
#include "dis/data/boards/nqueens.h"
#include "dis/train/trajectories.h"

namespace dis {

/// The result refers to `data`, which must outlive it.
TrajectoryItems trajectory_items(const NQueensData& data);
TrajectoryItems trajectory_items(const ArcData& data);

}  // namespace dis
