#include "dis/eval/votes/arc_vote.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "made_up_votes.h"

namespace dis {
namespace {

std::string order(const std::vector<Candidate>& ranking) {
  std::string text;
  for (const Candidate& candidate : ranking) {
    text += to_text(candidate.grid) + ":" + std::to_string(candidate.votes) + " ";
  }
  return text;
}

/// The ranking by its definition.
std::vector<Candidate> slow_ranking(const MadeUpVotes& votes, std::int64_t test) {
  std::vector<Candidate> candidates;  // mean_probability holds the sum at first
  for (std::size_t row = 0; row < votes.tests.size(); ++row) {
    if (votes.tests[row] != test) continue;
    auto found = std::ranges::find(candidates, votes.answers[row], &Candidate::grid);
    if (found == candidates.end()) found = candidates.insert(found, {votes.answers[row], 0, 0.0});
    ++found->votes;
    found->mean_probability += votes.probabilities[row];
  }
  for (Candidate& candidate : candidates) candidate.mean_probability /= static_cast<double>(candidate.votes);
  std::ranges::stable_sort(candidates, [](const Candidate& a, const Candidate& b) {
    if (a.votes != b.votes) return a.votes > b.votes;
    return a.mean_probability > b.mean_probability + 1e-12;
  });
  return candidates;
}

TEST(PackedGrid, RoundTrip) {
  Draws draws(0, Purpose::test, 2, 0);
  for (int trial = 0; trial < 500; ++trial) {
    Grid original{static_cast<int>(draws.below(31)), static_cast<int>(draws.below(31)), {}};
    if (original.rows * original.columns == 0) original = {};
    for (int i = 0; i < original.rows * original.columns; ++i) {
      original.cells.push_back(static_cast<std::uint8_t>(draws.below(10)));
    }
    const auto packed = pack_grid(original);
    EXPECT_EQ(packed.size(), packed_size(original.rows, original.columns));
    EXPECT_EQ(unpack_grid(packed), original);
  }
  EXPECT_THROW(pack_grid(Grid{31, 1, std::vector<std::uint8_t>(31)}), std::logic_error);
}

TEST(PackedGrid, HashesDiffer) {
  std::set<std::uint64_t> hashes;
  std::size_t grids = 0;
  for (int rows = 1; rows <= 30; ++rows) {
    for (int columns = 1; columns <= 30; ++columns) {
      Grid blank{rows, columns, std::vector<std::uint8_t>(static_cast<std::size_t>(rows * columns))};
      hashes.insert(hash_of(pack_grid(blank)));
      blank.cells.back() = 1;
      hashes.insert(hash_of(pack_grid(blank)));
      grids += 2;
    }
  }
  EXPECT_EQ(hashes.size(), grids);
}

TEST(Vote, CountThenMeanThenFirst) {
  VoteBook book(1);
  for (const auto& [text, probability] :
       {std::pair{"1", 0.9}, {"2", 0.1}, {"2", 0.1}, {"3", 0.2}, {"4", 0.9}, {"5", 0.95}, {"6", 0.5}, {"6", 0.3}}) {
    book.add(0, grid(text), probability);
  }
  EXPECT_EQ(order(book.ranking(0)), "6:2 2:2 5:1 1:1 4:1 3:1 ");
  EXPECT_EQ(order(book.ranking(0, 2)), "6:2 2:2 ");
  EXPECT_EQ(order(book.ranking(0, 99)), order(book.ranking(0)));
  EXPECT_EQ(book.ranking(0, 0).size(), 0U);
  EXPECT_DOUBLE_EQ(book.ranking(0)[0].mean_probability, 0.4);
  EXPECT_EQ(book.rank(0, grid("6")), 1);
  EXPECT_EQ(book.rank(0, grid("4")), 5);
  EXPECT_EQ(book.rank(0, grid("7")), std::nullopt);
  EXPECT_EQ(book.votes_for(0, grid("2")), 2);
  EXPECT_EQ(book.votes_for(0, grid("7")), 0);
  EXPECT_EQ(book.votes(0), 8);
  EXPECT_EQ(book.distinct(0), 6);
}

TEST(Vote, TheSameProbabilitiesInAnotherOrderAreATie) {
  ASSERT_NE((0.1 + 0.2) + 0.3, (0.3 + 0.2) + 0.1);
  VoteBook book(2);
  for (const double p : {0.3, 0.2, 0.1}) book.add(0, grid("1"), p);
  for (const double p : {0.1, 0.2, 0.3}) book.add(0, grid("2"), p);
  EXPECT_EQ(order(book.ranking(0)), "1:3 2:3 ");
  for (const double p : {0.1, 0.2, 0.3}) book.add(1, grid("2"), p);
  for (const double p : {0.3, 0.2, 0.1}) book.add(1, grid("1"), p);
  EXPECT_EQ(order(book.ranking(1)), "2:3 1:3 ");
}

TEST(Vote, ShapesAndTheEmptyGridAreCandidatesOfTheirOwn) {
  VoteBook book(1);
  for (const char* text : {"00", "0/0", "", "00", "000"}) book.add(0, grid(text), 0.5);
  EXPECT_EQ(order(book.ranking(0)), "00:2 0/0:1 :1 000:1 ");
  EXPECT_EQ(book.rank(0, Grid{}), 3);
}

TEST(Vote, AProbabilityThatIsNoNumberCountsAsNone) {
  VoteBook book(1);
  book.add(0, grid("1"), std::numeric_limits<double>::quiet_NaN());
  book.add(0, grid("2"), 0.1);
  EXPECT_EQ(order(book.ranking(0)), "2:1 1:1 ");
  EXPECT_EQ(book.ranking(0)[1].mean_probability, 0.0);
}

TEST(Vote, SigmoidOfExtremes) {
  EXPECT_EQ(halting_probability(0.0), 0.5);
  EXPECT_EQ(halting_probability(1e4), 1.0);
  EXPECT_EQ(halting_probability(-1e4), 0.0);
  EXPECT_DOUBLE_EQ(halting_probability(2.0), 1.0 / (1.0 + std::exp(-2.0)));
}

TEST(Vote, TestInputsAreKeptApart) {
  VoteBook book(3);
  book.add(0, grid("1"), 0.5);
  book.add(2, grid("1"), 0.5);
  book.add(2, grid("2"), 0.6);
  EXPECT_EQ(order(book.ranking(0)), "1:1 ");
  EXPECT_EQ(order(book.ranking(1)), "");
  EXPECT_EQ(order(book.ranking(2)), "2:1 1:1 ");
  EXPECT_EQ(book.rank(1, grid("1")), std::nullopt);
  EXPECT_EQ(book.votes(), 3);
  EXPECT_EQ(book.distinct(), 3);
  EXPECT_THROW(book.add(3, grid("1"), 0.5), std::logic_error);
  EXPECT_THROW(book.ranking(-1), std::logic_error);
}

TEST(Vote, BatchesEqualTheDefinition) {
  const auto votes = made_up_votes(6000, 4, 0);
  VoteBook book(4);
  book.add(votes.all(), 1);
  EXPECT_EQ(book.votes(), 6000 - std::ranges::count(votes.tests, -1));
  for (std::int64_t test = 0; test < 4; ++test) {
    const auto ranking = book.ranking(test);
    expect_same(ranking, slow_ranking(votes, test), "test input " + std::to_string(test));
    EXPECT_GT(ranking.size(), 20U);
    for (std::size_t i = 0; i < ranking.size(); ++i) {
      EXPECT_EQ(book.rank(test, ranking[i].grid), static_cast<std::int64_t>(i) + 1);
      EXPECT_EQ(book.votes_for(test, ranking[i].grid), ranking[i].votes);
    }
  }
}

TEST(Vote, ThreadsAndBatchesDoNotMatter) {
  const auto votes = made_up_votes(5000, 5, 1);
  VoteBook whole(5);
  whole.add(votes.all(), 1);
  for (const int threads : {2, 3, 8}) {
    VoteBook book(5);
    book.add(votes.all(), threads);
    expect_same(book, whole);
  }
  VoteBook pieces(5);
  for (std::size_t first = 0; first < 5000; first += 700)
    pieces.add(votes.batch(first, std::min(first + 700, std::size_t{5000})), 2);
  expect_same(pieces, whole);
  VoteBook single(5);
  for (std::size_t row = 0; row < 5000; ++row) {
    if (votes.tests[row] >= 0) single.add(votes.tests[row], votes.answers[row], votes.probabilities[row]);
  }
  expect_same(single, whole);
}

TEST(Vote, ABatchWithMissingPartsIsRefused) {
  const auto votes = made_up_votes(10, 2, 2);
  VoteBook book(2);
  auto batch = votes.all();
  batch.tokens = batch.tokens.first(batch.tokens.size() - 1);
  EXPECT_THROW(book.add(batch, 1), std::logic_error);
  batch = votes.all();
  batch.probabilities = {};
  EXPECT_THROW(book.add(batch, 1), std::logic_error);
  EXPECT_EQ(book.votes(), 0);
}

TEST(VoteSubsets, HaveTheAskedSizeAndContainOneAnother) {
  VoteBook book(1);
  for (int i = 0; i < 50; ++i)
    book.add(0, Grid{1, 2, {static_cast<std::uint8_t>(i / 10), static_cast<std::uint8_t>(i % 10)}}, 0.5);
  const auto grids = [&](std::int64_t votes, std::uint64_t draw) {
    std::set<Grid> set;
    for (const Candidate& candidate : book.ranking(0, VoteSubset{votes, 7, draw})) set.insert(candidate.grid);
    return set;
  };
  for (std::uint64_t draw = 0; draw < 10; ++draw) {
    const auto three = grids(3, draw), ten = grids(10, draw);
    EXPECT_EQ(three.size(), 3U);
    EXPECT_EQ(ten.size(), 10U);
    EXPECT_TRUE(std::ranges::includes(ten, three));
    EXPECT_EQ(grids(10, draw), ten);
    EXPECT_NE(grids(10, draw + 1), ten);
  }
  EXPECT_EQ(grids(0, 0).size(), 0U);
  for (const std::int64_t votes : {50, 51, 1000}) {
    expect_same(book.ranking(0, VoteSubset{votes, 7, 3}), book.ranking(0), std::to_string(votes) + " votes");
  }
}

TEST(VoteSubsets, EveryVoteIsEquallyLikely) {
  VoteBook book(1);
  for (std::uint8_t i = 0; i < 10; ++i) book.add(0, Grid{1, 1, {i}}, 0.5);
  std::array<int, 10> drawn{};
  constexpr int kDraws = 2000;
  for (std::uint64_t draw = 0; draw < kDraws; ++draw) {
    for (const Candidate& candidate : book.ranking(0, VoteSubset{3, 0, draw})) ++drawn[candidate.grid.cells[0]];
  }
  // 600 expected, standard deviation 20.5
  for (const int count : drawn) EXPECT_NEAR(count, kDraws * 3 / 10, 90);
}

TEST(VoteSubsets, FirstSeenIsThatOfTheSubset) {
  VoteBook book(1);
  for (const char* text : {"1", "2", "1"}) book.add(0, grid(text), 0.5);
  std::map<std::string, int> seen;
  for (std::uint64_t draw = 0; draw < 600; ++draw) ++seen[order(book.ranking(0, VoteSubset{2, 0, draw}))];
  ASSERT_EQ(seen.size(), 3U);
  for (const char* text : {"1:1 2:1 ", "2:1 1:1 ", "1:2 "}) EXPECT_NEAR(seen[text], 200, 60) << text;
}

TEST(VoteSubsets, RanksAreThoseOfTheRankings) {
  const auto votes = made_up_votes(600, 3, 3);
  VoteBook book(3);
  book.add(votes.all(), 1);
  const std::vector<std::int64_t> counts{1, 3, 10, 100, 1000};
  int absent = 0, present = 0;
  for (std::int64_t test = 0; test < 3; ++test) {
    for (const Candidate& candidate : book.ranking(test)) {
      for (std::uint64_t draw = 0; draw < 2; ++draw) {
        const auto ranks = book.ranks(test, candidate.grid, counts, 5, draw);
        for (std::size_t i = 0; i < counts.size(); ++i) {
          const auto ranking = book.ranking(test, VoteSubset{counts[i], 5, draw});
          const auto place = std::ranges::find(ranking, candidate.grid, &Candidate::grid);
          (place == ranking.end() ? absent : present) += 1;
          EXPECT_EQ(ranks[i],
                    place == ranking.end() ? std::nullopt : std::optional<std::int64_t>(place - ranking.begin() + 1));
        }
      }
    }
  }
  EXPECT_GT(absent, 100);
  EXPECT_GT(present, 100);
  EXPECT_EQ(book.ranks(0, grid("987"), counts, 5, 0), std::vector<std::optional<std::int64_t>>(5));
}

TEST(TestInputs, AreNumberedThroughAllTasks) {
  const ArcPair demonstration{grid("1"), grid("2"), false};
  const ArcPair test{grid("3"), grid("4"), true};
  const std::vector<ArcTask> tasks{{"a", {test, demonstration, test}}, {"b", {demonstration, test}}};
  const auto inputs = test_inputs(tasks);
  ASSERT_EQ(inputs.size(), 3U);
  EXPECT_EQ(inputs[1].task, 0U);
  EXPECT_EQ(inputs[1].test, 1);
  EXPECT_EQ(inputs[1].pair, &tasks[0].pairs[2]);
  EXPECT_EQ(inputs[2].task, 1U);
  EXPECT_EQ(inputs[2].test, 0);
}

}  // namespace
}  // namespace dis
