#include "evaluations.h"

#include <ATen/ATen.h>

#include "dis/core/error.h"
#include "dis/train/schedule.h"

namespace dis {

bool falls_due(std::int64_t every, std::int64_t updates, const MethodConfig& method) {
  return every > 0 && updates / every != (updates - updates_per_batch(method)) / every;
}

bool Evaluations::due(std::int64_t updates) const {
  return wanted() && falls_due(session_.config.train.eval_every, updates, session_.config.method);
}

/// Of the weights that `dis eval` would take: the moving average where there is one and eval.ema is on.
double Evaluations::score(std::int64_t updates) const {
  if (!scores_average(session_.config)) return request_.evaluate(session_, updates);
  const at::NoGradGuard no_grad;
  struct PutBack {
    Weights& weights;
    at::Tensor last;
    ~PutBack() { weights.assign(last); }
  };
  auto& weights = session_.model->weights();
  const PutBack put_back{weights, weights.flat().clone()};
  weights.assign(optimiser_.ema());
  return request_.evaluate(session_, updates);
}

std::optional<double> Evaluations::make(RunState& state, const std::function<void()>& save) const {
  state.evaluation_due = wanted();
  std::optional<double> found;
  while (state.evaluation_due) {
    try {
      found = score(state.updates);
      state.evaluation_due = false;
    } catch (const Stopped&) {
      return std::nullopt;
    } catch (const CheckpointWanted&) {
      save();
    }
  }
  if (found && session_.config.train.keep_best && (!state.best_score || *found > *state.best_score)) {
    state.best_score = *found;
    state.best_update = state.updates;
  }
  return found;
}

}  // namespace dis
