#include "dis/model/supervision_step.h"

namespace dis {

StepOutput supervision_step(const Backbone& model, const StepInput& in, const States& before,
                            const StepOptions& options) {
  const auto x = model.input(in.tokens, in.puzzle, in.number, options.worker);
  StepOutput out{model.latent_reasoning(x, before, options.worker, options.observer), {}, {}};
  if (options.answer) out.logits = model.readout(out.states.y, options.worker);
  if (options.halting) out.halting = model.halting(out.states.y, options.worker);
  return out;
}

}  // namespace dis
