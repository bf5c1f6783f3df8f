// Rows that the network works on outside training, supervision step by supervision step.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "dis/model/supervision_step.h"

namespace dis {

/// What they hold before a step.
struct OpenRows {
  at::Tensor tokens;  ///< int32 [R, L]
  at::Tensor puzzle;  ///< [R, E], or undefined
  States states;      ///< [R, S, D]

  OpenRows chosen(const at::Tensor& index) const;
};

/// Rows of tokens int32 [R, L] of the puzzles `ids` int32 [R], before step 1.
OpenRows open_rows(const Backbone& model, const at::Tensor& tokens, const at::Tensor& ids);

struct RowStep {
  at::Tensor cells;    ///< [R, L, A] logits of the cells (answer_part())
  at::Tensor halting;  ///< [R, 2], undefined if not asked for
};

/// Step s of all rows; under Feedback::prediction the next one is shown its answer.
RowStep step_rows(const Backbone& model, Feedback feedback, OpenRows& rows, std::int64_t s,
                  const StepOptions& options = {});

}  // namespace dis
