// The fit of `dis predict` as a command begins it, goes on with it, and ends it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dis/data/arc/arc_task.h"
#include "dis/train/session.h"
#include "predict_time.h"

namespace dis {

struct PredictOptions {
  std::string run;
  std::string checkpoint = "latest";
  std::string weights;  ///< in place of a run, for puzzles other than ARC's; `preset` is then their configuration
  std::string input;
  std::string output;
  std::string preset;
  std::string fit;  ///< run folder of the fit
  std::string time_limit;
  std::string picture;  ///< of puzzles other than ARC's
  std::vector<std::string> set;
  std::vector<std::string> merge;
  std::int64_t chunks = 1;  ///< groups of tasks that are fitted one after the other
  std::int64_t chunk = -1;  ///< the one that is meant, 0..chunks-1; -1: all tasks in one fit
  std::string go_on;        ///< the command that goes on with the whole; empty: with this fit
  bool resume = false;
  bool json = false;

  /// Beside the submission, unless it is named.
  std::filesystem::path fit_run() const {
    if (!fit.empty()) return fit;
    const std::filesystem::path file = output;
    return file.parent_path() / (file.stem().string() + "_run");
  }
};

/// The tasks of options.input that are answered, or those of one chunk: of the tasks that the field of `max_grid` rows
/// and columns holds, every chunks-th. UserError: there is no such file, fewer tasks than chunks.
std::vector<ArcTask> asked_tasks(const PredictOptions& options, std::int64_t max_grid);

/// The fit that a command is about.
struct FitStart {
  RunConfig config;
  bool allow_seen = false;  ///< eval.allow_seen_tasks as it was asked for
  bool goes_on = false;     ///< as asked for, or because the launcher has started the ranks anew after a failure
};

/// The settings of the preset, then those of --set. UserError: one that the fit takes from `predict`.
std::vector<std::string> asked_settings(const PredictOptions& options);

/// UserError: training saw answers of these tasks, unless it is allowed to have. For chunks, before the first.
void refuse_seen_tasks(const PredictOptions& options, const FitStart& start, const std::vector<ArcTask>& tasks);

/// From the files alone; nothing is written. UserError: no such run, settings that do not go together or that the fit
/// takes from `predict`, a run folder that is there already.
FitStart fit_start(const PredictOptions& options);

/// Brings the tasks into the folder of a new fit, and trains: to its last update, or as far as `time` has room.
/// UserError as of train(), tasks whose answers the network saw; before the first update nothing is left behind.
void fit_to_tasks(const PredictOptions& options, const FitStart& start, const std::shared_ptr<const Ranks>& ranks,
                  const std::optional<TimeShare>& time);

}  // namespace dis
