#include "dis/eval/seen_pairs.h"

#include <utility>

#include "dis/core/error.h"
#include "dis/core/log.h"
#include "dis/data/open_data.h"
#include "dis/train/run_content.h"

namespace dis {
namespace {

TrainedPairs pairs_of(const TrainingStream& data) { return TrainedPairs(data.trained_pairs().keys); }

}  // namespace

SeenPairsPointer seen_pairs_of_run(const std::filesystem::path& run, const RunConfig& trained, const Session* session) {
  if (auto stored = read_seen_pairs(run)) return std::make_shared<const SeenPairs>(SeenPairs{std::move(*stored), true});
  if (session != nullptr && session->config.data == trained.data && session->config.run.seed == trained.run.seed) {
    return std::make_shared<const SeenPairs>(SeenPairs{pairs_of(*session->data), true});
  }
  try {
    return std::make_shared<const SeenPairs>(SeenPairs{pairs_of(*open_data(trained)), true});
  } catch (const UserError& error) {
    log_warn("run '" + run.string() +
             "' has no seen_pairs.npy (an earlier version began it) and its data are not there: " +
             "whether training saw the answers is not checked by content, only by name; " + error.what());
    return nullptr;
  }
}

SeenPairsPointer seen_pairs_of_weights(const Session& session) {
  return std::make_shared<const SeenPairs>(SeenPairs{pairs_of(*session.data), false});
}

void add_warning(std::string& warnings, const std::string& more) {
  warnings += (warnings.empty() || more.empty() ? "" : "; ") + more;
}

void SeenCount::add(bool is_seen, const std::string& name) {
  ++asked;
  if (is_seen && seen++ == 0) example = name;
}

std::string SeenCount::finding(bool certain) const {
  if (seen == 0) return "";
  return std::string(certain ? "training saw" : "training may have seen") + " the answers of " + std::to_string(seen) +
         " of the " + std::to_string(asked) + " test pairs, if under other names (" + example + " for one)";
}

std::string SeenCount::warning(bool certain) const {
  return seen == 0 ? "" : finding(certain) + "; the scores without them are those called unseen";
}

SeenCount count_seen(const PairList& tested, const TrainedPairs& trained) {
  SeenCount count;
  const auto marks = marks_of(tested, trained);
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (tested.keys[i] != kNoPair) count.add(marks[i], marks[i] ? tested.name(static_cast<std::int64_t>(i)) : "");
  }
  return count;
}

SeenTaskSplit split_seen(std::span<const ArcTask> tasks, const TrainedPairs& trained) {
  SeenTaskSplit split;
  for (const auto& task : tasks) {
    int test = 0;
    bool any = false;
    for (const auto& pair : task.pairs) {
      if (!pair.test) continue;
      const auto name = "task " + task.id + ", test " + std::to_string(test++);
      if (!pair.output) continue;
      const bool seen = trained.contains(arc_pair_key(pair.input, *pair.output));
      split.pairs.add(seen, name);
      any = any || seen;
    }
    auto& copy = split.unseen.emplace_back(task);
    if (!any) continue;
    split.seen.push_back(task.id);
    for (auto& pair : copy.pairs) {
      if (pair.test) pair.output.reset();
    }
  }
  return split;
}

void refuse_mostly_seen(std::span<const ArcTask> tasks, const SeenPairs& seen, bool forced) {
  const auto split = split_seen(tasks, seen.pairs);
  if (forced || 2 * split.seen.size() <= tasks.size()) return;
  throw UserError(std::string(seen.certain ? "training saw" : "training may have seen") + " the answers of " +
                  std::to_string(split.seen.size()) + " of the " + std::to_string(tasks.size()) +
                  " tasks, if under other names (" + split.pairs.example +
                  " for one), so a score on them says nothing; evaluate on other tasks, or force it with --set "
                  "eval.allow_seen_tasks=true");
}

}  // namespace dis
