// One supervision step (method section 2): all that training, evaluation and analysis ask of the network.
#pragma once

#include "dis/model/backbone.h"

namespace dis {

struct StepInput {
  at::Tensor tokens;  ///< int32 [B, L]
  at::Tensor puzzle;  ///< [B, E], Backbone::puzzle_embeddings(); undefined without a table
  at::Tensor number;  ///< int32 [B], s = 1..N
  /// int64 [R]: the row of all this that each lane works on, where several lanes share one; undefined: each has its
  /// own.
  at::Tensor example = {};
};

struct StepOptions {
  std::size_t worker = 0;
  bool answer = true;    ///< read the logits out
  bool halting = false;  ///< read the halting head out
  const PassObserver* observer = nullptr;
  const StateDraws* draws = nullptr;  ///< noise before the step and after its passes
};

struct StepOutput {
  States states;
  at::Tensor logits;   ///< [B, S, V], undefined if not asked for; the first P positions belong to no cell
  at::Tensor halting;  ///< float32 [B, 2] logits (halt, continue), undefined if not asked for
};

/// From the states before the step to those behind it. Where gradients are on, all of the output is attached to the
/// graph: what goes on to the next step is to be detached.
StepOutput supervision_step(const Backbone& model, const StepInput& in, const States& before,
                            const StepOptions& options = {});

}  // namespace dis
