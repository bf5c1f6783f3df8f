#include "dis/eval/rows/decode.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <type_traits>

#include "dis/eval/rows/batch_pieces.h"
#include "dis/eval/rows/open_rows.h"
#include "dis/eval/rows/policy.h"

namespace dis {
namespace {

constexpr std::int64_t kQueen = 2;

/// Of the cells' tokens, [B, L, A]: the network's logits; with guidance the guided policy in their place.
struct Scores {
  at::Tensor values;
  Loss loss;  ///< how they become probabilities
};

struct LastStep {
  at::Tensor halting;  ///< [B] logit of the halting head
  at::Tensor made;     ///< [B] int32, steps
};

/// Runs supervision steps 1..`steps` on tokens int32 [B, L] of puzzles `ids` int32 [B]; calls `after(s, scores)`.
LastStep supervise(const Backbone& model, const DecodeSettings& settings, const at::Tensor& tokens,
                   const at::Tensor& ids, std::int64_t steps,
                   const std::function<void(std::int64_t, const Scores&)>& after) {
  const auto batch = tokens.size(0);
  // Of the rows that still make steps: what they hold, their numbers in the batch, and their log-policy before a step.
  auto open = open_rows(model, tokens, ids);
  auto number = at::arange(batch, tokens.options().dtype(at::kLong));
  at::Tensor before;  // [R, L, A]
  const bool guided = settings.guidance != 1.0;
  if (guided) before = log_policy(answer_logits(model, open.states.y), settings.loss);
  Scores scores{{}, guided ? Loss{LossForm::softmax} : settings.loss};
  LastStep last{at::empty({batch}, tokens.options().dtype(at::kFloat)), at::empty({batch}, tokens.options())};
  for (std::int64_t s = 1; s <= steps; ++s) {
    if (number.size(0) > 0) {
      const bool ends = settings.halting || s == steps;
      const auto step = step_rows(model, settings.feedback, open, s, {.halting = ends});
      auto values = step.cells;
      if (guided) {
        const auto now = log_policy(step.cells, settings.loss);
        values = guided_policy(before, now, settings.guidance);
        before = now;
      }
      scores.values = number.size(0) == batch ? values : scores.values.index_copy(0, number, values);
      if (ends) {
        last.halting.index_copy_(0, number, step.halting.select(1, 0));
        last.made.index_fill_(0, number, s);
      }
      if (settings.halting) {
        const auto rest = (model.halt_decision(step.halting) > 0.0).logical_not().nonzero().squeeze(1);
        open = open.chosen(rest);
        number = number.index_select(0, rest);
        if (guided) before = before.index_select(0, rest);
      }
    }
    after(s, scores);
  }
  return last;
}

/// Boards have the blank identifier.
at::Tensor blank_ids(const at::Tensor& tokens) { return at::zeros({tokens.size(0)}, tokens.options()); }

at::Tensor tensor_of(const std::vector<std::int32_t>& inputs, std::int64_t length) {
  const auto boards = static_cast<std::int64_t>(inputs.size()) / length;
  auto tensor = at::empty({boards, length}, at::kInt);
  std::copy(inputs.begin(), inputs.end(), tensor.data_ptr<std::int32_t>());
  return tensor;
}

void store(const at::Tensor& answers, std::int64_t first, std::vector<std::int32_t>& to) {
  const auto a = answers.to(at::kInt).cpu().contiguous();
  std::copy_n(a.data_ptr<std::int32_t>(), a.numel(), to.begin() + first * a.size(1));
}

/// The ranks' parts together: each has zeros where the others have answers.
template <class T>
void join(const DecodeSettings& settings, std::vector<T>& values) {
  if (settings.ranks == nullptr || settings.ranks->size() == 1) return;
  settings.ranks->sum(at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())},
                                    std::is_same_v<T, float> ? at::kFloat : at::kInt));
}

}  // namespace

Answers answer_rows(const Backbone& model, const DecodeSettings& settings, const std::vector<std::int32_t>& inputs,
                    const std::vector<std::int32_t>& ids, std::int64_t steps) {
  const auto fields = tensor_of(inputs, model.shape().length);
  const auto puzzles = tensor_of(ids, 1).squeeze(1);
  Answers answers;
  answers.steps.assign(static_cast<std::size_t>(steps), std::vector<std::int32_t>(inputs.size()));
  answers.halting.resize(ids.size());
  answers.made.resize(ids.size());
  for_pieces(fields.size(0), settings.batch, settings.ranks, model.device(),
             [&](std::int64_t first, std::int64_t count) {
               const auto tokens = fields.narrow(0, first, count).to(model.device());
               const auto last =
                   supervise(model, settings, tokens, puzzles.narrow(0, first, count).to(model.device()), steps,
                             [&](std::int64_t s, const Scores& scores) {
                               store(scores.values.argmax(-1), first, answers.steps[static_cast<std::size_t>(s - 1)]);
                             });
               std::copy_n(last.halting.cpu().data_ptr<float>(), count, answers.halting.begin() + first);
               std::copy_n(last.made.cpu().data_ptr<std::int32_t>(), count, answers.made.begin() + first);
             });
  for (auto& step : answers.steps) join(settings, step);
  join(settings, answers.halting);
  join(settings, answers.made);
  return answers;
}

Answers decode_argmax(const Backbone& model, const DecodeSettings& settings, const std::vector<std::int32_t>& inputs,
                      std::int64_t steps) {
  const std::vector<std::int32_t> blank(inputs.size() / static_cast<std::size_t>(model.shape().length));
  return answer_rows(model, settings, inputs, blank, steps);
}

std::vector<std::int32_t> decode_commit(const Backbone& model, const DecodeSettings& settings,
                                        const std::vector<std::int32_t>& inputs, std::int64_t steps) {
  const auto queens = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(model.shape().length))));
  const auto boards = tensor_of(inputs, model.shape().length);
  std::vector<std::int32_t> answers(inputs.size());
  for_pieces(
      boards.size(0), settings.batch, settings.ranks, model.device(), [&](std::int64_t first, std::int64_t count) {
        auto tokens = boards.narrow(0, first, count).to(model.device()).clone();
        for (std::int64_t round = 0; round < queens; ++round) {
          const auto open = ((tokens == kQueen).sum(-1) < queens).nonzero().squeeze(-1);  // boards with too few queens
          if (open.numel() == 0) break;
          auto part = tokens.index_select(0, open);
          at::Tensor certainty;
          supervise(model, settings, part, blank_ids(part), steps, [&](std::int64_t s, const Scores& scores) {
            if (s == steps) certainty = log_policy(scores.values, scores.loss).select(-1, kQueen);
          });
          const auto taken = part == kQueen;
          const auto cell = certainty.masked_fill(taken, -std::numeric_limits<double>::infinity()).argmax(-1, true);
          tokens.index_copy_(0, open, part.scatter(1, cell, kQueen));
        }
        store(tokens, first, answers);
      });
  join(settings, answers);
  return answers;
}

}  // namespace dis
