#include "run_outputs.h"

#include <string>

namespace dis {

void RunOutputs::record(const BatchMetrics& batch, const BatchCounters& counters, const Expense& expense) {
  const auto update = counters.updates;
  metrics_.append_line(metrics_record(batch, counters, expense).dump());
  events_.scalar("train/loss", update, batch.mean_loss());
  events_.scalar("train/lr", update, counters.lr);
  events_.scalar("train/samples_per_s", update, expense.rates.samples_per_s);
  events_.scalar("train/tflops_per_s", update, expense.rates.tflops_per_s);
  events_.scalar("train/peak_share", update, expense.rates.peak_share);
  events_.scalar("train/peak_memory_mb", update, expense.peak_memory_mb);
  for (std::size_t s = 0; s < batch.loss.size(); ++s) {
    const auto step = std::to_string(s + 1);
    events_.scalar("loss/step_" + step, update, batch.loss[s]);
    events_.scalar("exact/step_" + step, update, batch.exact[s]);
  }
  if (batch.halting) {
    events_.scalar("halting/loss", update, batch.halting->loss);
    events_.scalar("halting/mean_steps", update, batch.halting->mean_steps());
    events_.scalar("halting/agreement", update, batch.halting->agreement);
  }
  events_.flush_if_due();
}

}  // namespace dis
