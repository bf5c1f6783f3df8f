// Examples of arrays (Sudoku, Maze, a user's own puzzles): token and exact accuracy after each supervision step.
#include <algorithm>

#include "dis/core/progress.h"
#include "dis/eval/test_rows.h"
#include "kinds.h"

namespace dis {

Evaluation evaluate_rows(const Session& session, const EvalConfig& eval) {
  const auto all_rows = test_rows(session, eval);
  const auto total = all_rows->size();
  const auto steps = session.config.method.num_supervision;
  StepRates rates(steps);
  Progress progress({.what = "eval", .unit = "examples", .total = total});
  for (std::int64_t first = 0; first < total; first += eval.batch) {
    const auto rows = all_rows->read(first, std::min(eval.batch, total - first));
    rates.add(answer_rows(*session.model, decode_settings(session, eval), rows.inputs, rows.ids, steps), rows.labels);
    progress.update(first + std::ssize(rows.ids), "exact " + rate_text(rates.after.back().exact));
  }
  progress.finish();

  Evaluation evaluation;
  const auto& last = rates.after.back();
  evaluation.json["examples"] = to_json(last);
  evaluation.json.update(to_json(rates, eval.per_step));
  evaluation.report = std::to_string(total) + " test examples\n" + step_table(rates);
  evaluation.summary = "exact " + rate_text(last.exact) + ", tokens " + std::to_string(last.token_accuracy()) + " of " +
                       std::to_string(total) + " examples";
  evaluation.score = last.exact.value();
  return evaluation;
}

}  // namespace dis
