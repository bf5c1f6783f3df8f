// The ARC vote: the predictions for all augmentations of a test input vote for its answer.
//
// Candidates rank by their number of votes, then by the mean halting probability of the predictions that voted for
// them (means that differ by less than 1e-12 are equal: the same numbers summed in another order), then by which was
// predicted first; or as somebody else orders them (put_first(), rescoring.h). "First" and the order in which
// probabilities are summed are those in which the votes were added, so the same votes in the same order give the same
// ranking, bit for bit. The empty grid is a candidate like any other.
//
// A book belongs to one evaluation: the next one begins a new book, so no vote is counted twice. Distinct grids are
// kept once, packed, and of a prediction no more than whom it voted for and its probability.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dis/data/arc/arc_task.h"
#include "dis/data/pictures/grid.h"
#include "dis/eval/votes/ballots.h"

namespace dis {

/// The test inputs of tasks, numbered through: task after task, in the order of their test pairs.
struct TestInput {
  std::size_t task = 0;  ///< index
  int test = 0;          ///< number within its task
  const ArcPair* pair = nullptr;
};
std::vector<TestInput> test_inputs(std::span<const ArcTask> tasks);

/// The sigmoid.
double halting_probability(double logit);

struct Candidate {
  Grid grid;
  std::int64_t votes = 0;
  double mean_probability = 0.0;
};

/// A random subset of a test input's predictions, drawn as a function of (seed, draw, test input). Subsets of the same
/// draw contain one another. All predictions where there are no more than `votes`.
struct VoteSubset {
  std::int64_t votes = 0;
  std::uint64_t seed = 0;
  std::uint64_t draw = 0;
};

class VoteBook {
 public:
  /// For test inputs 0 .. tests - 1.
  explicit VoteBook(std::int64_t tests);
  ~VoteBook();
  VoteBook(VoteBook&& other) noexcept;
  VoteBook& operator=(VoteBook&& other) noexcept;

  void add(std::int64_t test, const Grid& answer, double probability);
  void add(const Ballots& ballots);
  /// Crops, undoes and adds; several threads, but the result does not depend on them.
  void add(const PredictionBatch& batch, int threads);

  /// These candidates come first in the rankings of all predictions, in this order; the others stay behind them.
  void put_first(std::int64_t test, std::span<const Grid> order);

  std::int64_t tests() const;
  std::int64_t votes() const;     ///< for all test inputs
  std::int64_t distinct() const;  ///< candidates of all test inputs
  std::int64_t votes(std::int64_t test) const;
  std::int64_t distinct(std::int64_t test) const;

  /// The candidates of a test input, best first; `most` of them, or all.
  std::vector<Candidate> ranking(std::int64_t test, std::optional<std::int64_t> most = {}) const;
  /// The ranking, had there been only the predictions of the subset.
  std::vector<Candidate> ranking(std::int64_t test, const VoteSubset& subset) const;

  /// Votes for `answer`; 0 when it is no candidate.
  std::int64_t votes_for(std::int64_t test, const Grid& answer) const;
  /// Place of `answer` in ranking(test), from 1; none when it is no candidate.
  std::optional<std::int64_t> rank(std::int64_t test, const Grid& answer) const;
  /// Places of `answer` in the rankings of the subsets of votes[0], votes[1], ... predictions.
  std::vector<std::optional<std::int64_t>> ranks(std::int64_t test, const Grid& answer,
                                                 std::span<const std::int64_t> votes, std::uint64_t seed,
                                                 std::uint64_t draw) const;

 private:
  struct Book;
  class Shelf;
  const Book& book(std::int64_t test) const;

  std::unique_ptr<Shelf> shelf_;
  Ballots batch_;
};

}  // namespace dis
