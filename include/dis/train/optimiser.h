// The optimisers of a run: Adam of the parameters, sign-SGD of the puzzle table, the moving average.
#pragma once

#include <ATen/core/Tensor.h>

#include "dis/model/backbone.h"
#include "dis/ops/adam.h"

namespace dis {

class Optimiser {
 public:
  Optimiser(const OptimConfig& config, std::int64_t total_steps, Weights& weights);

  /// Begins update number updates() + 1: its rates go to the device. Host work.
  void prepare();
  /// Ends it, from weights.gradient() and the puzzle rows' gradient [B, E] of `ids` [B] (both may be undefined); then
  /// the gradients are zero again. Device work alone, the same at every update.
  void apply(const at::Tensor& ids, const at::Tensor& puzzle_gradient);

  std::int64_t updates() const { return updates_; }
  double last_rate() const;  ///< learning rate of the last update

  /// State for checkpoints: moments [parameters()], the moving average [n] (undefined without one).
  const at::Tensor& m() const { return m_; }
  const at::Tensor& v() const { return v_; }
  const at::Tensor& ema() const { return ema_; }
  void set_updates(std::int64_t updates) { updates_ = updates; }
  /// The moving average starts again from the present weights.
  void restart_ema();

 private:
  OptimConfig config_;
  std::int64_t total_steps_;
  std::int64_t updates_ = 0;
  Weights& weights_;
  at::Tensor m_, v_, ema_;
  at::Tensor rates_;  ///< those of sign-SGD, then Adam's scalars
};

}  // namespace dis
