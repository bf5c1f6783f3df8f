// What rank 0 writes of a run while it trains: metrics.jsonl and TensorBoard's events.
#pragma once

#include <cstdint>
#include <filesystem>

#include "dis/core/event_file.h"
#include "dis/core/files.h"
#include "dis/train/metrics.h"

namespace dis {

class RunOutputs {
 public:
  /// TensorBoard forgets what an earlier sitting wrote from `first_update` on.
  RunOutputs(const std::filesystem::path& run, std::int64_t first_update)
      : metrics_(run / "metrics.jsonl"), events_(run, first_update) {}

  void record(const BatchMetrics& batch, const BatchCounters& counters, const Expense& expense);
  void score(std::int64_t update, double value) { events_.scalar("eval/score", update, value); }

  void flush() { events_.flush(); }
  void sync() {  ///< to the disk
    metrics_.sync();
    events_.flush();
  }

 private:
  LineWriter metrics_;
  EventFile events_;
};

}  // namespace dis
