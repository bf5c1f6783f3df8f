#include "dis/eval/rows/rollouts.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>

#include "dis/core/error.h"
#include "dis/eval/rows/batch_pieces.h"
#include "dis/eval/rows/open_rows.h"
#include "dis/eval/rows/policy.h"
#include "piece_tensors.h"
#include "supervise.h"

namespace dis {
namespace {

constexpr std::int64_t kWindow = 3;  // steps that a residual looks back

/// The mean of the last differences of each row, from one step to the next.
class Residual {
 public:
  /// What rows `number` [R] hold now, [R, ...]; `distance` [R] of what they held before.
  void add(const at::Tensor& now, const at::Tensor& number, std::int64_t rows,
           const std::function<at::Tensor(const at::Tensor& difference)>& distance) {
    if (!held_.defined()) {
      held_ = now.to(at::kFloat);
      window_ = at::zeros({rows, kWindow}, held_.options());
      count_ = at::zeros({rows}, held_.options());
      return;
    }
    const auto wide = now.to(at::kFloat);
    const auto moved = distance(wide - held_.index_select(0, number));  // [R]
    const auto rest = window_.index_select(0, number).slice(1, 1);
    window_.index_copy_(0, number, at::cat({rest, moved.unsqueeze(1)}, 1));
    count_.index_add_(0, number, at::ones_like(moved));
    held_.index_copy_(0, number, wide);
  }
  /// [rows]; 0 before there is a difference.
  at::Tensor mean() const { return window_.sum(1) / count_.clamp(1, kWindow); }

 private:
  at::Tensor held_, window_, count_;
};

at::Tensor both(const States& states) { return at::stack({states.y, states.z}, 1); }

/// log p of the best token less that of the second, mean over the cells, [B].
at::Tensor margin_of(const Scores& scores) {
  const auto best = std::get<0>(log_policy(scores.values, scores.loss).topk(2, -1));  // [B, L, 2]
  return (best.select(-1, 0) - best.select(-1, 1)).mean(-1);
}

/// Lanes of several rows on their way.
struct Lanes {
  std::int64_t first, count;
};

class RolloutRun {
 public:
  RolloutRun(const Backbone& model, const DecodeSettings& settings, const AskedRows& rows, std::int64_t rollouts,
             const std::vector<std::int64_t>& depths)
      : model_(model),
        settings_(settings),
        first_row_(rows.first),
        rollouts_(rollouts),
        depths_(depths),
        fields_(tensor_of_rows(rows.inputs, model.shape().length)),
        puzzles_(puzzles_tensor(rows.ids, settings.puzzle_rows)) {
    const auto lanes = rows.ids.size() * static_cast<std::size_t>(rollouts);
    for (std::size_t d = 0; d < depths.size(); ++d) {
      found_.push_back({rollouts, std::vector<std::int32_t>(lanes * rows.inputs.size() / rows.ids.size()),
                        std::vector<float>(lanes), std::vector<float>(lanes), std::vector<float>(lanes),
                        std::vector<float>(lanes)});
    }
  }

  std::vector<Rollouts> run() {
    for_pieces(fields_.size(0) * rollouts_, settings_.batch, settings_.ranks, model_.device(),
               [&](std::int64_t first, std::int64_t count) {
                 make({first, count});
               });
    for (auto& found : found_) {
      join_ranks_parts(settings_.ranks, found.answers);
      for (auto* scores : {&found.halting, &found.residual, &found.state_residual, &found.margin}) {
        join_ranks_parts(settings_.ranks, *scores);
      }
    }
    return std::move(found_);
  }

 private:
  OpenRows open(const Lanes& lanes) const {
    const auto device = model_.device();
    const auto from = lanes.first / rollouts_, to = (lanes.first + lanes.count - 1) / rollouts_ + 1;
    auto draws = settings_.draws;
    if (draws.any()) {
      draws.keys = rollout_keys(first_row_ * rollouts_ + lanes.first, lanes.count, rollouts_).to(device);
    }
    const auto row = at::arange(lanes.first, lanes.first + lanes.count, at::kLong).div(rollouts_, "floor") - from;
    return open_rows(model_, fields_.narrow(0, from, to - from).to(device),
                     puzzles_.narrow(0, from, to - from).to(device), draws, row.to(device));
  }

  void make(const Lanes& lanes) {
    const auto is_depth = [&](std::int64_t s) { return std::ranges::binary_search(depths_, s); };
    auto rows = open(lanes);
    Residual logits, states;
    const auto per_cell = [](const at::Tensor& x) { return x.square().sum(-1).sqrt().mean(-1); };
    const auto whole = [](const at::Tensor& x) { return x.flatten(1).square().sum(-1).sqrt(); };
    const auto all = at::arange(lanes.count, rows.tokens.options().dtype(at::kLong));
    states.add(both(rows.states), all, lanes.count, whole);
    supervise(
        model_, settings_, std::move(rows), depths_.back(),
        [&](const StepView& view, const LastStep& last) {
          if (view.number.size(0) > 0) {
            logits.add(view.scores.values.index_select(0, view.number), view.number, lanes.count, per_cell);
            states.add(both(view.states), view.number, lanes.count, whole);
          }
          if (!is_depth(view.s)) return;
          auto& found = found_[static_cast<std::size_t>(std::ranges::lower_bound(depths_, view.s) - depths_.begin())];
          store_rows(view.scores.values.argmax(-1), lanes.first, found.answers);
          store_rows(last.halting, lanes.first, found.halting);
          store_rows(logits.mean(), lanes.first, found.residual);
          store_rows(states.mean(), lanes.first, found.state_residual);
          store_rows(margin_of(view.scores), lanes.first, found.margin);
        },
        is_depth);
  }

  const Backbone& model_;
  const DecodeSettings& settings_;
  std::int64_t first_row_, rollouts_;
  const std::vector<std::int64_t>& depths_;
  at::Tensor fields_, puzzles_;
  std::vector<Rollouts> found_;  // [depths]
};

/// The largest of some numbers, of equal ones the first; only places where `allowed`, if given.
std::int64_t largest(std::span<const float> numbers, const std::vector<bool>& allowed, float sign) {
  std::int64_t best = -1;
  for (std::int64_t k = 0; k < std::ssize(numbers); ++k) {
    if (!allowed.empty() && !allowed[static_cast<std::size_t>(k)]) continue;
    if (best < 0 || sign * numbers[static_cast<std::size_t>(k)] > sign * numbers[static_cast<std::size_t>(best)])
      best = k;
  }
  return std::max<std::int64_t>(best, 0);
}

std::int64_t most_frequent(const RolloutView& row, bool halting_trained) {
  struct Candidate {
    std::int64_t first = 0, votes = 0;
    double halting = 0.0;
  };
  std::map<std::vector<std::int32_t>, Candidate> candidates;
  for (std::int64_t k = 0; k < row.rollouts(); ++k) {
    const auto answer = row.answer(k);
    std::vector<std::int32_t> told(answer.begin(), answer.end());
    for (std::size_t cell = 0; cell < row.label.size(); ++cell) {
      if (row.label[cell] == kIgnore) told[cell] = kIgnore;
    }
    auto& candidate = candidates[std::move(told)];
    if (candidate.votes++ == 0) candidate.first = k;
    if (halting_trained && !row.halting.empty())
      candidate.halting += static_cast<double>(row.halting[static_cast<std::size_t>(k)]);
  }
  const auto better = [](const Candidate& a, const Candidate& b) {
    if (a.votes != b.votes) return a.votes > b.votes;
    return a.halting != b.halting ? a.halting > b.halting : a.first < b.first;
  };
  const Candidate* best = nullptr;
  for (const auto& [answer, candidate] : candidates) {
    if (best == nullptr || better(candidate, *best)) best = &candidate;
  }
  return best->first;
}

}  // namespace

std::vector<Rollouts> answer_rollouts(const Backbone& model, const DecodeSettings& settings, const AskedRows& rows,
                                      std::int64_t rollouts, const std::vector<std::int64_t>& depths) {
  ensure(rollouts >= 1 && !depths.empty() && depths.front() >= 1 && std::ranges::is_sorted(depths), "answer_rollouts",
         "rollouts, and depths in ascending order");
  if (rows.ids.empty()) return std::vector<Rollouts>(depths.size(), Rollouts{.rollouts = rollouts});
  return RolloutRun(model, settings, rows, rollouts, depths).run();
}

RolloutView view_of(const Rollouts& all, std::int64_t row, std::int64_t k, std::span<const std::int32_t> label,
                    std::size_t length) {
  const auto first = static_cast<std::size_t>(row * all.rollouts), count = static_cast<std::size_t>(k);
  const auto part = [&](const std::vector<float>& scores) {
    return scores.empty() ? std::span<const float>() : std::span(scores).subspan(first, count);
  };
  return {length,
          std::span(all.answers).subspan(first * length, count * length),
          label,
          part(all.halting),
          part(all.residual),
          part(all.state_residual),
          part(all.margin)};
}

std::int64_t chosen_rollout(const RolloutView& row, Select select, bool halting_trained) {
  switch (select) {
    case Select::last:
      return 0;
    case Select::halting:
      return largest(row.halting, {}, 1.0F);
    case Select::vote:
      return most_frequent(row, halting_trained);
    case Select::residual:
      return largest(row.residual, {}, -1.0F);
    case Select::state_residual:
      return largest(row.state_residual, {}, -1.0F);
    case Select::margin:
      return largest(row.margin, {}, 1.0F);
    case Select::rules: {
      if (std::ranges::find(row.obeys, true) == row.obeys.end()) return 0;
      if (row.margin.empty()) return std::ranges::find(row.obeys, true) - row.obeys.begin();
      return largest(halting_trained ? row.halting : row.margin, row.obeys, 1.0F);
    }
  }
  return 0;
}

std::vector<Select> selectors_for(bool halting_trained, bool scores, bool rules) {
  std::vector<Select> all{Select::last, Select::vote};
  if (scores) all.insert(all.end(), {Select::residual, Select::state_residual, Select::margin});
  if (scores && halting_trained) all.push_back(Select::halting);
  if (rules) all.push_back(Select::rules);
  return all;
}

}  // namespace dis
