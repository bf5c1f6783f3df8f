// How a rank's lanes are computed: cut into micro-batches, each split among workers, one thread each; or, under
// dist.deterministic, into chunks of a fixed size whose gradients are summed in the order of the lanes, so that the
// result does not depend on the number of ranks at all (a product's rounding depends on its shape, so a fixed order of
// the sum alone would not do).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "dis/config/config.h"
#include "dis/dist/ranks.h"
#include "dis/model/backbone.h"
#include "dis/train/loader.h"

namespace dis {

class LaneRounds {
 public:
  /// For `lanes` own lanes. Adds the workers that it needs to the model's weights.
  LaneRounds(const RunConfig& config, Backbone& model, std::int64_t lanes);

  /// Calls `work(worker, lanes)` for every piece of the lanes, at the same time for different workers. It leaves its
  /// gradients in weights.gradient(worker); afterwards all are in weights.gradient(), or in the chunks.
  void run(const std::function<void(std::size_t, LaneRange)>& work);

  /// The sum over all lanes of all ranks, in weights.gradient().
  void sum_gradients(const Ranks& ranks);

 private:
  Backbone& model_;
  std::int64_t workers_;
  std::vector<std::vector<LaneRange>> rounds_;  ///< pieces that workers compute at the same time
  at::Tensor chunk_gradients_;                  ///< [own chunks, n] under dist.deterministic
};

}  // namespace dis
