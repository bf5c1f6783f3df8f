#include "dis/eval/rows/open_rows.h"

#include <ATen/ATen.h>

#include <numeric>
#include <vector>

#include "dis/eval/rows/policy.h"

namespace dis {

OpenRows OpenRows::chosen(const at::Tensor& index) const {
  const auto part = [&](const at::Tensor& x) { return x.defined() ? x.index_select(0, index) : x; };
  OpenRows rows{tokens, puzzle, {part(states.y), part(states.z)}, draws.with_keys(part(draws.keys)), part(example)};
  if (!example.defined()) {
    rows.tokens = part(tokens);
    rows.puzzle = part(puzzle);
  }
  return rows;
}

OpenRows open_rows(const Backbone& model, const at::Tensor& tokens, const at::Tensor& ids, const StateDraws& draws,
                   const at::Tensor& example) {
  const auto rows = example.defined() ? example.size(0) : tokens.size(0);
  return {tokens, model.puzzle_embeddings(ids), model.initial_states(rows, draws), draws, example};
}

at::Tensor rollout_keys(std::span<const std::int64_t> lanes, std::int64_t rollouts, std::int64_t round) {
  // Apart from the positions of the training stream; 2^15 rollouts, 2^5 rounds.
  constexpr std::int64_t kEvaluation = std::int64_t{1} << 62;
  auto keys = at::empty({std::ssize(lanes)}, at::kLong);
  auto* to = keys.data_ptr<std::int64_t>();
  for (const auto lane : lanes) *to++ = kEvaluation | (lane / rollouts) << 20 | lane % rollouts << 5 | round;
  return keys;
}

at::Tensor rollout_keys(std::int64_t first, std::int64_t count, std::int64_t rollouts) {
  std::vector<std::int64_t> lanes(static_cast<std::size_t>(count));
  std::iota(lanes.begin(), lanes.end(), first);
  return rollout_keys(lanes, rollouts);
}

RowStep step_rows(const Backbone& model, Feedback feedback, OpenRows& rows, std::int64_t s,
                  const StepOptions& options) {
  const auto numbers = at::full({rows.tokens.size(0)}, s, rows.tokens.options());
  auto with_draws = options;
  if (rows.draws.any()) with_draws.draws = &rows.draws;
  const auto step = supervision_step(model, {rows.tokens, rows.puzzle, numbers, rows.example}, rows.states, with_draws);
  rows.states = step.states;
  const auto cells = answer_part(model.shape(), step.logits);
  if (feedback == Feedback::prediction) {  // from now on each row has tokens of its own
    rows.tokens = cells.argmax(-1).to(at::kInt);
    if (rows.example.defined() && rows.puzzle.defined()) rows.puzzle = rows.puzzle.index_select(0, rows.example);
    rows.example = at::Tensor();
  }
  return {cells, step.halting};
}

}  // namespace dis
