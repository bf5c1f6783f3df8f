// Examples of arrays (Sudoku, Maze, a user's own puzzles): token and exact accuracy after each supervision step.
#include <algorithm>

#include "dis/core/progress.h"
#include "dis/eval/test_rows.h"
#include "kinds.h"

namespace dis {

Evaluation evaluate_rows(const Session& session, const EvalConfig& eval, const EvaluationTarget& target) {
  const auto all_rows = test_rows(session, eval);
  const auto total = all_rows->size();
  const auto steps = session.config.method.num_supervision;
  const auto tested = target.seen_pairs ? data_as<PuzzleRows>(session).tested_pairs() : PairList();
  const auto marks = seen_marks(tested, target);
  StepRates rates(steps);
  RowRates unseen;
  SeenCount seen;
  Progress progress({.what = "eval", .unit = "examples", .total = total});
  for (std::int64_t first = 0; first < total; first += eval.batch) {
    const auto rows = all_rows->read(first, std::min(eval.batch, total - first));
    const auto answers = answer_rows(*session.model, decode_settings(session, eval), rows.inputs, rows.ids, steps);
    rates.add(answers, rows.labels);
    const auto length = rows.inputs.size() / rows.ids.size();
    for (std::size_t i = 0; !marks.empty() && i < rows.ids.size(); ++i) {
      const auto row = first + static_cast<std::int64_t>(i);
      const bool is_seen = marks[static_cast<std::size_t>(row)];
      seen.add(is_seen, is_seen ? tested.name(row) : "");
      if (!is_seen) {
        unseen.add(std::span(answers.steps.back()).subspan(i * length, length),
                   std::span(rows.labels).subspan(i * length, length));
      }
    }
    progress.update(first + std::ssize(rows.ids), "exact " + rate_text(rates.after.back().exact));
  }
  progress.finish();

  Evaluation evaluation;
  const auto& last = rates.after.back();
  evaluation.json["examples"] = to_json(last);
  evaluation.json.update(to_json(rates, eval.per_step));
  evaluation.report = std::to_string(total) + " test examples\n" + step_table(rates);
  evaluation.seen = seen;
  if (seen.seen > 0) {
    evaluation.json["unseen"] = to_json(unseen);
    evaluation.report +=
        "unseen (without the examples that training saw with their answers): exact " + rate_text(unseen.exact) + "\n";
  }
  evaluation.summary = "exact " + rate_text(last.exact) + ", tokens " + std::to_string(last.token_accuracy()) + " of " +
                       std::to_string(total) + " examples";
  evaluation.score = last.exact.value();
  return evaluation;
}

}  // namespace dis
