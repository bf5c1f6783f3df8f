// Checkpoints of a run: <run>/checkpoints/<update>/{model,ema,trainer}.safetensors and state.json.
//
// A checkpoint is written under a temporary name and renamed when it is whole; then the link `latest` moves to it; then
// old ones go. So `latest` always leads to a whole checkpoint, whenever the program is killed.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "dis/core/json.h"
#include "dis/model/backbone.h"
#include "dis/model/weights_file.h"
#include "dis/train/optimiser.h"

namespace dis {

/// Where a run stands.
struct RunState {
  std::int64_t updates = 0;  ///< optimiser updates
  std::int64_t batches = 0;  ///< N_sup ticks each
  std::int64_t samples = 0;
  double seconds = 0.0;         ///< spent training, over all sittings
  double device_seconds = 0.0;  ///< the same times the ranks that trained
  std::optional<double> best_score;
  std::int64_t best_update = 0;
  bool evaluation_due = false;  ///< the evaluation after this update is missing: a signal ended it
  /// Of the checkpoint since it was written (train.on_non_finite): then the batches up to `batches` were left out, and
  /// the lanes begin anew.
  std::int64_t rollbacks = 0;
};

/// Saves and makes it the latest; keeps `keep_last` checkpoints and the best one. UserError: disk full, no permission.
void save_checkpoint(const std::filesystem::path& run, const RunState& state, const Backbone& model,
                     const Optimiser& optimiser, const NamedTensors& lanes, std::int64_t keep_last);

/// Replaces all but the tensors of the checkpoint of this update; keeps others as save_checkpoint() does.
void update_checkpoint(const std::filesystem::path& run, const RunState& state, std::int64_t keep_last);

/// Folder of the latest checkpoint, if the run has one; the newest when the link is gone; where the folder travelled
/// and a copy of the checkpoint or a text stands in the link's place, the one that is meant. UserError: the link leads
/// nowhere.
std::optional<std::filesystem::path> latest_checkpoint(const std::filesystem::path& run);

/// Folder of the checkpoint of `update`: its number, "latest" or "best". UserError that lists the ones there are.
std::filesystem::path find_checkpoint(const std::filesystem::path& run, const std::string& update);

/// The file of a checkpoint that stands for the trained network wherever it is scored, answers, or leaves the run.
struct ScoredWeights {
  std::filesystem::path file;
  bool averaged = false;
  /// "moving average" or "last", as results name them.
  const char* name() const { return averaged ? "moving average" : "last"; }
};
/// Whether a run's scores are those of the moving average: it keeps one, and eval.ema is on.
bool scores_average(const RunConfig& config);
/// The moving average if `prefer_average` (eval.ema) and the checkpoint has one, else the last weights.
ScoredWeights scored_weights(const std::filesystem::path& checkpoint, bool prefer_average);

/// The one list of a state's fields, for files and between ranks.
Json to_json(const RunState& state);
/// From such JSON, which comes from `where`. UserError: damaged, or of another version of this program.
RunState run_state_from(const Json& json, const std::string& where);
/// A checkpoint's state.json.
RunState read_state(const std::filesystem::path& file);

/// Reads everything back. `lanes` receives the tensors named "lanes.*". UserError: a truncated or foreign file, a
/// missing tensor, a wrong shape.
RunState load_checkpoint(const std::filesystem::path& folder, Backbone& model, Optimiser& optimiser,
                         NamedTensors& lanes);

/// Removes what a killed program left: half-written checkpoints, and whole ones newer than `latest`. Makes links again
/// of `latest` and `best` where they travelled as copies.
void tidy_checkpoints(const std::filesystem::path& run);

}  // namespace dis
