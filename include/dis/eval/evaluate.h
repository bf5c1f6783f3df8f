// Evaluation of a trained network on what its data set keeps for tests: boards, ARC tasks, or examples of arrays.
//
// Results go to <folder>/<name><variant>.json, with a hash of the settings behind it where a file of that name holds
// results under others: run, checkpoint, weights, dtype, "settings" that are not the network's own, "settings_hash",
// "guidance" and "halting" where the readout is not the plain one, "mean_steps" that a row (ARC: a base puzzle) made
// where it is not all of them, and what the kind of data has to say
//   nqueens         "test_sets": {test set: {"meaning", decoder: score (queens_score.h), "per_supervision_step"}}
//   arc             "arc": scores of the votes (arc_score.h), "per_supervision_step"; beside it <name>_tasks.csv,
//                   <name>_submission.json and <name>_candidates.json (rescoring.h)
// with eval.rollouts above 1: "rollouts": {"rollouts", "steps", "passes_per_row", "seconds", and as of RolloutTally},
//                   in a decoder's scores or beside "examples", which are then those of the chosen answers
//   the others      "examples": the measures of the data set (dataset.h), "per_supervision_step"
// and where training saw answers, "warning" and the scores without them: "unseen" in a decoder's scores, in "arc"
// ("tasks", "left_out", "pass_at"), or beside "examples".
#pragma once

#include <filesystem>
#include <string>

#include "dis/config/config.h"
#include "dis/core/json.h"
#include "dis/eval/rows/decode.h"
#include "dis/eval/seen_pairs.h"
#include "dis/eval/variant.h"
#include "dis/train/session.h"

namespace dis {

/// Which weights the session's network has, and where the results go.
struct EvaluationTarget {
  std::filesystem::path folder;  ///< made if it is missing
  std::string name;              ///< of the files, as "2700"
  std::string run;               ///< named in the results
  std::string weights;           ///< "last", "moving average", or a file
  bool interruptible = false;    ///< a signal to stop ends an ARC vote (Stopped); its votes are kept, and used again
  std::string seen_tasks = {};   ///< why the scores are not to be trusted, if training saw the answers
  SeenPairsPointer seen_pairs = {};  ///< what the network was trained on, if it is known (seen_pairs.h)
  ResultVariant variant = {};        ///< of the files' names, so that they do not replace those of the own settings
  /// By `dis train`: a quick one, which an evaluation by itself may replace; and a signal that asks for a checkpoint
  /// ends an ARC vote, too (CheckpointWanted).
  bool while_training = false;
  double deadline = 0.0;  ///< of an ARC vote (arc_voting.h), which then goes evenly over the tasks; 0: none
  std::filesystem::path partial = {};  ///< the submission of an ARC vote so far is written here now and then
};

struct Evaluation {
  Json json;                         ///< the file's content
  std::filesystem::path file;        ///< where it is
  std::string report;                ///< tables for a terminal
  std::string summary;               ///< one line
  double score = 0.0;                ///< what training watches; higher is better
  std::filesystem::path kept_votes;  ///< of an ARC evaluation; removed once all is written
  SeenCount seen;                    ///< of target.seen_pairs
};

/// Evaluates the session's network as `eval` says, and writes the files. `score` is: nqueens, valid completions of the
/// first decoder on the first test set; arc, pass@2; the others, the first measure of the data set.
Evaluation evaluate(const Session& session, const EvalConfig& eval, const EvaluationTarget& target);

/// What every result begins with: {"run", "checkpoint", "weights", "dtype", "settings" (if there are any),
/// "settings_hash"}
Json result_head(const Session& session, const EvalConfig& eval, const EvaluationTarget& target);

/// Rows that go through the network in one evaluation (once each; the decoder `commit` has them go several times).
std::int64_t evaluation_rows(const Session& session, const EvalConfig& eval);

/// D: supervision steps that an evaluation makes.
std::int64_t evaluated_steps(const Session& session, const EvalConfig& eval);

/// How the session's network is asked when it is evaluated.
DecodeSettings decode_settings(const Session& session, const EvalConfig& eval);

}  // namespace dis
