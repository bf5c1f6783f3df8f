// Supervision steps run open to view: the policy after each step and, for chosen rows, after each latent pass; and what
// the answer would have been without one of the passes (method, section 8).
//
// Passes of a supervision step count from 0 to T (n + 1) - 1; every (n + 1)-th is an answer pass, the others are
// latent. A network with one state has T n passes, all of which are answer passes and are read out as they are.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "dis/eval/rows/decode.h"
#include "dis/model/backbone.h"

namespace dis {

/// Of a supervision step.
std::int64_t passes_per_step(const ModelShape& shape);

/// A row of the piece, and the pass that is left out in a run of its own.
struct Removal {
  std::int64_t row = 0;
  std::int64_t step = 1;  ///< 1..N
  std::int64_t pass = 0;
};

struct LatentRunRequest {
  at::Tensor tokens;                   ///< int32 [B, L]
  at::Tensor ids;                      ///< int32 [B]
  StateDraws draws;                    ///< with keys where anything is drawn
  std::int64_t steps = 1;              ///< N
  std::vector<std::int64_t> observed;  ///< rows whose latent passes are read out
  std::vector<Removal> removals;       ///< ascending in step, and in pass within a step
};

/// Log-policies are float64 [rows, L, A], contiguous, on the CPU; A the tokens that can be an answer.
struct LatentRunObserver {
  /// After supervision step s = 1..N, of all rows: log-policy before it (at s = 1 the readout of the constant y_init)
  /// and after it, and what the halting head decides [B], above 0 to halt (Backbone::halt_decision).
  std::function<void(std::int64_t s, const at::Tensor& before, const at::Tensor& after, const at::Tensor& halting)>
      step;
  /// After each latent pass, of the observed rows: what an answer pass would make of the latent state before and after
  /// it. The first of a cycle is compared with the y that the cycle begins with, and the last one's is the answer pass
  /// itself, so that the changes add up to that of the step.
  std::function<void(std::int64_t s, std::int64_t pass, const at::Tensor& before, const at::Tensor& after)> latent_pass;
};

/// Answers int32 [L] after the last step, one for each removal; nothing else of the removed runs is seen.
std::vector<std::vector<std::int32_t>> run_open(const Backbone& model, const DecodeSettings& settings,
                                                const LatentRunRequest& request, const LatentRunObserver& observer);

}  // namespace dis
