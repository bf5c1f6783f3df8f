// A training run in its folder: config.json, identifiers.json, metrics.jsonl, log.txt, events.*, checkpoints/.
//
// A run that was stopped or killed at any moment goes on from its latest checkpoint, bit for bit as if it had not been:
// everything but the weights, moments and lanes is a function of the step, and metrics beyond the checkpoint are
// dropped and written again.
#pragma once

#include <filesystem>
#include <functional>

#include "dis/train/session.h"

namespace dis {

struct TrainRequest {
  std::filesystem::path run;  ///< the run folder
  bool resume = false;        ///< go on with the run that is there
  /// Called with the updates done every train.eval_every updates, and at the end, if set; returns the score that
  /// keep_best compares (higher is better).
  std::function<double(const Session&, std::int64_t updates)> evaluate;
};

/// Trains to train.steps. Throws Stopped after SIGINT or SIGTERM, when a checkpoint is written. UserError: the folder
/// exists already (or does not, under resume), it is in use, a damaged checkpoint, a full disk, a NaN or infinite loss
/// (the last good checkpoint stays), memory ran out (names the micro_batch to try).
void train(Session& session, const TrainRequest& request);

}  // namespace dis
