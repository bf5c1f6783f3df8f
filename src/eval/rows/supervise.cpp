#include "supervise.h"

#include <ATen/ATen.h>

#include "dis/eval/rows/policy.h"

namespace dis {

LastStep supervise(const Backbone& model, const DecodeSettings& settings, OpenRows open, std::int64_t steps,
                   const std::function<void(const StepView&, const LastStep&)>& after,
                   const ReadsHalting& reads_halting) {
  // Of the rows that still make steps: what they hold, their numbers in the batch, and their log-policy before a step.
  const auto batch = open.states.y.size(0);
  const auto options = open.tokens.options();
  auto number = at::arange(batch, options.dtype(at::kLong));
  at::Tensor before;  // [R, L, A]
  const bool guided = settings.guidance != 1.0;
  if (guided) before = log_policy(answer_logits(model, open.states.y), settings.loss);
  Scores scores{{}, guided ? Loss{LossForm::softmax} : settings.loss};
  LastStep last{at::empty({batch}, options.dtype(at::kFloat)), at::empty({batch}, options)};
  for (std::int64_t s = 1; s <= steps; ++s) {
    at::Tensor rest;  // rows that go on
    if (number.size(0) > 0) {
      const bool ends = settings.halting || s == steps || (reads_halting && reads_halting(s));
      const auto step = step_rows(model, settings.feedback, open, s, {.halting = ends});
      auto values = step.cells;
      if (guided) {
        const auto now = log_policy(step.cells, settings.loss);
        values = guided_policy(before, now, settings.guidance);
        before = now;
      }
      scores.values = number.size(0) == batch ? values : scores.values.index_copy(0, number, values);
      if (ends) {
        last.halting.index_copy_(0, number, step.halting.select(1, 0));
        last.made.index_fill_(0, number, s);
      }
      if (settings.halting) rest = (model.halt_decision(step.halting) > 0.0).logical_not().nonzero().squeeze(1);
    }
    after({s, scores, number, open.states}, last);
    if (!rest.defined()) continue;
    open = open.chosen(rest);
    number = number.index_select(0, rest);
    if (guided) before = before.index_select(0, rest);
  }
  return last;
}

}  // namespace dis
