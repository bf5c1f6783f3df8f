#include "dis/model/supervision_step.h"

namespace dis {

StepOutput supervision_step(const Backbone& model, const StepInput& in, const States& before,
                            const StepOptions& options) {
  auto x = model.input(in.tokens, in.puzzle, in.number, options.worker);
  auto number = in.number;
  if (in.example.defined()) {
    x = x.index_select(0, in.example);
    number = number.index_select(0, in.example);
  }
  auto states = before;
  if (options.draws != nullptr) {
    states.y = with_noise(*options.draws, states.y, number, kBeforeStep, WhichState::answer);
    states.z = with_noise(*options.draws, states.z, number, kBeforeStep, WhichState::latent);
  }
  const PassNoise noise{options.draws != nullptr ? *options.draws : StateDraws(), number};
  StepOutput out{
      model.latent_reasoning(x, states, options.worker, options.observer, options.draws != nullptr ? &noise : nullptr),
      {},
      {}};
  if (options.answer) out.logits = model.readout(out.states.y, options.worker);
  if (options.halting) out.halting = model.halting(out.states.y, options.worker);
  return out;
}

}  // namespace dis
