// What a run says of itself in its log and messages.
#pragma once

#include <optional>
#include <string>

#include "dis/train/checkpoint.h"
#include "dis/train/metrics.h"
#include "dis/train/trainer.h"

namespace dis {

/// Its first line; `latest`: the checkpoint that it goes on from.
std::string opening_line(const Session& session, const TrainRequest& request, const RunState& state,
                         const std::optional<std::filesystem::path>& latest);
/// Its last one, the only place of the mean rate.
std::string closing_line(const Session& session, const TrainRequest& request, const RunState& state);
/// Stopped before `updates` were made.
std::string stopped_line(const TrainRequest& request, const RunState& state, std::int64_t updates);
/// What stands behind the count of the updates.
std::string progress_details(const BatchMetrics& last, const Rates& rates);

/// `problem` ends training.
UserError non_finite_error(const TrainRequest& request, const RunState& state, const std::string& problem);
/// What to lower when memory runs out in a batch.
std::string smaller_batches(const TrainConfig& train);

}  // namespace dis
