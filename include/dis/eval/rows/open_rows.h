// Rows that the network works on outside training, supervision step by supervision step.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "dis/model/supervision_step.h"

namespace dis {

/// What they hold before a step.
struct OpenRows {
  at::Tensor tokens;  ///< int32 [R, L]
  at::Tensor puzzle;  ///< [R, E], or undefined
  States states;      ///< [R, S, D]
  StateDraws draws;   ///< of the states, with keys [R] where anything is drawn
  /// int64 [R]: which of the tokens and puzzle rows each works on, where several share one; undefined: its own.
  at::Tensor example = {};

  OpenRows chosen(const at::Tensor& index) const;
};

/// Rows of tokens int32 [E, L] of the puzzles `ids` int32 [E], before step 1: as many, or one for each of `example`.
OpenRows open_rows(const Backbone& model, const at::Tensor& tokens, const at::Tensor& ids, const StateDraws& draws = {},
                   const at::Tensor& example = {});

/// Keys for draws, int64: of these lanes, where each row has `rollouts` lanes one after the other. At `round` of an
/// answer that is found in several rounds.
at::Tensor rollout_keys(std::span<const std::int64_t> lanes, std::int64_t rollouts, std::int64_t round = 0);
/// Of the lanes first..first+count-1.
at::Tensor rollout_keys(std::int64_t first, std::int64_t count, std::int64_t rollouts);

struct RowStep {
  at::Tensor cells;    ///< [R, L, A] logits of the cells (answer_part())
  at::Tensor halting;  ///< [R, 2], undefined if not asked for
};

/// Step s of all rows; under Feedback::prediction the next one is shown its answer.
RowStep step_rows(const Backbone& model, Feedback feedback, OpenRows& rows, std::int64_t s,
                  const StepOptions& options = {});

}  // namespace dis
