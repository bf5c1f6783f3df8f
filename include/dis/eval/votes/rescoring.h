// Candidates of the ARC vote, seen by the network as a whole: how likely is this grid, asked under each augmentation?
//
// A vote says no more than which grid was the likeliest cell by cell. The network gives every other grid a probability,
// too: the mean of log p over the cells that training teaches, colours and end markers of the candidate's field as the
// puzzle shows it, and over the puzzles that vote.
#pragma once

#include <filesystem>
#include <limits>
#include <span>
#include <vector>

#include "dis/core/json.h"
#include "dis/eval/votes/arc_vote.h"
#include "dis/eval/votes/arc_voting.h"

namespace dis {

/// The first candidates of a test input, as votes rank them, and what is known of each.
struct RescoredTest {
  std::vector<Candidate> candidates;
  std::vector<double> log_p;       ///< mean log-probability of each; NaN: not asked for
  std::vector<double> same_shape;  ///< share of all votes that went to grids of its shape
};

/// The first `most` candidates of each test input, with log_p not asked for.
std::vector<RescoredTest> first_candidates(const VoteBook& book, std::int64_t most);

/// Asks for log_p wherever a test input has several candidates: every row of its puzzles goes through the network once
/// more, unless settings.deadline ends it: then log_p is over the rows so far. UserError, Stopped and CheckpointWanted
/// as of vote(); nothing is kept of it.
void rescore(const Session& session, const ArcData& data, const ArcElection& election, const VotingSettings& settings,
             std::vector<RescoredTest>& tests);

/// Puts candidates in the order of log_p, or of log(votes) + log_p; ties go to the votes.
void rank_candidates(VoteBook& book, std::span<const RescoredTest> tests, CandidateRank rank);

/// {"<task>": [{"votes", "candidates": [{"grid", "votes", "halting", "same_shape", "log_p"}, ...]}, ...one per test
/// input...], ...}; log_p is null where it was not asked for.
Json candidates_json(std::span<const ArcTask> tasks, const VoteBook& book, std::span<const RescoredTest> candidates);

}  // namespace dis
