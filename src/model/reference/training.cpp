#include <ATen/ATen.h>

#include "dis/model/reference.h"
#include "dis/ops/reference.h"

namespace dis::reference {
namespace {

/// CE of the cells of a readout [B, S, V], the last L positions, to a target [B, L]: [B].
at::Tensor cell_loss(const at::Tensor& logits, const at::Tensor& target, const Loss& loss) {
  return cross_entropy(logits.slice(1, logits.size(1) - target.size(1)), target, loss);
}

at::Tensor bce(const at::Tensor& logit, const at::Tensor& target) {
  return at::binary_cross_entropy_with_logits(logit, target.to(at::kDouble), {}, {}, at::Reduction::None);
}

}  // namespace

// L_s = CE(post, t_s) [+ CE(pre, t_{s-1})], pre read from the detached y before the step
TaughtStep dis_step(const Network& net, const StepInput& in, const States& before, const at::Tensor& target,
                    const at::Tensor& target_before, const Loss& loss) {
  TaughtStep step{supervision_step(net, in, before), {}, {}};
  step.losses = cell_loss(step.out.logits, target, loss);
  if (target_before.defined()) {
    step.losses = step.losses + cell_loss(readout(net, before.y.detach()), target_before, loss);
  }
  return step;
}

// L_s = CE(post, label) + (BCE(q_halt, solved) [+ BCE(q_continue, what the next step's heads say)]) / 2
TaughtStep halting_step(const Network& net, const StepInput& in, const States& before, const at::Tensor& labels,
                        const Loss& loss) {
  TaughtStep step{supervision_step(net, in, before), {}, {}};
  const auto& after = step.out;
  step.losses = cell_loss(after.logits, labels, loss);
  const auto cells = after.logits.slice(1, net.shape.config.puzzle_emb_len).slice(2, 0, net.shape.answers);
  const auto solved = ((cells.argmax(-1) == labels) | (labels < 0)).all(-1);
  const auto q = after.halting.to(at::kDouble);
  step.halting_losses = bce(q.select(1, 0), solved);
  if (net.shape.hierarchical) {
    const States next{after.states.y.detach(), after.states.z.detach()};
    const auto ahead = supervision_step(net, in, next).halting.detach().to(at::kDouble);
    // At the last step there is no next one: the halting head alone.
    const auto best = at::where(in.number >= net.shape.supervision, ahead.select(1, 0), ahead.amax(1));
    step.halting_losses = step.halting_losses + bce(q.select(1, 1), best.sigmoid());
  }
  return step;
}

}  // namespace dis::reference
