// What is written down about a batch: metrics.jsonl and the TensorBoard curves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dis/core/json.h"
#include "dis/train/throughput.h"
#include "dis/train/tick_records.h"

namespace dis {

/// Of N ticks with halting (TRM, HRM).
struct HaltingMetrics {
  std::vector<std::int64_t> ended;  ///< [N] samples that ended after step s
  double loss = 0.0;                ///< mean of the heads' loss
  double label_loss = 0.0;          ///< mean of the cross entropy
  double exact = 0.0;               ///< share of the samples that ended whose labelled cells are all right
  double agreement = 0.0;           ///< share of steps where q_halt > 0 says rightly whether the sample is solved
  std::int64_t samples() const;     ///< that ended
  double mean_steps() const;        ///< of those
};

/// Means over the lanes of each supervision step s = 1..N of one batch; NaN where no lane stood at s.
struct BatchMetrics {
  std::vector<double> loss;     ///< [N] cross entropy, not weighted
  std::vector<double> exact;    ///< [N] share of lanes whose labelled cells are all right
  std::vector<double> correct;  ///< [N] share of labelled cells that are right
  std::optional<HaltingMetrics> halting = std::nullopt;
  double mean_loss() const;    ///< over the steps; with halting, over all lanes' steps
  double final_exact() const;  ///< after step N; with halting, of the samples that ended
};

BatchMetrics summarise(const TickRecords& records, std::int64_t N);

/// Says where the first NaN or infinite loss stands: "supervision step 3, lanes 0, 17"; nothing if all are finite.
std::optional<std::string> find_non_finite(const TickRecords& records);

/// The counters and rates that go with a batch.
struct BatchCounters {
  std::int64_t updates = 0, batches = 0, samples = 0;
  double lr = 0.0;
};

/// What depends on the clock and the machine: rates since the last record, and what this process took until now.
struct Expense {
  Rates rates;
  double peak_memory_mb = 0.0;
  double seconds = 0.0;  ///< spent training, over all sittings
};

/// One line of metrics.jsonl: step, batch, samples, loss, loss_per_step, exact, exact_per_step, correct_per_step, lr,
/// "halting" of the baselines (samples, mean_steps, ended after each step, loss, agreement), and those of Expense, the
/// only ones that a run that is repeated or resumed has otherwise: samples_per_s, tflops_per_s, peak_share,
/// peak_memory_mb, seconds.
Json metrics_record(const BatchMetrics& metrics, const BatchCounters& counters, const Expense& expense);

}  // namespace dis
