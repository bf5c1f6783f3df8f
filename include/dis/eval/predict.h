// Answers to tasks that training never saw.
//
// A network knows a task by its puzzle embedding, and a new task has none. So its puzzles (the base puzzle and
// predict.augmentations more) get rows of their own, which start at the mean of the trained rows and are fitted to the
// task's demonstrations by predict.steps updates of the training loop; the network itself stays as it is, unless
// predict.train_network. Then the puzzles vote, as in an evaluation.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dis/config/config.h"
#include "dis/eval/seen_pairs.h"
#include "dis/eval/votes/arc_score.h"

namespace dis {

struct PredictRequest {
  RunConfig config;                      ///< of the run, with the settings of `predict`
  std::filesystem::path weights;         ///< the trained network
  std::vector<std::string> identifiers;  ///< that it was trained with: puzzles it knows keep their rows
  std::vector<ArcTask> tasks;
  SeenPairsPointer seen_pairs = {};  ///< what the network was trained on, if it is known
};

struct PredictResult {
  std::vector<ArcTask> tasks;               ///< in the order of the build
  std::vector<std::vector<Grid>> attempts;  ///< [test inputs] the first two candidates, for submission.h
  ArcScore score;                           ///< of the tasks whose answers are known
  SeenCount seen;                           ///< of their test pairs, those trained or fitted
  std::vector<std::string> seen_tasks;      ///< tasks with such pairs
  ArcScore unseen;                          ///< of the other tasks, if there are some of both
  double fitting_seconds = 0.0;
  double voting_seconds = 0.0;
};

/// Tasks with a grid larger than data.max_grid get no answer. UserError: no other tasks, or data of another kind than
/// ARC. Throws Stopped after a signal to stop.
PredictResult predict(const PredictRequest& request);

}  // namespace dis
