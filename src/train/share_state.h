// A run's state from rank 0, which alone reads its folder, to the other ranks.
#pragma once

#include "dis/dist/ranks.h"
#include "dis/model/backbone.h"
#include "dis/model/weights_file.h"
#include "dis/train/checkpoint.h"
#include "dis/train/optimiser.h"

namespace dis {

/// All ranks call it; afterwards each has rank 0's weights, moments, counters and lanes.
void share_state(const Ranks& ranks, RunState& state, Backbone& model, Optimiser& optimiser, NamedTensors& lanes);

}  // namespace dis
