#include "dis/eval/votes/rescoring.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dis/core/clock.h"
#include "dis/eval/evaluate.h"
#include "dis/eval/rows/open_rows.h"
#include "dis/eval/rows/policy.h"
#include "eval/small_arc.h"

namespace dis {
namespace {

/// Log-probabilities [L, A] of one row, asked for alone.
at::Tensor policy_of_row(const Session& session, const ArcData& data, const ArcTestRow& row) {
  const at::NoGradGuard no_grad;
  const auto length = static_cast<std::size_t>(data.shape().length);
  std::vector<std::int32_t> input(length), label(length);
  data.test_fields(row, input, label);
  const auto tokens = at::tensor(input, at::kInt).view({1, -1});
  auto open = open_rows(*session.model, tokens, at::full({1}, data.identifier_of(row), at::kInt));
  at::Tensor cells;
  for (std::int64_t s = 1; s <= session.config.method.num_supervision; ++s) {
    cells = step_rows(*session.model, session.config.method.feedback, open, s).cells;
  }
  return log_policy(cells, decode_settings(session, session.config.eval).loss)[0];
}

/// The mean over colours and end markers of the candidate as the puzzle shows it.
double slow_log_p(const ArcData& data, const ArcTestRow& row, const Grid& candidate, const at::Tensor& policy) {
  const auto shown = apply(data.puzzles().augmentation(row.puzzle), candidate);
  const int side = data.puzzles().side();
  double sum = 0.0, cells = 0.0;
  const auto add = [&](int r, int c, std::int64_t token) {
    if (r >= side || c >= side) return;
    sum += policy[r * side + c][token].item<double>();
    cells += 1.0;
  };
  for (int r = 0; r < shown.rows; ++r) {
    for (int c = 0; c < shown.columns; ++c) {
      add(r, c, kFirstColourToken + shown.cells[static_cast<std::size_t>(r * shown.columns + c)]);
    }
  }
  for (int r = 0; r < shown.rows; ++r) add(r, shown.columns, kEndToken);
  for (int c = 0; c < shown.columns; ++c) add(shown.rows, c, kEndToken);
  return sum / cells;
}

struct Rescored {
  Session session = make_session(small_arc());
  const ArcData& data = data_as<ArcData>(session);
  ArcElection election = plan_election(data.puzzles(), 0, 0, 0);
  VoteBook book = vote(session, data, election, {.eval = {.batch = 7}});
  std::vector<RescoredTest> tests = first_candidates(book, 4);
};

TEST(Rescoring, IsTheMeanLogProbabilityOverCellsAndPuzzles) {
  Rescored r;
  rescore(r.session, r.data, r.election, {.eval = {.batch = 7}}, r.tests);
  int compared = 0;
  for (std::size_t test = 0; test < r.tests.size(); ++test) {
    const auto& found = r.tests[test];
    ASSERT_EQ(found.log_p.size(), found.candidates.size());
    for (std::size_t c = 0; c < found.candidates.size(); ++c) {
      const auto& grid = found.candidates[c].grid;
      if (found.candidates.size() < 2) {
        EXPECT_TRUE(std::isnan(found.log_p[c])) << "nothing to choose";
        continue;
      }
      double sum = 0.0, rows = 0.0;
      for (std::size_t i = 0; i < r.election.rows.size(); ++i) {
        if (r.election.tests[i] != static_cast<std::int64_t>(test)) continue;
        sum += slow_log_p(r.data, r.election.rows[i], grid, policy_of_row(r.session, r.data, r.election.rows[i]));
        rows += 1.0;
      }
      if (grid.cells.empty()) {
        EXPECT_EQ(found.log_p[c], -std::numeric_limits<double>::infinity());
      } else {
        EXPECT_NEAR(found.log_p[c], sum / rows, 1e-5) << "float32 of another batch";
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 4);
}

TEST(Rescoring, ADeadlineEndsItWithTheRowsSoFar) {
  Rescored r;
  auto whole = r.tests;
  rescore(r.session, r.data, r.election, {.eval = {.batch = 7}}, whole);
  rescore(r.session, r.data, r.election, {.eval = {.batch = 7}, .deadline = steady_seconds() - 1.0}, r.tests);
  std::size_t asked = 0, all = 0;
  for (std::size_t test = 0; test < whole.size(); ++test) {
    for (std::size_t c = 0; c < whole[test].log_p.size(); ++c) {
      asked += std::isnan(r.tests[test].log_p[c]) ? 0U : 1U;
      all += std::isnan(whole[test].log_p[c]) ? 0U : 1U;
    }
  }
  EXPECT_GT(asked, 0U);
  EXPECT_LT(asked, all);
}

Grid cell(std::uint8_t colour) { return {1, 1, {colour}}; }

/// Three votes for 1, two for 2 and one for a wide 3.
VoteBook six_votes() {
  VoteBook book(1);
  for (const int colour : {1, 1, 1, 2, 2}) book.add(0, cell(static_cast<std::uint8_t>(colour)), 0.0);
  book.add(0, {1, 2, {3, 3}}, 0.0);
  return book;
}

std::vector<int> colours(const VoteBook& book) {
  std::vector<int> list;
  for (const auto& candidate : book.ranking(0)) list.push_back(candidate.grid.cells[0]);
  return list;
}

TEST(Rescoring, RanksCandidates) {
  const auto ranked = [](CandidateRank rank, std::vector<double> log_p) {
    auto book = six_votes();
    auto tests = first_candidates(book, 3);
    tests[0].log_p = std::move(log_p);
    rank_candidates(book, tests, rank);
    auto order = colours(book);
    EXPECT_EQ(book.rank(0, cell(2)), 1 + (std::ranges::find(order, 2) - order.begin()));
    return order;
  };
  using enum CandidateRank;
  EXPECT_EQ(ranked(votes, {-3.0, -2.0, -1.0}), (std::vector{1, 2, 3}));
  EXPECT_EQ(ranked(logprob, {-3.0, -2.0, -1.0}), (std::vector{3, 2, 1}));
  EXPECT_EQ(ranked(logprob, {-1.0, -1.0, -1.0}), (std::vector{1, 2, 3})) << "ties go to the votes";
  EXPECT_EQ(ranked(both, {-1.0, -0.5, -0.4}), (std::vector{2, 1, 3})) << "log 3 - 1 < log 2 - .5";
  EXPECT_EQ(ranked(both, {-0.5, -0.5, -0.4}), (std::vector{1, 2, 3}));
  EXPECT_EQ(ranked(logprob, std::vector(3, std::numeric_limits<double>::quiet_NaN())), (std::vector{1, 2, 3}));
}

TEST(Rescoring, TheRestStaysBehindInItsOrder) {
  auto book = six_votes();
  const std::vector<Grid> one{cell(2)};
  book.put_first(0, one);
  EXPECT_EQ(colours(book), (std::vector{2, 1, 3}));
  EXPECT_EQ(book.rank(0, cell(1)), 2);
  EXPECT_EQ(book.ranking(0, VoteSubset{6, 0, 0}).front().grid, cell(1)) << "a subset knows votes only";
  EXPECT_THROW(book.put_first(0, std::vector<Grid>{cell(9)}), std::logic_error);
}

TEST(Rescoring, KnowsHowManyVotesHaveTheShape) {
  const auto tests = first_candidates(six_votes(), 2);
  ASSERT_EQ(tests[0].candidates.size(), 2U);
  EXPECT_DOUBLE_EQ(tests[0].same_shape[0], 5.0 / 6.0);
  const auto json = candidates_json(std::vector<ArcTask>{{"a", {{cell(0), cell(1), true}}}}, six_votes(), tests);
  EXPECT_EQ(json.at("a").at(0).at("votes"), 6);
  const auto& first = json.at("a").at(0).at("candidates").at(0);
  EXPECT_EQ(first.at("votes"), 3);
  EXPECT_TRUE(first.at("log_p").is_null());
}

}  // namespace
}  // namespace dis
