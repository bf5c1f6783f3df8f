// How the network solves a task, as a picture.
#pragma once

#include <string>

#include "dis/config/config.h"
#include "dis/data/pictures/grid_picture.h"
#include "dis/train/session.h"

namespace dis {

/// For each test input of the task `id`: the input, the answer of its base puzzle after each supervision step, the two
/// best candidates of the vote with their votes, and the truth. UserError: data other than ARC, no such task in the
/// test set.
GridScene solution_scene(const Session& session, const EvalConfig& eval, const std::string& id);

}  // namespace dis
