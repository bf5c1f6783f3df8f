// What a run folder says about the content of the data that the run trains on, beside their names:
//   content.json     {"format": 1, "content": {name: [hash of what is shown, hash of what is asked], ...}}, of
//   pair_keys.h's
//                    ContentHash: data that changed under the same names are noticed
//   seen_pairs.npy   int64 [pairs]: keys of the pairs (pair_keys.h) that were trained, by this run and by those whose
//                    weights it began with
// Runs that an earlier version began have neither file; they get them when they go on.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dis/data/shared_pairs.h"

namespace dis {

/// Writes content.json, or compares it with the data: UserError when what is trained has changed, a warning when what
/// is asked has.
void keep_content(const std::filesystem::path& run, const TrainingStream& data);

/// What changed since the run began, for a message: "task 070dd51e (test pairs) and 2 more"; "" if nothing did, or if
/// it is not known. Names that only one of the two has do not count.
std::string changed_content(const std::filesystem::path& run, const TrainingStream& data);

/// Writes seen_pairs.npy unless it is there: the data's pairs and `before`.
void keep_seen_pairs(const std::filesystem::path& run, const TrainingStream& data, const TrainedPairs& before);

/// The names in the run's seen_tasks.json: tasks whose answers were trained on, by this run or by those whose weights
/// it began with. None where the data set does not know.
std::optional<std::vector<std::string>> read_seen_tasks(const std::filesystem::path& run);

/// UserError: the file is damaged.
std::optional<TrainedPairs> read_seen_pairs(const std::filesystem::path& run);

}  // namespace dis
