// Rows of tokens (Sudoku, Maze, a user's own puzzles): the measures of their data set after each supervision step.
#include <algorithm>

#include "../kind_evaluation.h"
#include "dis/core/progress.h"

namespace dis {

Evaluation evaluate_rows(const Session& session, const EvalConfig& eval, const EvaluationTarget& target) {
  const auto all_rows = test_rows(session, eval);
  const auto total = all_rows->size();
  const auto unit = all_rows->unit() + "s";
  const auto steps = session.config.method.num_supervision;
  const auto tested = target.seen_pairs ? session.data->tested_pairs() : PairList();
  const auto marks = seen_marks(tested, target);
  StepScores scores(*session.data, steps);
  RowScore unseen(*session.data);
  SeenCount seen;
  Progress progress({.what = "eval", .unit = unit, .total = total});
  for (std::int64_t first = 0; first < total; first += eval.batch) {
    const auto rows = all_rows->read(first, std::min(eval.batch, total - first));
    const auto answers = answer_rows(*session.model, decode_settings(session, eval), rows.inputs, rows.ids, steps);
    scores.add(answers, rows);
    const auto length = rows.inputs.size() / rows.ids.size();
    for (std::size_t i = 0; !marks.empty() && i < rows.ids.size(); ++i) {
      const auto row = first + static_cast<std::int64_t>(i);
      const bool is_seen = marks[static_cast<std::size_t>(row)];
      seen.add(is_seen, is_seen ? tested.name(row) : "");
      if (is_seen) continue;
      unseen.add(std::span(rows.inputs).subspan(i * length, length), std::span(rows.labels).subspan(i * length, length),
                 std::span(answers.steps.back()).subspan(i * length, length));
    }
    progress.update(first + std::ssize(rows.ids), scores.after.back().main_text());
  }
  progress.finish();

  Evaluation evaluation;
  const auto& last = scores.after.back();
  evaluation.json["examples"] = to_json(last);
  evaluation.json.update(to_json(scores, eval.per_step));
  evaluation.report = std::to_string(total) + " test " + unit + "\n" + step_table(scores);
  evaluation.seen = seen;
  if (seen.seen > 0) {
    evaluation.json["unseen"] = to_json(unseen);
    evaluation.report +=
        "unseen (without the " + unit + " that training saw with their answers): " + unseen.main_text() + "\n";
  }
  evaluation.summary = last.text() + " of " + std::to_string(total) + " " + unit;
  evaluation.score = last.main();
  return evaluation;
}

}  // namespace dis
