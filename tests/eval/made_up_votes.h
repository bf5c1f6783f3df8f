// Made-up predictions for tests of the vote.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "dis/core/random.h"
#include "dis/data/arc/arc_puzzles.h"
#include "dis/eval/votes/arc_vote.h"

namespace dis {

inline Grid grid(const std::string& text) { return grid_from_text(text); }

/// Rows of predictions with the memory behind them.
struct MadeUpVotes {
  int side = kLargestGrid;
  std::vector<std::int64_t> tests;
  std::vector<Augmentation> augmentations;
  std::vector<std::uint8_t> tokens;
  std::vector<double> probabilities;
  std::vector<Grid> answers;  ///< what the predictions mean, without their augmentation

  /// Rows first .. last - 1; their number in the evaluation is that of the row.
  PredictionBatch batch(std::size_t first, std::size_t last) const {
    const auto length = static_cast<std::size_t>(side * side), rows = last - first;
    return {static_cast<std::int64_t>(first),
            side,
            std::span(tests).subspan(first, rows),
            std::span(augmentations).subspan(first, rows),
            std::span(tokens).subspan(first * length, rows * length),
            std::span(probabilities).subspan(first, rows)};
  }
  PredictionBatch all() const { return batch(0, tests.size()); }
};

/// Few different grids, so that they agree often; a tenth of the rows is padding (test input -1).
inline MadeUpVotes made_up_votes(std::size_t rows, std::int64_t tests, std::uint64_t seed) {
  MadeUpVotes votes;
  Draws draws(seed, Purpose::test, 1, 0);
  const auto length = static_cast<std::size_t>(votes.side * votes.side);
  votes.tokens.resize(rows * length);
  for (std::size_t row = 0; row < rows; ++row) {
    const bool padding = draws.below(10) == 0;
    votes.tests.push_back(padding ? -1 : static_cast<std::int64_t>(draws.below(static_cast<std::uint32_t>(tests))));
    Augmentation augmentation;
    augmentation.tid = static_cast<int>(draws.below(kSymmetries));
    draws.shuffle(std::span(augmentation.colours).subspan(1));
    Grid grid;
    if (draws.below(8) > 0) {
      grid.rows = draws.below(4) == 0 ? 30 : 1 + static_cast<int>(draws.below(3));
      grid.columns = 1 + static_cast<int>(draws.below(3));
      grid.cells.assign(static_cast<std::size_t>(grid.rows * grid.columns), 0);
      grid.cells.back() = static_cast<std::uint8_t>(draws.below(3));
    }
    write_field(grid, augmentation, {}, votes.side, std::uint8_t{0},
                std::span(votes.tokens).subspan(row * length, length));
    votes.augmentations.push_back(augmentation);
    votes.probabilities.push_back(halting_probability(static_cast<float>(draws.normal())));
    votes.answers.push_back(std::move(grid));
  }
  return votes;
}

/// Equal to the last bit.
inline void expect_same(const std::vector<Candidate>& a, const std::vector<Candidate>& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].grid, b[i].grid) << what << ", candidate " << i;
    EXPECT_EQ(a[i].votes, b[i].votes) << what << ", candidate " << i;
    EXPECT_EQ(a[i].mean_probability, b[i].mean_probability) << what << ", candidate " << i;
  }
}

inline void expect_same(const VoteBook& a, const VoteBook& b) {
  ASSERT_EQ(a.tests(), b.tests());
  EXPECT_EQ(a.votes(), b.votes());
  EXPECT_EQ(a.distinct(), b.distinct());
  for (std::int64_t test = 0; test < a.tests(); ++test) {
    expect_same(a.ranking(test), b.ranking(test), "test input " + std::to_string(test));
    for (std::uint64_t draw = 0; draw < 3; ++draw) {
      expect_same(a.ranking(test, VoteSubset{5, 1, draw}), b.ranking(test, VoteSubset{5, 1, draw}), "5 votes");
    }
  }
}

}  // namespace dis
