// Examples of arrays (Sudoku, Maze, a user's own puzzles): token and exact accuracy after each supervision step.
#include <algorithm>

#include "dis/core/error.h"
#include "dis/core/progress.h"
#include "kinds.h"

namespace dis {

Evaluation evaluate_rows(const Session& session, const PuzzleRows& data, const EvalConfig& eval) {
  auto total = data.test_examples();
  if (eval.boards > 0) total = std::min(total, eval.boards);
  if (total == 0) throw UserError("there is nothing to evaluate: the data have no split `test`");
  const auto length = static_cast<std::size_t>(data.shape().length);
  std::vector<RowRates> steps(static_cast<std::size_t>(session.config.method.num_supervision));
  Progress progress({.what = "eval", .unit = "examples", .total = total});
  for (std::int64_t first = 0; first < total; first += eval.batch) {
    const auto rows = static_cast<std::size_t>(std::min(eval.batch, total - first));
    std::vector<std::int32_t> inputs(rows * length), labels(rows * length), ids(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      data.test_example(first + static_cast<std::int64_t>(i), std::span(inputs).subspan(i * length, length),
                        std::span(labels).subspan(i * length, length), ids[i]);
    }
    const auto answers =
        answer_rows(*session.model, decode_settings(session, eval), inputs, ids, session.config.method.num_supervision);
    for (std::size_t s = 0; s < steps.size(); ++s) {
      for (std::size_t i = 0; i < rows; ++i) {
        steps[s].add(std::span(answers.steps[s]).subspan(i * length, length),
                     std::span(labels).subspan(i * length, length));
      }
    }
    progress.update(first + static_cast<std::int64_t>(rows), "exact " + rate_text(steps.back().exact));
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
