// What is written down about a batch: metrics.jsonl and the TensorBoard curves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dis/core/json.h"
#include "dis/train/supervision.h"

namespace dis {

/// Means over the lanes of each supervision step s = 1..N of one batch; NaN where no lane stood at s.
struct BatchMetrics {
  std::vector<double> loss;     ///< [N] cross entropy, not weighted
  std::vector<double> exact;    ///< [N] share of lanes whose labelled cells are all right
  std::vector<double> correct;  ///< [N] share of labelled cells that are right
  double mean_loss() const;
};

BatchMetrics summarise(const TickRecords& records, std::int64_t N);

/// Says where the first NaN or infinite loss stands: "supervision step 3, lanes 0, 17"; nothing if all are finite.
std::optional<std::string> find_non_finite(const TickRecords& records);

/// The counters and rates that go with a batch.
struct BatchCounters {
  std::int64_t updates = 0, batches = 0, samples = 0;
  double lr = 0.0, samples_per_s = 0.0, seconds = 0.0;
};

/// One line of metrics.jsonl: step, batch, samples, loss, loss_per_step, exact, exact_per_step, correct_per_step, lr,
/// and the only two fields that depend on the clock, samples_per_s and seconds.
Json metrics_record(const BatchMetrics& metrics, const BatchCounters& counters);

}  // namespace dis
