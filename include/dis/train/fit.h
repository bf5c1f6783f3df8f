// A trained network fitted to the demonstrations of tasks that it never saw.
//
// A network knows a task by its puzzle embedding, and a new task has none. So the puzzles of the new tasks get rows of
// their own, which start at the mean of the trained ones, and are fitted by a training run like any other: its data are
// the tasks, whose test pairs are kept for evaluation, it begins with the trained weights, and its settings are those
// of the trained run with `predict` in the places that fields.def names. It lies in a run folder, with the tasks beside
// it, and is stopped, resumed, shared over ranks and evaluated as one.
#pragma once

#include <filesystem>
#include <vector>

#include "dis/config/config.h"
#include "dis/data/arc/arc_task.h"

namespace dis {

/// Of the run in the folder `run`, which begins with `weights`. UserError: a network for other data than ARC; settings
/// that do not go together.
RunConfig fit_config(const RunConfig& trained, const std::filesystem::path& weights, const std::filesystem::path& run);

/// Writes the tasks that have test inputs where fit_config() has the run look for them. UserError: none has a test
/// input, every one has a grid larger than data.max_grid, or something is in the folder that a new run would spoil.
void write_fit_tasks(const std::filesystem::path& run, const RunConfig& fit, const std::vector<ArcTask>& tasks);

/// Whether these are the tasks that write_fit_tasks() wrote there.
bool same_fit_tasks(const std::filesystem::path& run, const std::vector<ArcTask>& tasks);

/// The field of `predict` that the fit takes this field from; empty: it takes it from the trained run.
std::string fit_setting(const std::string& field);

/// Where the tasks of the fit in this folder are, its data.path.
std::filesystem::path fit_tasks(const std::filesystem::path& run);

/// Whether a run folder holds such a run.
bool is_fit(const std::filesystem::path& run);

}  // namespace dis
