#include "run_checkpoints.h"

#include <ATen/ATen.h>

namespace dis {

void RunCheckpoints::save(RunState& state) {
  if (!has(state.updates)) {
    write(state);
  } else {
    if (parts_.ranks.first()) update_checkpoint(run_, state, keep_last_);
    parts_.ranks.await_first();
  }
  owes_evaluation_ = state.evaluation_due;
}

void RunCheckpoints::write(RunState& state) {
  auto all = parts_.optimiser.buffers();
  all.push_back(parts_.model.weights().flat());
  for (const auto& numbers : all) {
    if (!at::isfinite(numbers).all().item<bool>()) throw NonFinite{"a weight or a moment is NaN or infinite"};
  }
  state.rollbacks = 0;
  const auto lanes = parts_.loop.state();
  if (parts_.ranks.first()) save_checkpoint(run_, state, parts_.model, parts_.optimiser, lanes, keep_last_);
  parts_.ranks.await_first();
  saved_at_ = state.updates;
}

RunState RunCheckpoints::go_back(RunState& state) {
  const RunState reached = state;
  NamedTensors lanes;  // of samples that are left out
  const auto saved = load_checkpoint(*latest_checkpoint(run_), parts_.model, parts_.optimiser, lanes);
  state = saved;
  state.batches = reached.batches;
  state.seconds = reached.seconds;
  state.device_seconds = reached.device_seconds;
  ++state.rollbacks;
  return saved;
}

}  // namespace dis
