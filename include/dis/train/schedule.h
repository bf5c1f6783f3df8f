// Scalars that depend on the step alone (method section 3).
#pragma once

#include <cstdint>

#include "dis/config/config.h"

namespace dis {

/// Factor of both learning rates at optimiser update `update` (from 1): linear warm-up, then a cosine over train.steps
/// down to lr_min_ratio (1: constant).
double learning_rate_factor(const OptimConfig& optim, std::int64_t update, std::int64_t total_updates);

/// The same for all but the puzzle embedding: 0 in the updates of optim.rows_first.
double network_rate_factor(const OptimConfig& optim, std::int64_t update, std::int64_t total_updates);

/// w_s of supervision step s = 1..N: 1, or s / mean(1..N).
double step_weight(StepWeights kind, std::int64_t s, std::int64_t N);

/// Batches (N_sup supervision steps each) that hold at least `updates` optimiser updates.
std::int64_t batches_of(const MethodConfig& method, std::int64_t updates);

/// Optimiser updates of one batch: N_sup, or 1 with method.update = accumulated.
std::int64_t updates_per_batch(const MethodConfig& method);

/// Updates of a whole run: train.steps, rounded up to whole batches.
std::int64_t updates_of(const RunConfig& config);

}  // namespace dis
