// A training run of a few numbers, for tests: random puzzles, a small network, path targets.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "dis/core/random.h"
#include "dis/model/weights_file.h"
#include "dis/train/session.h"
#include "dis/train/training_loop.h"

namespace dis {

/// Example `position`: 9 random tokens of 1..4 with labels of which some are missing, and a random identifier of 1..4.
class RandomPuzzles : public TrainingStream {
 public:
  static constexpr std::int64_t kLength = 9;
  DataShape shape() const override { return {5, kLength, 6}; }
  Origin example(std::uint64_t seed, std::uint64_t position, std::span<std::int32_t> input,
                 std::span<std::int32_t> label, std::int32_t& puzzle_id) const override {
    Draws draws(seed, Purpose::test, 1, position);
    for (std::size_t i = 0; i < kLength; ++i) {
      input[i] = 1 + static_cast<std::int32_t>(draws.below(4));
      label[i] = draws.below(5) == 0 ? kIgnore : 1 + static_cast<std::int32_t>(draws.below(4));
    }
    puzzle_id = 1 + static_cast<std::int32_t>(draws.below(4));
    return {};
  }
  void augment(const Origin&, std::span<std::int32_t>) const override {}
  std::string identifier(std::int64_t index) const override { return identifiers_.at(static_cast<std::size_t>(index)); }

 private:
  std::vector<std::string> identifiers_ = {"<blank>", "a", "b", "c", "d", "unused"};
};

/// Width 24, 1 layer, 3 supervision steps, 4 lanes, no warm-up.
inline RunConfig small_config() {
  RunConfig config;
  config.model.hidden_size = 24;
  config.model.num_heads = 2;
  config.model.expansion = 0.5;
  config.model.puzzle_emb_len = 2;
  config.model.puzzle_emb_ndim = 30;
  config.method.num_supervision = 3;
  config.train.global_batch = 4;
  config.optim.lr = 1e-3;
  config.optim.warmup_steps = 0;
  return config;
}

/// The same network and lanes for a baseline with halting.
inline RunConfig small_baseline(Algorithm algorithm) {
  auto config = small_config();
  config.method.algorithm = algorithm;
  config.method.targets = TargetKind::label;
  config.method.time = TimeEmbedding::none;
  return config;
}

/// No update changes a weight.
inline RunConfig frozen(RunConfig config) {
  config.optim.lr = config.optim.puzzle_lr = 0.0;
  return config;
}

/// With beta1 = 0 the first moment is the gradient of the last update.
inline RunConfig showing_gradients(RunConfig config) {
  config.optim.beta1 = 0.0;
  return frozen(config);
}

struct SmallRun {
  explicit SmallRun(const RunConfig& run_config, at::ScalarType type = at::kFloat)
      : SmallRun(run_config, type, std::make_shared<const Ranks>()) {}
  SmallRun(const RunConfig& run_config, at::ScalarType type, std::shared_ptr<const Ranks> all_ranks)
      : config(run_config),
        ranks(std::move(all_ranks)),
        targets(config.method, stream.shape()),
        model(model_shape(config, stream.shape(), targets), static_cast<std::uint64_t>(config.run.seed), at::kCPU,
              type),
        optimiser(config.optim, config.train.steps, model.weights()),
        loop(config, *ranks, stream, observed(targets.source(static_cast<std::uint64_t>(config.run.seed), stream)),
             model, optimiser) {}
  SmallRun(const SmallRun&) = delete;
  SmallRun& operator=(const SmallRun&) = delete;

  const at::Tensor& tensor(const std::string& name) const { return *model.weights().find("model.inner." + name); }
  const at::Tensor& puzzles() const { return model.weights().master().puzzle; }

  TargetSource observed(const TargetSource& source) {
    if (source.live != nullptr) return source;
    return {[this, source](std::uint64_t first, const Batch& batch) {
              {
                const std::lock_guard lock(drawn_mutex);
                for (std::int64_t i = 0; i < batch.lanes; ++i) drawn.insert(first + static_cast<std::uint64_t>(i));
              }
              return source.frames(first, batch);
            },
            nullptr};
  }

  RunConfig config;
  std::shared_ptr<const Ranks> ranks;
  RandomPuzzles stream;
  TargetBuilder targets;
  Backbone model;
  Optimiser optimiser;
  std::mutex drawn_mutex;              ///< the loop draws in threads of its own
  std::multiset<std::uint64_t> drawn;  ///< positions of the stream that frames were asked for
  TrainingLoop loop;
};

}  // namespace dis
