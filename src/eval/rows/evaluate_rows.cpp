// Rows of tokens (Sudoku, Maze, a user's own puzzles): the measures of their data set after each supervision step, or
// of the answers that are chosen among rollouts.
#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <utility>

#include "../kind_evaluation.h"
#include "dis/core/progress.h"
#include "dis/eval/rows/rollouts.h"

namespace dis {
namespace {

using RowClock = std::chrono::steady_clock;

/// The scores of all rows and of those that training has not seen, as answers come.
class RowsReport {
 public:
  RowsReport(const Session& session, const EvalConfig& eval, const EvaluationTarget& target, std::int64_t steps)
      : eval_(eval),
        tested_(target.seen_pairs ? session.data->tested_pairs() : PairList()),
        marks_(seen_marks(tested_, target)),
        scores_(*session.data, steps),
        unseen_(*session.data) {}

  void add(const Answers& answers, const RowBatch& rows, std::int64_t first) {
    scores_.add(answers, rows);
    const auto length = rows.inputs.size() / rows.ids.size();
    for (std::size_t i = 0; !marks_.empty() && i < rows.ids.size(); ++i) {
      const auto row = first + static_cast<std::int64_t>(i);
      const bool is_seen = marks_[static_cast<std::size_t>(row)];
      seen_.add(is_seen, is_seen ? tested_.name(row) : "");
      if (is_seen) continue;
      unseen_.add(rows.answered(i, std::span(answers.steps.back()).subspan(i * length, length)));
    }
  }
  const RowScore& last() const { return scores_.after.back(); }

  Evaluation evaluation(std::int64_t total, const std::string& unit) const {
    Evaluation evaluation;
    evaluation.json["examples"] = to_json(last());
    evaluation.json.update(to_json(scores_, eval_.per_step));
    evaluation.report = std::to_string(total) + " test " + unit + "\n";
    if (eval_.rollouts > 1) evaluation.report += "answers chosen by " + to_string(eval_.select) + ":\n";
    const bool steps_known = eval_.rollouts == 1 || eval_.per_step;
    evaluation.report += steps_known ? step_table(scores_) : last().text() + "\n";
    evaluation.seen = seen_;
    if (seen_.seen > 0) {
      evaluation.json["unseen"] = to_json(unseen_);
      evaluation.report +=
          "unseen (without the " + unit + " that training saw with their answers): " + unseen_.main_text() + "\n";
    }
    evaluation.summary = last().text() + " of " + std::to_string(total) + " " + unit;
    evaluation.score = last().main();
    return evaluation;
  }

 private:
  const EvalConfig& eval_;
  PairList tested_;
  std::vector<bool> marks_;
  StepScores scores_;
  RowScore unseen_;
  SeenCount seen_;
};

/// The chosen answers of a batch after each of the depths of `found`; the rollouts of the last go into the tally.
Answers choose(const Session& session, const EvalConfig& eval, const RowBatch& rows, const std::vector<Rollouts>& found,
               RolloutTally& tally) {
  Answers answers;
  const auto length = rows.inputs.size() / rows.ids.size();
  const bool halting = session.model->shape().halting;
  answers.steps.resize(found.size());
  for (std::size_t i = 0; i < rows.ids.size(); ++i) {
    const auto input = std::span(rows.inputs).subspan(i * length, length);
    const auto label = std::span(rows.labels).subspan(i * length, length);
    std::int64_t chosen = 0;
    for (std::size_t d = 0; d < found.size(); ++d) {
      auto view = view_of(found[d], static_cast<std::int64_t>(i), found[d].rollouts, label, length);
      auto judged = judge_rollouts(*session.data, input, label, view.answers);
      view.obeys = std::move(judged.obeys);
      chosen = chosen_rollout(view, eval.select, halting);
      const auto answer = view.answer(chosen);
      answers.steps[d].insert(answers.steps[d].end(), answer.begin(), answer.end());
      if (d + 1 < found.size()) continue;
      tally.add(view, judged.right);
      answers.halting.push_back(view.halting[static_cast<std::size_t>(chosen)]);
    }
    answers.made.push_back(static_cast<std::int32_t>(found.size()));
  }
  return answers;
}

}  // namespace

std::vector<std::int64_t> reported_depths(const EvalConfig& eval, std::int64_t steps) {
  if (!eval.per_step) return {steps};
  std::vector<std::int64_t> depths(static_cast<std::size_t>(steps));
  std::iota(depths.begin(), depths.end(), 1);
  return depths;
}

std::vector<bool> obeyed(const DataSet& data, std::span<const std::int32_t> input,
                         std::span<const std::int32_t> answers) {
  std::vector<bool> found;
  for (std::size_t first = 0; first < answers.size(); first += input.size()) {
    if (const auto obeys = data.obeys_rules(input, answers.subspan(first, input.size()))) found.push_back(*obeys);
  }
  return found;
}

JudgedRollouts judge_rollouts(const DataSet& data, std::span<const std::int32_t> input,
                              std::span<const std::int32_t> label, std::span<const std::int32_t> answers) {
  JudgedRollouts judged{{}, obeyed(data, input, answers)};
  for (std::size_t first = 0; first < answers.size(); first += input.size()) {
    const auto answer = answers.subspan(first, input.size());
    judged.right.push_back(data.score({input, label, answer}).front().hits > 0);
  }
  return judged;
}

bool rules_known(const Session& session) {
  const std::vector<std::int32_t> blank(static_cast<std::size_t>(session.data->shape().length), 1);
  return session.data->obeys_rules(blank, blank).has_value();
}

Json rollouts_json(const Session& session, const EvalConfig& eval, const RolloutTally& tally, double seconds) {
  const auto steps = evaluated_steps(session, eval);
  Json json = {{"rollouts", tally.rollouts()},
               {"steps", steps},
               {"select", to_string(eval.select)},
               {"passes_per_row", tally.rollouts() * steps * std::ssize(passes_of_step(session.model->shape()))},
               {"seconds", seconds}};
  json.update(tally.json());
  return json;
}

Evaluation evaluate_rows(const Session& session, const EvalConfig& eval, const EvaluationTarget& target) {
  const auto all_rows = test_rows(session, eval);
  const auto total = all_rows->size();
  const auto unit = all_rows->unit() + "s";
  const auto steps = evaluated_steps(session, eval);
  const bool several = eval.rollouts > 1;
  const auto depths = reported_depths(eval, steps);
  RowsReport report(session, eval, target, several ? std::ssize(depths) : steps);
  const bool halting = session.model->shape().halting;
  RolloutTally tally(eval.rollouts, selectors_for(halting, true, several && rules_known(session)), halting);
  const auto settings = decode_settings(session, eval);
  const auto start = RowClock::now();
  Progress progress({.what = "eval", .unit = unit, .total = total});
  for (std::int64_t first = 0; first < total; first += eval.batch) {
    const auto rows = all_rows->read(first, std::min(eval.batch, total - first));
    if (several) {
      const auto rollouts =
          answer_rollouts(*session.model, settings, {rows.inputs, rows.ids, first}, eval.rollouts, depths);
      report.add(choose(session, eval, rows, rollouts, tally), rows, first);
    } else {
      report.add(answer_rows(*session.model, settings, rows.inputs, rows.ids, steps, first), rows, first);
    }
    progress.update(first + std::ssize(rows.ids), report.last().main_text());
  }
  progress.finish();
  auto evaluation = report.evaluation(total, unit);
  if (several) {
    const auto seconds = std::chrono::duration<double>(RowClock::now() - start).count();
    evaluation.json["rollouts"] = rollouts_json(session, eval, tally, seconds);
    evaluation.report += tally.text();
  }
  return evaluation;
}

}  // namespace dis
