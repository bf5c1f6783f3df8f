// A training run in its folder: config.json, identifiers.json, seen_tasks.json, content.json, seen_pairs.npy
// (run_content.h), metrics.jsonl, log.txt, events.*, checkpoints/.
//
// A run that was stopped or killed at any moment goes on from its latest checkpoint, bit for bit as if it had not been:
// everything but the weights, moments and lanes is a function of the step, and metrics beyond the checkpoint are
// dropped and written again.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dis/data/shared_pairs.h"
#include "dis/train/session.h"

namespace dis {

struct TrainRequest {
  std::filesystem::path run;  ///< the run folder
  bool resume = false;        ///< go on with the run that is there
  /// Called with the updates done every train.eval_every updates, if set; returns the score that keep_best compares
  /// (higher is better). It may throw Stopped: then training stops too, with a checkpoint, and
  /// `resume` begins with this evaluation; or CheckpointWanted: it is called again after a checkpoint.
  std::function<double(const Session&, std::int64_t updates)> evaluate = {};
  std::string go_on = {};  ///< the command that goes on after a stop; empty: dis train --resume
  double deadline = 0.0;   ///< steady_seconds() after which training ends as if all were done; 0: none
  std::string batch = "train.global_batch";   ///< the field to lower where memory runs out at the start
  const TrainedPairs* seen_before = nullptr;  ///< by the weights of train.init_from, in place of what their run says
};

/// Updates of the run when a call of train() began, and when it ended.
struct Trained {
  std::int64_t before = 0;
  std::int64_t updates = 0;
};

/// Trains to train.steps, or to the deadline. Throws Stopped after a signal to stop,
/// when a checkpoint is written; a signal that asks for one (signals.h) has it written, and training goes on: by all
/// ranks, whichever got it. UserError: the folder exists already (or does not, under resume), it is in use, a damaged
/// checkpoint, a full disk, a NaN or infinite loss (the last good checkpoint stays), memory ran out (names the
/// micro_batch to try).
Trained train(Session& session, const TrainRequest& request);

}  // namespace dis
