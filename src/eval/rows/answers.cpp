#include "dis/eval/rows/answers.h"

#include <utility>

#include "../kind_evaluation.h"
#include "dis/eval/evaluate.h"

namespace dis {
namespace {

std::vector<std::int32_t> numbers_of(std::span<const std::int32_t> span) { return {span.begin(), span.end()}; }

/// K answers [rows, K, L] to each row, and what there is to choose one by.
Rollouts several_answers(const Session& session, const EvalConfig& eval, const DecodeSettings& decode,
                         const AskedRows& rows, bool commits) {
  const auto steps = evaluated_steps(session, eval);
  if (!commits) return std::move(answer_rollouts(*session.model, decode, rows, eval.rollouts, {steps}).front());
  const bool draws = eval.commit_temperature > 0.0 || decode.draws.any();
  const auto K = draws ? eval.rollouts : 1;
  return {.rollouts = K,
          .answers =
              decode_commit(*session.model, decode, numbers_of(rows.inputs), steps, commit_draws(eval, K), rows.first)};
}

}  // namespace

CommitDraws commit_draws(const EvalConfig& eval, std::int64_t rollouts) {
  return {eval.commit_temperature, eval.commit_min_p, rollouts, eval.commit_symmetries};
}

RowAnswers answers_to(const Session& session, const EvalConfig& eval, const DecodeSettings& decode,
                      const AskedRows& rows) {
  const bool commits = session.config.data.kind == DataKind::nqueens && eval.decoder != Decoder::argmax;
  if (eval.rollouts == 1 && !commits) {
    auto answers = answer_rows(*session.model, decode, numbers_of(rows.inputs), numbers_of(rows.ids),
                               evaluated_steps(session, eval), rows.first);
    return {std::move(answers.steps.back()), std::move(answers.halting)};
  }
  const auto found = several_answers(session, eval, decode, rows, commits);
  const auto length = rows.inputs.size() / rows.ids.size();
  RowAnswers answers;
  for (std::size_t row = 0; row < rows.ids.size(); ++row) {
    auto view = view_of(found, static_cast<std::int64_t>(row), found.rollouts, {}, length);
    if (eval.select == Select::rules) {
      view.obeys = obeyed(*session.data, rows.inputs.subspan(row * length, length), view.answers);
    }
    const auto best = chosen_rollout(view, eval.select, session.model->shape().halting);
    const auto answer = view.answer(best);
    answers.tokens.insert(answers.tokens.end(), answer.begin(), answer.end());
    if (!view.halting.empty()) answers.halting.push_back(view.halting[static_cast<std::size_t>(best)]);
  }
  return answers;
}

}  // namespace dis
