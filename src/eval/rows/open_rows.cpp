#include "dis/eval/rows/open_rows.h"

#include <ATen/ATen.h>

#include "dis/eval/rows/policy.h"

namespace dis {

OpenRows OpenRows::chosen(const at::Tensor& index) const {
  const auto part = [&](const at::Tensor& x) { return x.defined() ? x.index_select(0, index) : x; };
  return {part(tokens), part(puzzle), {part(states.y), part(states.z)}};
}

OpenRows open_rows(const Backbone& model, const at::Tensor& tokens, const at::Tensor& ids) {
  return {tokens, model.puzzle_embeddings(ids), model.initial_states(tokens.size(0))};
}

RowStep step_rows(const Backbone& model, Feedback feedback, OpenRows& rows, std::int64_t s,
                  const StepOptions& options) {
  const auto numbers = at::full({rows.tokens.size(0)}, s, rows.tokens.options());
  const auto step = supervision_step(model, {rows.tokens, rows.puzzle, numbers}, rows.states, options);
  rows.states = step.states;
  const auto cells = answer_part(model.shape(), step.logits);
  if (feedback == Feedback::prediction) rows.tokens = cells.argmax(-1).to(at::kInt);
  return {cells, step.halting};
}

}  // namespace dis
