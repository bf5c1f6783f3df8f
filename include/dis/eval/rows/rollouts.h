// Several answers to each row, from draws of their own, and what there is to choose one by (PTRM, arXiv 2605.19943;
// EqR, arXiv 2605.21488).
//
// Rollout k of row i has the draws of (seed, i, k): it is the same whatever the number of rollouts, the batch, the
// threads and the ranks, and a rollout of fewer steps is the beginning of a longer one. So one run with the most
// rollouts and the most steps holds all smaller ones.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "dis/data/dataset.h"
#include "dis/eval/rows/decode.h"

namespace dis {

/// K answers to each of R rows after some step, row by row.
struct Rollouts {
  std::int64_t rollouts = 1;               ///< K
  std::vector<std::int32_t> answers = {};  ///< [R, K, L] tokens
  std::vector<float> halting = {};         ///< [R, K] logit of the halting head
  std::vector<float> residual = {};  ///< [R, K] mean over cells and the last three steps of |v_t - v_{t-1}|, v logits
  std::vector<float> state_residual = {};  ///< [R, K] the same of |[y; z]_t - [y; z]_{t-1}| over the whole state
  std::vector<float> margin = {};  ///< [R, K] mean over cells: log-probability of the best token less the second's
};

/// Makes K rollouts of each row, of depths.back() steps, and gives them after each of `depths` (ascending). At most
/// settings.batch of the rows' rollouts go through the network at once; those of a row share its embedding. Under
/// `halting` a rollout that has ended keeps its answer.
std::vector<Rollouts> answer_rollouts(const Backbone& model, const DecodeSettings& settings, const AskedRows& rows,
                                      std::int64_t rollouts, const std::vector<std::int64_t>& depths);

/// The rollouts of one row, or the first of them.
struct RolloutView {
  std::size_t length = 0;                 ///< L
  std::span<const std::int32_t> answers;  ///< [K, L]
  std::span<const std::int32_t> label;    ///< [L]: cells with kIgnore do not tell answers apart; empty: all do
  /// [K], or empty where there are none.
  std::span<const float> halting, residual, state_residual, margin;
  std::vector<bool> obeys = {};  ///< [K] whether the answer obeys the rules; empty: there are none

  std::int64_t rollouts() const { return static_cast<std::int64_t>(answers.size() / length); }
  std::span<const std::int32_t> answer(std::int64_t k) const {
    return answers.subspan(static_cast<std::size_t>(k) * length, length);
  }
};
/// Row r of `all`, its first k rollouts.
RolloutView view_of(const Rollouts& all, std::int64_t row, std::int64_t k, std::span<const std::int32_t> label,
                    std::size_t length);

/// The rollout that `select` chooses, 0..K-1. Ties: the smaller number; of equally frequent answers the one with the
/// larger mean halting logit, if there is any, and its first rollout. `rules`: among those that obey, the one whose
/// halting logit is largest (where the head is trained), else the margin; none obeys: the first.
std::int64_t chosen_rollout(const RolloutView& row, Select select, bool halting_trained);

/// The selectors that there are numbers for, `last` first; `rules` where the rules are known.
std::vector<Select> selectors_for(bool halting_trained, bool scores, bool rules);

}  // namespace dis
