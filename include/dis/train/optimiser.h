// The optimisers of a run: Adam or Muon of the parameters, sign-SGD of the puzzle table, the moving average.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "dis/model/backbone.h"
#include "dis/ops/adam.h"

namespace dis {

/// A parameter and where the optimiser keeps what it knows of it.
struct OptimisedWeight {
  std::string name;
  std::vector<std::int64_t> shape;
  std::int64_t first = 0;  ///< in the flat buffers, `count` numbers
  std::int64_t count = 0;
  bool muon = false;        ///< else Adam
  std::int64_t second = 0;  ///< Adam: in the buffer of second moments
};

/// The parameters of a table, in the order of the flat buffer.
std::vector<OptimisedWeight> optimised_weights(const OptimConfig& config, const std::vector<WeightSpec>& table);
/// Float32 numbers that the optimiser keeps of them, the moving average aside.
std::int64_t optimiser_numbers(const std::vector<OptimisedWeight>& weights);

class Optimiser {
 public:
  Optimiser(const OptimConfig& config, std::int64_t total_updates, Weights& weights);

  /// Begins update number updates() + 1: its rates go to the device. Host work.
  void prepare();
  /// Ends it, from weights.gradient() and the puzzle rows' gradient [B, E] of `ids` [B] (both may be undefined); then
  /// the gradients are zero again. Device work alone, the same at every update.
  void apply(const at::Tensor& ids, const at::Tensor& puzzle_gradient);

  std::int64_t updates() const { return updates_; }
  double last_rate() const;  ///< learning rate of the last update

  /// All that a checkpoint must hold and ranks must share, beside the moving average, with names: "adam.m.<weight>" and
  /// "adam.v.<weight>", or "muon.m.<weight>". Views: what is copied into them is the optimiser's.
  std::vector<std::pair<std::string, at::Tensor>> state() const;
  /// The same numbers, flat, for who asks for no names: sharing, comparing, checking.
  std::vector<at::Tensor> buffers() const { return {m_, v_}; }
  const at::Tensor& m() const { return m_; }      ///< first moments and momenta, flat
  const at::Tensor& v() const { return v_; }      ///< second moments, flat
  const at::Tensor& ema() const { return ema_; }  ///< the moving average [n], undefined without one
  void set_updates(std::int64_t updates) { updates_ = updates; }
  /// The moving average starts again from the present weights.
  void restart_ema();

 private:
  void apply_adam() const;
  void apply_muon() const;

  OptimConfig config_;
  std::int64_t total_updates_;
  std::int64_t updates_ = 0;
  Weights& weights_;
  std::vector<OptimisedWeight> parts_;
  at::Tensor m_, v_, ema_;
  at::Tensor rates_;  ///< those of sign-SGD, Adam's scalars, Muon's
};

}  // namespace dis
