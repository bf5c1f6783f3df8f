#include "dis/eval/votes/arc_score.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "dis/core/random.h"
#include "made_up_votes.h"

namespace dis {
namespace {

/// A task whose test inputs are "0" and whose answers are these; "?" is not known.
ArcTask task(const std::string& id, const std::vector<std::string>& answers) {
  ArcTask task{id, {{grid("1"), grid("2"), false}}};
  for (const auto& answer : answers) {
    task.pairs.push_back({grid("0"), answer == "?" ? std::nullopt : std::optional(grid(answer)), true});
  }
  return task;
}

void vote(VoteBook& book, std::int64_t test, const std::vector<std::string>& answers) {
  for (const auto& answer : answers) book.add(test, grid(answer), 0.5);
}

/// Ranks of the answers: first, third; second; without predictions; absent; none known for task e.
struct SmallCase {
  SmallCase() {
    vote(book, 0, {"7", "7", "8"});
    vote(book, 1, {"1", "1", "1", "2", "2", "7"});
    vote(book, 2, {"5", "5", "7"});
    vote(book, 4, {"5"});
    vote(book, 5, {"7"});
    vote(book, 6, {"7", "6"});
  }
  std::vector<ArcTask> tasks{task("a", {"7", "7"}), task("b", {"7"}), task("c", {"7"}), task("d", {"0"}),
                             task("e", {"7", "?"})};
  VoteBook book{7};
};

TEST(ArcScore, SmallCaseByHand) {
  const SmallCase small;
  const ArcScore score = score_arc(small.tasks, small.book);
  EXPECT_EQ(score.tasks, 4);
  EXPECT_EQ(score.test_inputs, 5);
  EXPECT_EQ(score.unknown_tasks, 1);
  EXPECT_EQ(score.without_predictions, 1);
  EXPECT_EQ(score.predictions, 16);
  EXPECT_EQ(score.candidates, 11);
  ASSERT_EQ(score.pass_at.size(), 6U);
  // k = 1: only a's first; k = 2: b too; k = 5: all of a.
  const std::vector<std::array<std::int64_t, 2>> hits{{0, 1}, {1, 2}, {2, 3}, {2, 3}, {2, 3}, {2, 3}};
  const std::vector<double> means{0.5 / 4, 1.5 / 4, 2.0 / 4, 2.0 / 4, 2.0 / 4, 2.0 / 4};
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(score.pass_at[i].tasks.hits, hits[i][0]) << i;
    EXPECT_EQ(score.pass_at[i].tasks.total, 4) << i;
    EXPECT_EQ(score.pass_at[i].test_inputs.hits, hits[i][1]) << i;
    EXPECT_EQ(score.pass_at[i].test_inputs.total, 5) << i;
    EXPECT_DOUBLE_EQ(score.pass_at[i].task_mean.value, means[i]) << i;
  }
  EXPECT_EQ(score.oracle.tasks.hits, 2);
  EXPECT_EQ(score.copied_input.tasks.hits, 1);  // d: the answer is the input
  EXPECT_DOUBLE_EQ(score.copied_input.task_mean.value, 0.25);
}

TEST(ArcScore, TableByHand) {
  const SmallCase small;
  const ArcScore score = score_arc(small.tasks, small.book);
  EXPECT_EQ(table_csv(score),
            "task,test,votes,candidates,rank,votes_first,votes_second,votes_answer\n"
            "a,0,3,2,1,2,1,2\n"
            "a,1,6,3,3,3,2,1\n"
            "b,0,3,2,2,2,1,1\n"
            "c,0,0,0,,0,0,0\n"
            "d,0,1,1,,1,0,0\n"
            "e,0,1,1,1,1,0,1\n"
            "e,1,2,2,,1,1,0\n");
  const Json json = to_json(score);
  EXPECT_EQ(json["table"].size(), 7U);
  EXPECT_EQ(json["table"][1].dump(),
            R"({"task":"a","test":1,"votes":6,"candidates":3,"rank":3,"votes_first":3,"votes_second":2,)"
            R"("votes_answer":1})");
  EXPECT_TRUE(json["table"][3]["rank"].is_null());
}

TEST(ArcScore, CsvQuotesNamesThatNeedIt) {
  const std::string csv = table_csv(score_arc(std::vector{task("a,\"b\"", {"7"})}, VoteBook(1)));
  EXPECT_NE(csv.find("\n\"a,\"\"b\"\"\",0,0,0,,0,0,0\n"), std::string::npos) << csv;
}

TEST(ArcScore, JsonHoldsEveryNumber) {
  const SmallCase small;
  const ArcScore score = score_arc(small.tasks, small.book);
  const Json json = to_json(score);
  EXPECT_EQ(json["tasks"], 4);
  EXPECT_EQ(json["tasks_without_known_answer"], 1);
  EXPECT_EQ(json["test_inputs_without_predictions"], 1);
  EXPECT_EQ(json["pass_at"].size(), 6U);
  EXPECT_EQ(json["pass_at"]["2"]["arc_prize"]["hits"], 1);
  EXPECT_EQ(json["pass_at"]["2"]["arc_prize"]["value"], 0.25);
  EXPECT_EQ(json["pass_at"]["2"]["arc_prize"]["lower"], (Rate{1, 4}.lower()));
  EXPECT_EQ(json["pass_at"]["2"]["task_mean"]["value"], 0.375);
  EXPECT_EQ(json["pass_at"]["1000"]["test_inputs"]["total"], 5);
  EXPECT_EQ(json["oracle"]["arc_prize"]["hits"], 2);
  EXPECT_EQ(json["copied_input"]["test_inputs"]["hits"], 1);
  EXPECT_EQ(json["by_votes"]["resamplings"], 20);
  EXPECT_EQ(json["by_votes"]["points"].size(), 7U);
  EXPECT_EQ(json["by_votes"]["points"][6]["votes"], 1000);
  EXPECT_NEAR(json["by_votes"]["points"][6]["pass_at"]["2"]["task_mean"].get<double>(), 0.375, 1e-12);
}

TEST(ArcScore, TextNamesTheScores) {
  const SmallCase small;
  const std::string text = report_text(score_arc(small.tasks, small.book));
  for (const char* part :
       {"4 tasks, 5 test inputs, 16 predictions, 11 candidates\n", "1 test input without predictions",
        "1 task left out", "pass@2              0.250 [0.046, 0.699]    0.375 [", "pass@1000", "among candidates",
        "copying the input", "mean of 20 subsets\n", "\n1000                    0.000      0.250      0.500"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_EQ(text.back(), '\n');
}

TEST(ArcScore, NothingToScore) {
  const std::vector<ArcTask> unknown{task("a", {"?"})};
  VoteBook book(1);
  vote(book, 0, {"7"});
  const ArcScore score = score_arc(unknown, book);
  EXPECT_EQ(score.tasks, 0);
  EXPECT_EQ(score.unknown_tasks, 1);
  EXPECT_TRUE(to_json(score)["pass_at"]["1"].is_null());
  EXPECT_EQ(to_json(score)["table"].size(), 1U);
  EXPECT_NE(report_text(score).find("1 task left out"), std::string::npos);
  EXPECT_EQ(score_arc({}, VoteBook(0)).tasks, 0);
  EXPECT_THROW(score_arc(unknown, VoteBook(2)), std::logic_error);
}

/// Tasks of one to three test inputs with random votes, of which some are right.
struct RandomCase {
  RandomCase() {
    Draws draws(1, Purpose::test, 4, 0);
    for (int i = 0; i < 60; ++i) {
      std::vector<std::string> answers;
      for (auto tests = 1 + draws.below(3); tests > 0; --tests) answers.push_back(std::to_string(draws.below(10)));
      tasks.push_back(task(std::string("t") + std::to_string(i), answers));
    }
    inputs = test_inputs(tasks);
    book = VoteBook(static_cast<std::int64_t>(inputs.size()));
    for (std::size_t test = 0; test < inputs.size(); ++test) {
      const auto ease = 1 + draws.below(8);
      for (auto votes = draws.below(40); votes > 0; --votes) {
        const bool right = draws.below(ease) == 0;
        const Grid answer = right ? *inputs[test].pair->output : grid(std::to_string(10 + draws.below(12)));
        book.add(static_cast<std::int64_t>(test), answer, draws.uniform());
      }
    }
  }

  /// The three shares, when the test inputs' rankings are these.
  SolvedShares slow_shares(const std::vector<std::vector<Candidate>>& rankings, std::int64_t k) const {
    SolvedShares shares;
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      int solved = 0, total = 0;
      for (std::size_t test = 0; test < inputs.size(); ++test) {
        if (inputs[test].task != t) continue;
        ++total;
        for (std::size_t i = 0; i < rankings[test].size() && static_cast<std::int64_t>(i) < k; ++i) {
          if (rankings[test][i].grid == *inputs[test].pair->output) ++solved;
        }
      }
      shares.tasks += solved == total ? 1.0 / static_cast<double>(tasks.size()) : 0.0;
      shares.task_mean += static_cast<double>(solved) / total / static_cast<double>(tasks.size());
      shares.test_inputs += static_cast<double>(solved) / static_cast<double>(inputs.size());
    }
    return shares;
  }

  std::vector<ArcTask> tasks;
  std::vector<TestInput> inputs;
  VoteBook book{0};
};

TEST(ArcScore, EqualsTheDefinitionOnRandomVotes) {
  const RandomCase random;
  ArcScoreSettings settings;
  settings.pass_at = {1, 2, 3, 5};
  const ArcScore score = score_arc(random.tasks, random.book, settings);
  std::vector<std::vector<Candidate>> rankings;
  for (std::int64_t test = 0; test < random.book.tests(); ++test) rankings.push_back(random.book.ranking(test));
  double before = 0.0;
  for (std::size_t i = 0; i < settings.pass_at.size(); ++i) {
    const auto shares = random.slow_shares(rankings, settings.pass_at[i]);
    const auto& rates = score.pass_at[i];
    EXPECT_NEAR(rates.tasks.value(), shares.tasks, 1e-12);
    EXPECT_NEAR(rates.task_mean.value, shares.task_mean, 1e-12);
    EXPECT_NEAR(rates.test_inputs.value(), shares.test_inputs, 1e-12);
    EXPECT_GT(rates.task_mean.value, before);
    before = rates.task_mean.value;
  }
  EXPECT_NEAR(score.oracle.task_mean.value, random.slow_shares(rankings, 1000000).task_mean, 1e-12);
  EXPECT_LT(score.oracle.tasks.value(), 1.0);
}

TEST(ArcScore, VoteCurveEqualsTheDefinition) {
  const RandomCase random;
  ArcScoreSettings settings;
  settings.vote_counts = {1, 3, 10, 1000};
  settings.resamplings = 5;
  settings.seed = 9;
  const ArcScore score = score_arc(random.tasks, random.book, settings);
  for (std::size_t point = 0; point < settings.vote_counts.size(); ++point) {
    for (std::size_t k = 0; k < settings.pass_at.size(); ++k) {
      SolvedShares mean;
      for (std::uint64_t draw = 0; draw < 5; ++draw) {
        std::vector<std::vector<Candidate>> rankings;
        for (std::int64_t test = 0; test < random.book.tests(); ++test) {
          rankings.push_back(random.book.ranking(test, VoteSubset{settings.vote_counts[point], 9, draw}));
        }
        const auto shares = random.slow_shares(rankings, settings.pass_at[k]);
        mean.tasks += shares.tasks / 5;
        mean.task_mean += shares.task_mean / 5;
        mean.test_inputs += shares.test_inputs / 5;
      }
      EXPECT_NEAR(score.by_votes[point].pass_at[k].tasks, mean.tasks, 1e-12);
      EXPECT_NEAR(score.by_votes[point].pass_at[k].task_mean, mean.task_mean, 1e-12);
      EXPECT_NEAR(score.by_votes[point].pass_at[k].test_inputs, mean.test_inputs, 1e-12);
    }
  }
  const auto& all = score.by_votes.back().pass_at;
  for (std::size_t k = 0; k < all.size(); ++k) EXPECT_NEAR(all[k].tasks, score.pass_at[k].tasks.value(), 1e-12);
  EXPECT_LT(score.by_votes.front().pass_at[0].test_inputs, all[0].test_inputs);
}

TEST(ArcScore, OneVoteSolvesWhatItsShareSays) {
  VoteBook book(1);
  vote(book, 0, {"7", "8", "7", "8", "8", "8", "8", "8", "8", "7"});
  ArcScoreSettings settings;
  settings.vote_counts = {1};
  settings.resamplings = 2000;
  const ArcScore score = score_arc(std::vector{task("a", {"7"})}, book, settings);
  EXPECT_NEAR(score.by_votes[0].pass_at[0].tasks, 0.3, 0.04);  // four standard deviations
}

TEST(ArcScore, TheSeedDecidesTheSubsetsAndTheInterval) {
  const RandomCase random;
  const auto text = [&](std::uint64_t seed) {
    ArcScoreSettings settings;
    settings.seed = seed;
    settings.resamplings = 2;
    return to_json(score_arc(random.tasks, random.book, settings));
  };
  EXPECT_EQ(text(0), text(0));
  EXPECT_NE(text(0)["by_votes"]["points"], text(1)["by_votes"]["points"]);
  EXPECT_NE(text(0)["pass_at"]["2"]["task_mean"], text(1)["pass_at"]["2"]["task_mean"]);
}

TEST(ArcScore, BootstrapIsAboutTheNormalInterval) {
  // 100 tasks with one test input each, 40 of them solved: mean 0.4, standard error 0.049.
  std::vector<ArcTask> tasks;
  VoteBook book(100);
  for (int i = 0; i < 100; ++i) {
    tasks.push_back(task(std::to_string(i), {"7"}));
    vote(book, i, {i < 40 ? "7" : "8"});
  }
  const Mean mean = score_arc(tasks, book).pass_at[0].task_mean;
  EXPECT_DOUBLE_EQ(mean.value, 0.4);
  EXPECT_NEAR(mean.lower, 0.4 - 1.96 * 0.049, 0.02);
  EXPECT_NEAR(mean.upper, 0.4 + 1.96 * 0.049, 0.02);
  const Mean oracle_of_all = score_arc(std::span(tasks).first(1),
                                       [] {
                                         VoteBook one(1);
                                         vote(one, 0, {"7"});
                                         return one;
                                       }())
                                 .oracle.task_mean;
  EXPECT_EQ(oracle_of_all.lower, 1.0);
  EXPECT_EQ(oracle_of_all.upper, 1.0);
}

}  // namespace
}  // namespace dis
