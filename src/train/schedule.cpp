#include "dis/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace dis {

double learning_rate_factor(const OptimConfig& optim, std::int64_t update, std::int64_t total_updates) {
  const auto at = static_cast<double>(update);
  const auto warmup = static_cast<double>(optim.warmup_steps);
  if (at < warmup) return at / warmup;
  const double progress = (at - warmup) / std::max(1.0, static_cast<double>(total_updates) - warmup);
  const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * std::min(1.0, progress)));
  return optim.lr_min_ratio + (1.0 - optim.lr_min_ratio) * cosine;
}

double network_rate_factor(const OptimConfig& optim, std::int64_t update, std::int64_t total_updates) {
  const bool rows_alone = static_cast<double>(update) <= optim.rows_first * static_cast<double>(total_updates);
  return rows_alone && optim.rows_first > 0.0 ? 0.0 : learning_rate_factor(optim, update, total_updates);
}

double step_weight(StepWeights kind, std::int64_t s, std::int64_t N) {
  return kind == StepWeights::uniform ? 1.0 : 2.0 * static_cast<double>(s) / static_cast<double>(N + 1);
}

std::int64_t updates_per_batch(const MethodConfig& method) {
  return method.update == Update::per_step ? method.num_supervision : 1;
}

std::int64_t batches_of(const MethodConfig& method, std::int64_t updates) {
  const auto each = updates_per_batch(method);
  return (updates + each - 1) / each;
}

std::int64_t updates_of(const RunConfig& config) {
  return batches_of(config.method, config.train.steps) * updates_per_batch(config.method);
}

}  // namespace dis
