// Test pairs whose answers training saw under any name, and the scores without them.
//
// ARC-1's evaluation task 070dd51e, test 0, is its training task 40853293, test 0: such a pair is no test. The main
// scores keep it, for they are compared with published ones; the results say so and have the scores without it beside
// them ("unseen"). Tests of which training saw more than half say nothing and are refused, as those known by their
// names are (seen_tasks.h).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dis/data/arc/arc_task.h"
#include "dis/data/shared_pairs.h"
#include "dis/train/session.h"

namespace dis {

/// What a network was trained on, as far as it is known.
struct SeenPairs {
  TrainedPairs pairs;
  bool certain = true;  ///< false: it may have been
};
using SeenPairsPointer = std::shared_ptr<const SeenPairs>;

/// Of a run that `trained` configured: what its folder says; of runs before it was written down, the pairs of `session`
/// if its data are the run's own, else those of the run's data, if they are still there (a warning if not). Null where
/// nothing is known.
SeenPairsPointer seen_pairs_of_run(const std::filesystem::path& run, const RunConfig& trained, const Session* session);
/// Of weights from elsewhere: the session's training pairs, not certainly.
SeenPairsPointer seen_pairs_of_weights(const Session& session);

/// Puts one more warning behind those in `warnings`; "" adds nothing.
void add_warning(std::string& warnings, const std::string& more);

/// What an evaluation found of them among what it asked.
struct SeenCount {
  std::int64_t seen = 0, asked = 0;  ///< pairs with known answers
  std::string example = {};          ///< name of the first one seen
  void add(bool is_seen, const std::string& name);
  /// One line for people; "" if there are none.
  std::string finding(bool certain) const;
  /// The same with the name of the scores without them.
  std::string warning(bool certain) const;
};

/// Of all that data test.
SeenCount count_seen(const PairList& tested, const TrainedPairs& trained);

/// Tasks, split by whether training saw any of their test pairs.
struct SeenTaskSplit {
  SeenCount pairs;
  std::vector<std::string> seen;  ///< names of the tasks
  std::vector<ArcTask> unseen;    ///< all tasks, those seen without their answers: score_arc leaves them out
};
SeenTaskSplit split_seen(std::span<const ArcTask> tasks, const TrainedPairs& trained);

/// UserError if training saw an answer of more than half of the tasks, unless `forced`.
void refuse_mostly_seen(std::span<const ArcTask> tasks, const SeenPairs& seen, bool forced);

}  // namespace dis
