// The folder of a run as training finds and keeps it, beside checkpoints (checkpoint.h): .lock, config.json,
// identifiers.json, seen_tasks.json, content.json and seen_pairs.npy (run_content.h), metrics.jsonl. Rank 0's alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dis/config/config.h"
#include "dis/core/files.h"
#include "dis/data/dataset.h"
#include "dis/data/shared_pairs.h"

namespace dis {

class RunFolder {
 public:
  /// Touches nothing. UserError: something is there that a new run would spoil.
  RunFolder(std::filesystem::path path, bool resume);

  /// Makes it where it is not there, keeps a second process out for as long as this object lives, and tries whether
  /// checkpoints (and results of evaluations, if `evaluates`) can be written. UserError: in use, no right, no room.
  void enter(bool evaluates);

  /// Writes what names the data and their content, or compares. UserError: the data are not those that the run began
  /// with.
  void keep_data(const TrainingStream& data) const;

  /// Once all is read: puts checkpoints in order, and writes the configuration and what training sees, also `tasks` and
  /// `pairs` that the initial weights saw. Metrics are those of the first `batches` batches then.
  void settle(const RunConfig& config, const TrainingStream& data, const std::vector<std::string>& tasks,
              const TrainedPairs& pairs, std::int64_t batches) const;

  /// Drops the records of later batches.
  void keep_metrics(std::int64_t batches) const;

 private:
  std::filesystem::path path_;
  bool resume_;
  std::optional<Descriptor> lock_;
};

}  // namespace dis
