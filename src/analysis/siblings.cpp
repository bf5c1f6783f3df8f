#include "dis/analysis/siblings.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <span>

#include "dis/core/progress.h"
#include "dis/core/signals.h"
#include "dis/data/dataset.h"
#include "dis/eval/evaluate.h"
#include "dis/eval/intervals.h"
#include "dis/eval/rows/rollouts.h"
#include "dis/eval/rows/test_rows.h"

namespace dis {
namespace {

using Tokens = std::span<const std::int32_t>;

bool same_answer(Tokens a, Tokens b, Tokens label) {
  for (std::size_t cell = 0; cell < label.size(); ++cell) {
    if (label[cell] != kIgnore && a[cell] != b[cell]) return false;
  }
  return true;
}

Tokens answer_of(const std::vector<std::int32_t>& answers, std::int64_t rollout, std::size_t length) {
  return Tokens(answers).subspan(static_cast<std::size_t>(rollout) * length, length);
}

/// The answers [D][K, L] to a row of a batch.
std::vector<std::vector<std::int32_t>> answers_to_row(const std::vector<Rollouts>& found, std::size_t row,
                                                      std::size_t length) {
  std::vector<std::vector<std::int32_t>> answers;
  for (const auto& after : found) {
    const auto size = static_cast<std::size_t>(after.rollouts) * length;
    const auto first = after.answers.begin() + static_cast<std::ptrdiff_t>(row * size);
    answers.emplace_back(first, first + static_cast<std::ptrdiff_t>(size));
  }
  return answers;
}

void add_row(SiblingAnalysis& all, const Session& session, const std::vector<std::vector<std::int32_t>>& answers,
             Tokens input, const std::vector<std::int32_t>& label) {
  const auto length = label.size();
  const RolloutView last{length, answers.back(), label, {}, {}, {}, {}};
  const auto common = answer_of(answers.back(), chosen_rollout(last, Select::vote, false), length);
  std::vector<bool> majority;
  for (std::int64_t k = 0; k < all.rollouts; ++k) {
    majority.push_back(same_answer(answer_of(answers.back(), k, length), common, label));
  }
  ++all.rows;
  all.agreed += std::ranges::find(majority, false) == majority.end() ? 1 : 0;
  const auto right = [&](Tokens answer) { return session.data->score({input, label, answer}).front().hits > 0; };
  for (std::int64_t k = 0; k < all.rollouts; ++k) {
    if (majority[static_cast<std::size_t>(k)]) continue;
    const auto step = static_cast<std::size_t>(leaving_step(answers, k, majority, label)) - 1;
    const bool own = right(answer_of(answers.back(), k, length)), theirs = right(common);
    ++all.left[step];
    all.better[step] += own && !theirs ? 1 : 0;
    all.worse[step] += theirs && !own ? 1 : 0;
  }
}

}  // namespace

std::int64_t leaving_step(const std::vector<std::vector<std::int32_t>>& answers, std::int64_t rollout,
                          const std::vector<bool>& majority, const std::vector<std::int32_t>& label) {
  for (auto s = std::ssize(answers) - 1; s >= 0; --s) {
    const auto& after = answers[static_cast<std::size_t>(s)];
    const auto own = answer_of(after, rollout, label.size());
    for (std::int64_t k = 0; k < std::ssize(majority); ++k) {
      if (majority[static_cast<std::size_t>(k)] && same_answer(own, answer_of(after, k, label.size()), label))
        return s + 2;
    }
  }
  return 1;
}

SiblingAnalysis analyze_siblings(const Session& session) {
  const auto& eval = session.config.eval;
  const auto rows = test_rows(session, eval, session.config.analyze.one_completion);
  std::vector<std::int64_t> steps(static_cast<std::size_t>(evaluated_steps(session, eval)));
  std::iota(steps.begin(), steps.end(), 1);
  SiblingAnalysis all{.rollouts = eval.rollouts,
                      .left = std::vector<std::int64_t>(steps.size()),
                      .better = std::vector<std::int64_t>(steps.size()),
                      .worse = std::vector<std::int64_t>(steps.size())};
  const auto settings = decode_settings(session, eval);
  Progress progress({.what = "siblings", .unit = "rows", .total = rows->size()});
  for (std::int64_t first = 0; first < rows->size(); first += eval.batch) {
    const auto batch = rows->read(first, std::min(eval.batch, rows->size() - first));
    const auto found =
        answer_rollouts(*session.model, settings, {batch.inputs, batch.ids, first}, eval.rollouts, steps);
    const auto length = batch.inputs.size() / batch.ids.size();
    for (std::size_t row = 0; row < batch.ids.size(); ++row) {
      const auto label = Tokens(batch.labels).subspan(row * length, length);
      add_row(all, session, answers_to_row(found, row, length), Tokens(batch.inputs).subspan(row * length, length),
              {label.begin(), label.end()});
    }
    progress.update(first + std::ssize(batch.ids), "");
    if (stop_requested()) throw Stopped{stop_signal()};
  }
  progress.finish();
  return all;
}

Json to_json(const SiblingAnalysis& siblings) {
  Json json = {{"rollouts", siblings.rollouts},
               {"rows", siblings.rows},
               {"agreed", rate_json({siblings.agreed, siblings.rows})}};
  for (std::size_t s = 0; s < siblings.left.size(); ++s) {
    json["steps"].push_back(
        {{"step", s + 1}, {"left", siblings.left[s]}, {"better", siblings.better[s]}, {"worse", siblings.worse[s]}});
  }
  return json;
}

std::string siblings_text(const SiblingAnalysis& siblings) {
  std::string text =
      "\n" + std::to_string(siblings.rollouts) + " rollouts a row; all end with one answer in " +
      rate_text({siblings.agreed, siblings.rows}) + " of the rows\n" +
      "step  rollouts that left the most frequent answer  right where it is wrong  wrong where it is right\n";
  for (std::size_t s = 0; s < siblings.left.size(); ++s) {
    char line[128];
    std::snprintf(line, sizeof line, "%4zu  %44lld  %23lld  %23lld\n", s + 1, static_cast<long long>(siblings.left[s]),
                  static_cast<long long>(siblings.better[s]), static_cast<long long>(siblings.worse[s]));
    text += line;
  }
  return text;
}

}  // namespace dis
