#include "dis/eval/seen_tasks.h"

#include <memory>
#include <set>

#include "dis/core/error.h"
#include "dis/data/arc_data.h"

namespace dis {
namespace {

using Names = std::set<std::string>;

std::function<bool(const std::string&)> member_of(Names names) {
  return [names = std::make_shared<const Names>(std::move(names))](const std::string& task) {
    return names->contains(task);
  };
}

}  // namespace

std::string warn_of_seen_tasks(const ArcPuzzles& evaluated, const std::function<bool(const std::string& task)>& trained,
                               bool forced) {
  std::int64_t tested = 0, seen = 0;
  std::string example;
  for (const auto& group : evaluated.groups()) {
    if (group.test_pairs.empty()) continue;
    ++tested;
    if (!trained(group.task.id)) continue;
    ++seen;
    if (example.empty()) example = group.task.id;
  }
  if (seen == 0) return "";
  const std::string what = "training saw the answers of " + std::to_string(seen) + " of the " + std::to_string(tested) +
                           " tasks in data.test_set = " + evaluated.settings().test_set + " (" + example + " for one)";
  if (!forced) {
    throw UserError(what +
                    ", so their score says nothing; evaluate on the test set that the network was trained for, or "
                    "force it with --set eval.allow_seen_tasks=true");
  }
  return what;
}

std::function<bool(const std::string& task)> tasks_trained_by(const DataConfig& trained) {
  Names names;
  for (const auto& subset : subset_names(trained)) {
    if (subset == trained.test_set) continue;
    for (const auto& task : read_arc_subset(data_path(trained), subset).tasks) names.insert(task.id);
  }
  return member_of(std::move(names));
}

std::function<bool(const std::string& task)> tasks_named_by(const std::vector<std::string>& identifiers,
                                                            const ArcPuzzles& evaluated) {
  Names theirs, ours;
  for (std::size_t i = 1; i < identifiers.size(); ++i) theirs.insert(parse_identifier(identifiers[i]).task);
  for (const auto& group : evaluated.groups()) ours.insert(group.task.id);
  return theirs == ours ? member_of({}) : member_of(std::move(theirs));
}

}  // namespace dis
