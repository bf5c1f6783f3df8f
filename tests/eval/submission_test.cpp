#include "dis/eval/votes/submission.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"
#include "made_up_votes.h"

namespace dis {
namespace {

ArcPair test_pair() { return {grid("1"), grid("2"), true}; }
ArcPair demonstration() { return {grid("3"), grid("4"), false}; }

/// "a" with two test inputs, "b" with one, "c" with one.
std::vector<ArcTask> tasks() {
  return {{"a", {test_pair(), test_pair(), demonstration()}},
          {"b", {demonstration(), test_pair()}},
          {"c", {demonstration(), test_pair()}}};
}

VoteBook some_votes() {
  VoteBook book(4);
  for (const char* text : {"1", "12/34", "12/34", "5"}) book.add(1, grid(text), 0.5);
  book.add(2, grid("789"), 0.5);
  for (const char* text : {"", "", "6"}) book.add(3, grid(text), 0.5);
  return book;
}

TEST(Submission, HasEveryTestInputOfEveryTask) {
  const auto list = tasks();
  EXPECT_EQ(submission(list, best_grids(some_votes(), 2), 2).dump(),
            R"({"a":[{"attempt_1":[[0]],"attempt_2":[[0]]},)"
            R"({"attempt_1":[[1,2],[3,4]],"attempt_2":[[1]]}],)"
            R"("b":[{"attempt_1":[[7,8,9]],"attempt_2":[[7,8,9]]}],)"
            R"("c":[{"attempt_1":[[0]],"attempt_2":[[6]]}]})");
  EXPECT_THROW(submission(list, std::vector<std::vector<Grid>>(3), 2), std::logic_error);
}

TEST(Submission, OursHasNoProblems) {
  const TemporaryFolder folder;
  const auto path = folder / "submission.json";
  const auto list = tasks();
  write_submission(path, list, best_grids(some_votes(), 2), 2);
  EXPECT_EQ(check_submission(path, list), std::vector<std::string>{});
  write_submission(path, list, best_grids(VoteBook(4), 2), 2);
  EXPECT_EQ(check_submission(path, list), std::vector<std::string>{});
}

TEST(Submission, SeveralAreMerged) {
  const TemporaryFolder folder;
  const auto list = tasks();
  const auto all = submission(list, best_grids(some_votes(), 2), 2);
  const std::vector<ArcTask> first(list.begin(), list.begin() + 1), others(list.begin() + 1, list.end());
  const auto grids = best_grids(some_votes(), 2);
  write_submission(folder / "1", first, std::span(grids).first(2), 2);
  write_submission(folder / "2", others, std::span(grids).subspan(2), 2);
  EXPECT_EQ(merged_submissions({folder / "1", folder / "2"}), all);
  write_submission(folder / "3", list, grids, 2);
  EXPECT_TRUE(contains(user_error_of([&] {
                         merged_submissions({folder / "1", folder / "3"});
                       }),
                       "task \"a\" is in both"));
  write_atomically(folder / "4", std::string_view("[]"));
  EXPECT_TRUE(contains(user_error_of([&] { merged_submissions({folder / "4"}); }), "found array"));
}

class BadSubmission : public testing::Test {
 protected:
  BadSubmission() : list_(tasks()), good_(submission(list_, best_grids(some_votes(), 2), 2)) {}

  /// The problems, without the file's name.
  std::vector<std::string> problems(const std::string& text) const {
    const auto path = folder_ / "s.json";
    write_atomically(path, text);
    auto found = check_submission(path, list_);
    for (auto& line : found) {
      EXPECT_TRUE(line.starts_with(path.string() + ":")) << line;
      EXPECT_EQ(line.find('\n'), std::string::npos) << line;
      line = line.substr(std::min(line.size(), path.string().size() + 2));
    }
    return found;
  }
  void expect(const Json& json, const std::vector<std::string>& wanted) const {
    EXPECT_EQ(problems(json.dump()), wanted);
  }
  /// Attempt 2 of task b replaced.
  void expect_grid(const std::string& grid, const std::string& wanted) const {
    Json json = good_;
    json["b"][0]["attempt_2"] = Json::parse(grid);
    expect(json, {"task \"b\", test input 0, attempt_2" + wanted});
  }

  TemporaryFolder folder_;
  std::vector<ArcTask> list_;
  Json good_;
};

TEST_F(BadSubmission, TasksAreMissingOrUnknown) {
  Json json = good_;
  json.erase("b");
  json["x\n"] = json["c"];
  json.erase("c");
  expect(json, {"task \"b\": missing", "task \"c\": missing", "task \"x\\n\": is none of the 3 tasks"});
}

TEST_F(BadSubmission, EntriesAreMissingOrTooMany) {
  Json json = good_;
  json["a"].erase(0);
  json["b"].push_back(json["b"][0]);
  json["c"] = Json::array();
  expect(json, {"task \"a\": expected 2 entries, one per test input, found 1",
                "task \"b\": expected 1 entry, one per test input, found 2",
                "task \"c\": expected 1 entry, one per test input, found 0"});
}

TEST_F(BadSubmission, AttemptsAreMissingOrUnknown) {
  Json json = good_;
  json["a"][1].erase("attempt_2");
  json["a"][1]["attempt_3"] = json["b"];
  json["b"] = {{"attempt_1", 1}};
  json["c"][0] = Json::parse("[[0]]");
  expect(json, {"task \"a\", test input 1: attempt_2 is missing", "task \"a\", test input 1: unknown key \"attempt_3\"",
                "task \"b\": expected a list with an entry per test input, found object",
                "task \"c\", test input 0: expected an object with attempt_1 and attempt_2, found array"});
}

TEST_F(BadSubmission, GridsAreMalformed) {
  expect_grid("[]", ": expected a list of 1 to 30 rows, found 0");
  expect_grid("[[]]", ", row 0: expected a list of 1 to 30 cells, found 0");
  expect_grid("7", ": expected a list of 1 to 30 rows, found number");
  expect_grid("[1, 2]", ", row 0: expected a list of 1 to 30 cells, found number");
  expect_grid("[[1, 2], [3]]", ", row 1: expected 2 cells as in row 0, found 1");
  expect_grid("[[1, 10]]", ", row 0, column 1: expected a colour 0..9, found 10");
  expect_grid("[[1], [-1]]", ", row 1, column 0: expected a colour 0..9, found -1");
  expect_grid("[[18446744073709551615]]", ", row 0, column 0: expected a colour 0..9, found 18446744073709551615");
  expect_grid("[[1.0]]", ", row 0, column 0: expected a colour 0..9, found 1.0");
  expect_grid("[[\"1\"]]", ", row 0, column 0: expected a colour 0..9, found string");
  expect_grid("[[null]]", ", row 0, column 0: expected a colour 0..9, found null");
  expect_grid(Json(std::vector<std::vector<int>>(31, {1})).dump(), ": expected a list of 1 to 30 rows, found 31");
  expect_grid(Json(std::vector<std::vector<int>>{std::vector<int>(31, 1)}).dump(),
              ", row 0: expected a list of 1 to 30 cells, found 31");
}

TEST_F(BadSubmission, AllProblemsAreTold) {
  Json json = good_;
  for (const char* task : {"a", "b"}) json[task][0]["attempt_1"] = Json::array();
  json["c"][0]["attempt_2"][0][0] = 11;
  EXPECT_EQ(problems(json.dump()).size(), 3U);
}

TEST_F(BadSubmission, NoJsonOrNoObject) {
  EXPECT_EQ(problems("{").size(), 1U);
  EXPECT_EQ(problems("[]"), std::vector<std::string>{"expected an object of tasks, found array"});
  const auto twice = problems(R"({"a": [], "a": []})");
  ASSERT_EQ(twice.size(), 1U);
  EXPECT_TRUE(contains(twice[0], "\"a\"")) << twice[0];
  user_error_of([&] { check_submission(folder_ / "none.json", list_); });
}

}  // namespace
}  // namespace dis
