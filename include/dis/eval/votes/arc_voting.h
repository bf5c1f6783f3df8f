// The network votes: every chosen puzzle of a task answers the task's test inputs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "dis/data/arc/arc_data.h"
#include "dis/eval/votes/arc_vote.h"
#include "dis/train/session.h"

namespace dis {

/// The tasks of an evaluation, and what goes through the network for them.
struct ArcElection {
  std::vector<std::int64_t> groups;  ///< of ArcPuzzles, ascending
  std::vector<ArcTask> tasks;        ///< of those groups
  std::vector<ArcTestRow> rows;      ///< puzzle after puzzle, each with all test inputs of its task
  std::vector<std::int64_t> tests;   ///< [rows] number of the test input, counted through all tasks
  std::int64_t test_inputs = 0;
};

/// `tasks` of the tasks with test pairs, a sample that `seed` fixes (0: all), and of each the first `votes` puzzles
/// (0: all), the base puzzle first. UserError when there is no task with test pairs.
ArcElection plan_election(const ArcPuzzles& puzzles, std::int64_t tasks, std::int64_t votes, std::uint64_t seed);
/// The rows of all tasks' first puzzles first, then those of their second ones, and so on: whenever a vote ends, all
/// tasks have had about as many.
void vote_evenly(ArcElection& election, const ArcPuzzles& puzzles);
/// The same as plan_election() for the given groups, which must have test pairs.
ArcElection election_of(const ArcPuzzles& puzzles, std::vector<std::int64_t> groups, std::int64_t votes);

struct VotingSettings {
  EvalConfig eval;                  ///< how the network is asked
  std::filesystem::path file = {};  ///< keeps the votes, so that voting can go on (vote_file.h); empty: none
  std::string fingerprint = {};     ///< of the file
  bool interruptible = false;       ///< a signal to stop ends it (Stopped), once the votes are on the disk
  bool within_training = false;     ///< so does one that asks for a checkpoint (CheckpointWanted)
  double deadline = 0.0;            ///< steady_seconds() after which it ends with the votes so far; 0: none
  std::function<void(const VoteBook&)> partial = {};  ///< on rank 0, now and then, with the votes so far
};

/// Runs all supervision steps on every row, and counts the answers.
VoteBook vote(const Session& session, const ArcData& data, const ArcElection& election, const VotingSettings& settings);

}  // namespace dis
