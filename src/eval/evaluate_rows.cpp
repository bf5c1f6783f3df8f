// Examples of arrays (Sudoku, Maze, a user's own puzzles): token and exact accuracy after each supervision step.
#include <algorithm>

#include "dis/core/progress.h"
#include "dis/eval/test_rows.h"
#include "kinds.h"

namespace dis {

Evaluation evaluate_rows(const Session& session, const EvalConfig& eval) {
  const auto all_rows = test_rows(session, eval);
  const auto total = all_rows->size();
  const auto length = static_cast<std::size_t>(session.data->shape().length);
  std::vector<RowRates> steps(static_cast<std::size_t>(session.config.method.num_supervision));
  Progress progress({.what = "eval", .unit = "examples", .total = total});
  for (std::int64_t first = 0; first < total; first += eval.batch) {
    const auto rows = all_rows->read(first, std::min(eval.batch, total - first));
    const auto answers = answer_rows(*session.model, decode_settings(session, eval), rows.inputs, rows.ids,
                                     session.config.method.num_supervision);
    for (std::size_t s = 0; s < steps.size(); ++s) {
      for (std::size_t i = 0; i < rows.ids.size(); ++i) {
        steps[s].add(std::span(answers.steps[s]).subspan(i * length, length),
                     std::span(rows.labels).subspan(i * length, length));
      }
    }
    progress.update(first + std::ssize(rows.ids), "exact " + rate_text(steps.back().exact));
  }
  progress.finish();

  Evaluation evaluation;
  evaluation.json["examples"] = to_json(steps.back());
  if (eval.per_step) {
    for (const auto& rates : steps) evaluation.json["per_supervision_step"].push_back(to_json(rates));
  }
  evaluation.report = std::to_string(total) + " test examples\n" + step_table(steps);
  evaluation.summary = "exact " + rate_text(steps.back().exact) + ", tokens " +
                       std::to_string(steps.back().token_accuracy()) + " of " + std::to_string(total) + " examples";
  evaluation.score = steps.back().exact.value();
  return evaluation;
}

}  // namespace dis
