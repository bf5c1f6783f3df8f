// What a run folder holds, as far as a report shows it. Only files are read: no network, no data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dis/config/config.h"
#include "dis/core/json.h"

namespace dis {

/// Records of metrics.jsonl, brought together in pieces of the run; one value a piece, NaN where there is none.
struct TrainingCurves {
  std::vector<double> updates, samples;                            ///< at the end of each piece
  std::vector<double> loss, exact, lr, samples_per_s;              ///< means
  std::vector<double> tflops_per_s, peak_share, peak_memory_mb;    ///< means; none of runs before they were recorded
  std::vector<std::vector<double>> loss_per_step, exact_per_step;  ///< [N]
};

struct RunData {
  std::string path;  ///< as it was given
  std::string name;  ///< the folder's
  RunConfig config;
  TrainingCurves curves;
  std::int64_t updates = 0;  ///< of the last record
  std::int64_t samples = 0;
  double seconds = 0.0;           ///< spent training
  bool finished = false;          ///< all updates are made, and what follows them (evaluation, last checkpoint) is done
  std::vector<Json> evaluations;  ///< eval/<update>.json, ascending
  std::vector<Json> variants;     ///< with other settings, eval/<update>-*.json: the newest of each, by their names
  std::optional<Json> analysis;   ///< of the newest checkpoint that has one: analysis/<update>.json, else a variant's
};

/// Pieces that a run's curves are cut into.
inline constexpr std::int64_t kCurvePieces = 100;

/// Reads several; runs in folders of the same name are named with as much of their paths as tells them apart.
std::vector<RunData> read_runs(const std::vector<std::string>& runs);

/// Reads a run folder. Missing parts stay empty; a line that is being written is left out. UserError: no such folder,
/// not a run, a file that is no JSON.
RunData read_run(const std::filesystem::path& run);

}  // namespace dis
