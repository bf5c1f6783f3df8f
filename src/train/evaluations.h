// The schedule of a run's evaluations: when one is due, of which weights, and which was the best.
#pragma once

#include <functional>
#include <optional>

#include "dis/train/checkpoint.h"
#include "dis/train/trainer.h"

namespace dis {

class Evaluations {
 public:
  /// The references must outlive it.
  Evaluations(const Session& session, const TrainRequest& request, const Optimiser& optimiser)
      : session_(session), request_(request), optimiser_(optimiser) {}

  bool wanted() const { return request_.evaluate && session_.config.train.eval_every > 0; }
  /// Whether a multiple of train.eval_every updates lies in the batch that ended with `updates`.
  bool due(std::int64_t updates) const;

  /// Evaluates after state.updates updates; `save` writes a checkpoint when one is asked for meanwhile. Afterwards
  /// state.evaluation_due says whether a signal ended it; if none did, returns the score, and state.best_update is this
  /// update if it is the best one so far and is to be kept.
  /// Throws what request.evaluate throws.
  std::optional<double> make(RunState& state, const std::function<void()>& save) const;

 private:
  double score(std::int64_t updates) const;

  const Session& session_;
  const TrainRequest& request_;
  const Optimiser& optimiser_;
};

/// Whether a multiple of `every` updates lies in the batch that ended with `updates`; never if `every` is 0.
bool falls_due(std::int64_t every, std::int64_t updates, const MethodConfig& method);

}  // namespace dis
