// The backbone and its latent reasoning: what one supervision step computes (method sections 1 and 2).
//
// Shapes: B lanes, L cells, P puzzle positions, S = P + L, D width, V vocabulary. `y` is the answer state (z_H in the
// official code), `z` the latent state (z_L). States and x have the compute type.
#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "dis/model/halves.h"
#include "dis/model/state_draws.h"
#include "dis/model/weights.h"
#include "dis/ops/fused.h"

namespace dis {

namespace reference {
struct Network;
}

struct States {
  at::Tensor y, z;  ///< [B, S, D]
};

/// Applications of a stack, counted per lane: a pass of 8 lanes counts 8.
struct PassCount {
  std::int64_t forward = 0;
  std::int64_t backward = 0;  ///< those of them that carry gradient
};

/// One pass of a supervision step.
struct Pass {
  std::int64_t number = 0;  ///< from 0
  bool latent = true;       ///< z <- f_L(z, y + x); else the answer pass y <- f_H(y, z); one state: y <- f(y, x)
  bool opens = false;       ///< the first of its cycle
  bool closes = false;      ///< the last latent one of its cycle: the answer pass is next
  bool gradient = false;    ///< carries gradient in training
};

/// T cycles of n latent passes and an answer pass. TRM has one stack for both, and the last cycle carries gradient; HRM
/// (shape.hierarchical) has two, and of the last cycle only the last latent and the answer pass carry gradient. With
/// one state (model.states, URM) a cycle is n answer passes. model.gradient_passes says otherwise how many carry
/// gradient.
std::vector<Pass> passes_of_step(const ModelShape& shape);

/// Looks into latent reasoning, or leaves passes out. Each function may be empty.
struct PassObserver {
  std::function<bool(const Pass&)> leaves_out;
  std::function<void(const Pass&, const States&)> after;  ///< with the states behind the pass
};

/// Noise for the passes of supervision step `number` int32 [B].
struct PassNoise {
  const StateDraws& draws;
  const at::Tensor& number;
};

/// `worker` chooses the leaves that gradients collect in (Weights::leaves): calls with different workers may run at the
/// same time.
class Backbone {
 public:
  Backbone(const ModelShape& shape, std::uint64_t seed, at::Device device, at::ScalarType compute_type);

  const ModelShape& shape() const { return shape_; }
  Weights& weights() { return weights_; }
  const Weights& weights() const { return weights_; }
  at::Device device() const { return weights_.flat().device(); }

  /// y_init and z_init for every lane and position; or what `draws` say, for a lane of each of its keys.
  States initial_states(std::int64_t lanes) const;
  States initial_states(std::int64_t lanes, const StateDraws& draws) const;

  /// Rows [B, E] of the puzzle table, as a leaf that collects this step's gradient; undefined without a table.
  at::Tensor puzzle_embeddings(const at::Tensor& ids) const;

  /// x [B, S, D] from tokens int32 [B, L], puzzle rows (may be undefined) and 1-based supervision steps int32 [B].
  at::Tensor input(const at::Tensor& tokens, const at::Tensor& rows, const at::Tensor& steps,
                   std::size_t worker = 0) const;

  /// passes_of_step(), one after the other, damped (shape().damping) and with noise, if any. The result is attached to
  /// the graph: detach it before the next step.
  States latent_reasoning(const at::Tensor& x, States states, std::size_t worker = 0,
                          const PassObserver* observer = nullptr, const PassNoise* noise = nullptr) const;

  /// What these passes are, undamped: z <- f_L(z, y + x), and y <- f_H(y, z), where one state has x in the place of z.
  at::Tensor latent_pass(const at::Tensor& x, const States& states, std::size_t worker = 0) const;
  at::Tensor answer_pass(const States& states, std::size_t worker = 0) const;

  /// lm_head(y): logits [B, S, V]; the first P positions belong to no cell.
  at::Tensor readout(const at::Tensor& y, std::size_t worker = 0) const;

  /// q_head of the first position: [B, 2] float32 logits (halt, continue), for training with halting.
  at::Tensor halting(const at::Tensor& y, std::size_t worker = 0) const;
  /// What the halting head's logits `q` [B, 2] say, [B]: above 0 to halt. TRM: halt; HRM: halt less continue.
  at::Tensor halt_decision(const at::Tensor& q) const;

  /// The passes made since the network was.
  PassCount passes() const { return {passes_->forward, passes_->backward}; }

 private:
  struct Counters {
    std::atomic<std::int64_t> forward = 0, backward = 0;
  };

  at::Tensor stack(at::Tensor h, const std::vector<BlockWeights>& leaves,
                   const std::vector<BlockWeights>& compute) const;
  reference::Network plain(std::size_t worker) const;
  void count_pass(std::int64_t lanes) const;

  ModelShape shape_;
  std::vector<Pass> order_;
  std::vector<Half> halves_;
  Weights weights_;
  RotaryTables rotary_;
  at::Tensor sinusoids_;  // [N_sup + 2, D], time = continuous
  std::shared_ptr<Counters> passes_ = std::make_shared<Counters>();
};

}  // namespace dis
