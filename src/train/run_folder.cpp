#include "run_folder.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <set>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/json.h"
#include "dis/data/identifiers.h"
#include "dis/train/checkpoint.h"
#include "dis/train/run_content.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

/// Whether a folder holds at most what a start that was broken off leaves there before config.json.
bool only_begun(const fs::path& run) {
  const std::vector<std::string> begun{".lock", "identifiers.json", "content.json",
                                       "tasks"};  // the last: dis predict's
  return fs::is_directory(run) &&
         std::ranges::all_of(fs::directory_iterator(run), [&](const fs::directory_entry& entry) {
           const auto& file = entry.path();
           return std::ranges::find(begun, file.filename().string()) != begun.end() || file.extension() == ".partial";
         });
}

/// Writes the run's list, or checks that the data still have the puzzles that the run began with.
void keep_identifiers(const fs::path& file, const TrainingStream& data) {
  if (!fs::exists(file)) {
    write_identifiers(file, data);
  } else if (!same_identifiers(file, data)) {
    throw UserError("the data's puzzles are not those that the run began with, which '" + file.string() +
                    "' lists; the files in data.path must have changed: bring the old ones back, or begin a new run");
  }
}

/// The tasks behind the weights that the run begins with (`before`) count, too.
void keep_seen_tasks(const fs::path& file, const TrainingStream& data, const std::vector<std::string>& before) {
  const auto answered = data.answered_tasks();
  if (fs::exists(file) || !answered) return;
  std::set<std::string> tasks(answered->begin(), answered->end());
  tasks.insert(before.begin(), before.end());
  write_json(file, Json(tasks), -1);
}

}  // namespace

RunFolder::RunFolder(fs::path path, bool resume) : path_(std::move(path)), resume_(resume) {
  if (resume || !fs::exists(path_) || only_begun(path_)) return;
  throw UserError("run folder '" + path_.string() +
                  "' exists already: go on with --resume, or name another folder with --run-dir");
}

void RunFolder::enter(bool evaluates) {
  ensure_folder(path_);
  lock_.emplace(path_ / ".lock", O_CREAT | O_RDWR, "open");
  if (::flock(lock_->get(), LOCK_EX | LOCK_NB) != 0) {
    throw UserError("run folder '" + path_.string() + "' is in use by another process; wait for it or stop it");
  }
  try_folder(path_ / "checkpoints");
  if (evaluates) try_folder(path_ / "eval");
}

void RunFolder::keep_data(const TrainingStream& data) const {
  if (!resume_) {  // of a start that was broken off
    fs::remove(path_ / "identifiers.json");
    fs::remove(path_ / "content.json");
  }
  keep_identifiers(path_ / "identifiers.json", data);
  keep_content(path_, data);
}

void RunFolder::settle(const RunConfig& config, const TrainingStream& data, const std::vector<std::string>& tasks,
                       const TrainedPairs& pairs, std::int64_t batches) const {
  // Only now: a damaged checkpoint is left as it is, with all that lies around it.
  tidy_checkpoints(path_);
  remove_partial_files(path_);
  write_json(path_ / "config.json", to_json(config));
  keep_seen_tasks(path_ / "seen_tasks.json", data, tasks);
  keep_seen_pairs(path_, data, pairs);
  keep_metrics(batches);
}

void RunFolder::keep_metrics(std::int64_t batches) const {
  truncate_lines(path_ / "metrics.jsonl", [&](std::string_view line) {
    const auto record = try_parse_json(line);
    return record.is_object() && record.value("batch", batches + 1) <= batches;
  });
}

}  // namespace dis
