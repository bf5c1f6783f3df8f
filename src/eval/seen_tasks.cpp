#include "dis/eval/seen_tasks.h"

#include <algorithm>
#include <memory>
#include <set>

#include "dis/core/error.h"
#include "dis/data/identifiers.h"
#include "dis/train/run_content.h"

namespace dis {
namespace {

using Names = std::set<std::string>;

SeenTasks those(Names names, bool certain) {
  return {[kept = std::make_shared<const Names>(std::move(names))](const std::string& task) {
            return kept->contains(task);
          },
          certain};
}

}  // namespace

std::string warn_of_seen_tasks(const std::vector<std::string>& tasks, const SeenTasks& seen, bool forced) {
  std::int64_t count = 0;
  std::string example;
  for (const auto& task : tasks) {
    if (!seen.contains(task)) continue;
    ++count;
    if (example.empty()) example = task;
  }
  if (count == 0) return "";
  const std::string what = std::string(seen.certain ? "training saw" : "training may have seen") + " the answers of " +
                           std::to_string(count) + " of the " + std::to_string(tasks.size()) + " tasks (" + example +
                           " for one)";
  if (!forced) {
    throw UserError(what + ", so a score on them says nothing; evaluate on the test set that the network was trained " +
                    "for, or force it with --set eval.allow_seen_tasks=true");
  }
  return what;
}

std::vector<std::string> tested_tasks(const ArcPuzzles& puzzles) {
  std::vector<std::string> tasks;
  for (const auto& group : puzzles.groups()) {
    const bool known = std::ranges::all_of(group.test_pairs, [&](int pair) {
      return group.task.pairs[static_cast<std::size_t>(pair)].output.has_value();
    });
    if (!group.test_pairs.empty() && known) tasks.push_back(group.task.id);
  }
  return tasks;
}

SeenTasks seen_by_run(const std::filesystem::path& run, const ArcPuzzles& evaluated) {
  if (const auto tasks = read_seen_tasks(run)) return those({tasks->begin(), tasks->end()}, true);
  return seen_by_names(read_identifiers(run / "identifiers.json"), evaluated);
}

SeenTasks seen_by_names(const std::vector<std::string>& identifiers, const ArcPuzzles& evaluated) {
  Names theirs, ours;
  for (std::size_t i = 1; i < identifiers.size(); ++i) theirs.insert(parse_identifier(identifiers[i]).task);
  for (const auto& group : evaluated.groups()) ours.insert(group.task.id);
  if (theirs == ours) theirs.clear();
  for (const auto& task : Names(theirs)) theirs.insert(source_task(task));
  return those(std::move(theirs), false);
}

}  // namespace dis
