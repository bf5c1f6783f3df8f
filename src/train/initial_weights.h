// The weights that a run begins with instead of random ones: train.init_from.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dis/data/shared_pairs.h"

namespace dis {

struct InitialWeights {
  std::filesystem::path file;
  std::vector<std::string> identifiers;  ///< of the rows of their puzzle table, where they come from a run
  std::vector<std::string> seen_tasks;   ///< what that run's training saw
  TrainedPairs seen_pairs;
};

/// `from` names a .safetensors file, a checkpoint folder or a run folder. UserError: none of them.
InitialWeights find_initial_weights(const std::filesystem::path& from);

}  // namespace dis
