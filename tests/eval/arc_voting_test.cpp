#include "dis/eval/votes/arc_voting.h"

#include <gtest/gtest.h>

#include <set>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/data/identifiers.h"
#include "dis/eval/seen_tasks.h"
#include "eval/small_arc.h"

namespace dis {
namespace {

std::vector<std::vector<Candidate>> rankings(const VoteBook& book) {
  std::vector<std::vector<Candidate>> all;
  for (std::int64_t test = 0; test < book.tests(); ++test) all.push_back(book.ranking(test));
  return all;
}

void expect_same_rankings(const VoteBook& a, const VoteBook& b) {
  const auto left = rankings(a), right = rankings(b);
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t test = 0; test < left.size(); ++test) {
    ASSERT_EQ(left[test].size(), right[test].size());
    for (std::size_t i = 0; i < left[test].size(); ++i) {
      EXPECT_EQ(left[test][i].grid, right[test][i].grid);
      EXPECT_EQ(left[test][i].votes, right[test][i].votes);
      EXPECT_EQ(left[test][i].mean_probability, right[test][i].mean_probability);
    }
  }
}

TEST(Election, HasEveryPuzzleOfEveryTestTaskOnce) {
  const ArcData data(small_arc().data);
  const auto election = plan_election(data.puzzles(), 0, 0, 0);
  EXPECT_EQ(std::ssize(election.rows), data.puzzles().examples(ArcSplit::test));
  std::set<std::pair<std::int64_t, int>> seen;
  for (std::size_t i = 0; i < election.rows.size(); ++i) {
    const auto& row = election.rows[i];
    EXPECT_TRUE(seen.emplace(row.puzzle, row.test).second);
    EXPECT_EQ(data.puzzles().groups()[static_cast<std::size_t>(row.group)].subset, "small");
    const auto inputs = test_inputs(election.tasks);
    const auto& input = inputs.at(static_cast<std::size_t>(election.tests[i]));
    EXPECT_EQ(election.tasks[input.task].id, data.puzzles().groups()[static_cast<std::size_t>(row.group)].task.id);
    EXPECT_EQ(input.test, row.test);
  }
}

TEST(Election, ASampleOfTasksAndTheFirstVotes) {
  const ArcData data(small_arc().data);
  const auto whole = plan_election(data.puzzles(), 0, 0, 1);
  const auto part = plan_election(data.puzzles(), 3, 2, 1);
  EXPECT_EQ(part.tasks.size(), 3U);
  EXPECT_TRUE(std::ranges::is_sorted(part.groups));
  EXPECT_EQ(part.groups, plan_election(data.puzzles(), 3, 2, 1).groups) << "the seed fixes the sample";
  std::set<std::vector<std::int64_t>> samples;
  for (std::uint64_t seed = 0; seed < 20; ++seed) samples.insert(plan_election(data.puzzles(), 3, 2, seed).groups);
  EXPECT_GT(samples.size(), 5U) << "another seed, another sample";
  for (const auto& row : part.rows) {
    EXPECT_LE(row.puzzle - data.puzzles().groups()[static_cast<std::size_t>(row.group)].first_puzzle, 1);
  }
  EXPECT_EQ(plan_election(data.puzzles(), 1000, 0, 1).groups, whole.groups);
  auto config = small_arc();
  config.data.test_set.clear();
  EXPECT_TRUE(
      contains(user_error_of([&] { plan_election(ArcData(config.data).puzzles(), 0, 0, 0); }), "nothing to evaluate"));
}

TEST(Voting, EveryRowVotesAndNothingIsKeptFromTheLastTime) {
  const auto session = make_session(small_arc());
  const auto& data = data_as<ArcData>(session);
  const auto election = plan_election(data.puzzles(), 0, 0, 0);
  const auto first = vote(session, data, election, {.eval = {.batch = 7}});
  EXPECT_EQ(first.votes(), std::ssize(election.rows));
  expect_same_rankings(first, vote(session, data, election, {.eval = {.batch = 7}}));
}

TEST(Voting, GoesOnFromAFileBitForBit) {
  const TemporaryFolder folder;
  const auto session = make_session(small_arc());
  const auto& data = data_as<ArcData>(session);
  const auto election = plan_election(data.puzzles(), 0, 0, 0);
  const auto whole = vote(session, data, election, {.eval = {.batch = 7}});
  const auto file = folder / "votes";
  vote(session, data, election, {.eval = {.batch = 7}, .file = file, .fingerprint = "one"});
  const auto size = std::filesystem::file_size(file);
  for (const std::uintmax_t kept : {size, size / 2, size / 3 + 1, std::uintmax_t{40}}) {
    if (kept < std::filesystem::file_size(file)) std::filesystem::resize_file(file, kept);  // a tail may be torn
    expect_same_rankings(whole,
                         vote(session, data, election, {.eval = {.batch = 7}, .file = file, .fingerprint = "one"}));
  }
  // Votes of another evaluation do not count.
  expect_same_rankings(whole,
                       vote(session, data, election, {.eval = {.batch = 7}, .file = file, .fingerprint = "two"}));
}

TEST(SeenTasks, AreRefusedUnlessForced) {
  const ArcData data(small_arc().data);
  const auto tested = tested_tasks(data.puzzles());
  ASSERT_EQ(tested.size(), 5U);
  const SeenTasks one{[&](const std::string& task) { return task == tested[2]; }};
  EXPECT_EQ(warn_of_seen_tasks(tested, {[](const std::string&) { return false; }}, false), "");
  const auto refused = user_error_of([&] { warn_of_seen_tasks(tested, one, false); });
  EXPECT_TRUE(contains(refused, "training saw the answers of 1 of the 5") && contains(refused, tested[2]) &&
              contains(refused, "eval.allow_seen_tasks=true"))
      << refused;
  EXPECT_TRUE(contains(warn_of_seen_tasks(tested, one, true), tested[2]));
}

TEST(SeenTasks, TasksOutsideTheTestSetAreAnswered) {
  const ArcData data(small_arc().data);
  const auto answered = data.answered_tasks();
  ASSERT_TRUE(answered.has_value());
  std::set<std::string> expected;
  for (const auto& group : data.puzzles().groups()) {
    if (group.subset == "other") expected.insert(group.task.id);
  }
  EXPECT_EQ(std::set<std::string>(answered->begin(), answered->end()), expected);
}

TEST(SeenTasks, ARunSaysWhatItSaw) {
  const TemporaryFolder folder;
  const ArcData data(small_arc().data);
  const auto& puzzles = data.puzzles();
  const auto id = tested_tasks(puzzles)[0];
  write_json(folder / "seen_tasks.json", Json{id, "another"});
  EXPECT_TRUE(seen_by_run(folder.path(), puzzles).contains(id));
  EXPECT_FALSE(seen_by_run(folder.path(), puzzles).contains(tested_tasks(puzzles)[1]));
  write_atomically(folder / "seen_tasks.json", std::string_view("{"));
  EXPECT_TRUE(contains(user_error_of([&] { seen_by_run(folder.path(), puzzles); }), "seen_tasks.json"));
}

TEST(SeenTasks, IdentifiersOfOtherTasksMakeTheCommonOnesSuspect) {
  const ArcData data(small_arc().data);
  const auto& puzzles = data.puzzles();
  const auto tested = tested_tasks(puzzles);
  const auto same = identifier_names(data);
  EXPECT_EQ(warn_of_seen_tasks(tested, seen_by_names(same, puzzles), false), "");
  auto more = same;
  more.emplace_back("another|||t1|||0123456789");
  EXPECT_TRUE(contains(warn_of_seen_tasks(tested, seen_by_names(more, puzzles), true), "may have seen"));
}

}  // namespace
}  // namespace dis
