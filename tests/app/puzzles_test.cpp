// `data.kind = sudoku` and `maze` from the command line: counted, drawn, trained, scored, exported.
#include <gtest/gtest.h>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/json.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

/// A folder with the CSV files of the recorded builds.
void copy_puzzles(const std::string& kind, const fs::path& folder) {
  fs::create_directories(folder);
  for (const std::string split : {"train", "test"}) {
    fs::copy_file(fs::path(DIS_SOURCE_DIR) / "tests/data/golden/puzzle_builds" / (kind + "_" + split + ".csv"),
                  folder / (split + ".csv"));
  }
}

Arguments puzzles(const std::string& kind, const fs::path& folder) {
  return set({"data.kind=" + kind, "data.path=" + folder.string()});
}

TEST(Puzzles, AreTrainedAndScoredByRating) {
  const TemporaryFolder folder;
  const auto run = (folder / "run").string();
  copy_puzzles("sudoku", folder / "data");
  expect_success(train_tiny(run, {"train.steps=12", "model.expansion=0.5", "model.mlp_t=true"}) +
                 puzzles("sudoku", folder / "data"));
  const auto scores = json_of({"eval", "--run", run, "--json"});
  const auto& examples = scores.at("examples");
  EXPECT_EQ(examples.begin().key(), "exact");
  EXPECT_EQ(examples.at("valid").at("total"), 10);
  for (const auto& [key, total] : {std::pair("1-9", 2), std::pair("10-29", 4), std::pair("30-99", 4)}) {
    EXPECT_EQ(examples.at(std::string("exact_rating_") + key).at("total"), total);
  }
  EXPECT_FALSE(examples.contains("exact_rating_0"));
  const auto sample = json_of(Arguments{"eval", "--run", run, "--json"} + set({"eval.boards=3"}));
  EXPECT_EQ(sample.at("examples").at("exact").at("total"), 3);
  const auto shown = expect_success({"eval", "--run", run, "--show", "1"});
  EXPECT_TRUE(contains(shown.out, "rating 30-99 [95 %]") && contains(shown.out, "------+-------+-------")) << shown.out;
  // Another sample of the training puzzles is other data.
  const auto refused = run_program({"train", "--run-dir", run, "--resume", "--set", "data.train_puzzles=5"});
  EXPECT_EQ(refused.status, 1) << refused.out;
}

TEST(Puzzles, AreExportedCountedAndDrawn) {
  const TemporaryFolder folder;
  copy_puzzles("maze", folder / "data");
  const auto data = puzzles("maze", folder / "data") + set({"data.copies=frozen"});
  const auto info = json_of(Arguments{"data", "info", "--json"} + data);
  EXPECT_EQ(info.at("training").at("puzzles"), 6);
  EXPECT_EQ(info.at("training").at("answers_obey_rules"), 6);
  EXPECT_EQ(info.at("trained_test_pairs").at("trained"), 0);
  const auto rows = folder / "rows";
  expect_success(Arguments{"data", "export", "--output", rows.string()} + data);
  const auto exported = json_of(Arguments{"data", "info", "--json"} + puzzles("folder", rows));
  EXPECT_EQ(exported.at("train").at("puzzles"), 48);
  EXPECT_EQ(exported.at("vocabulary"), 6);
  const auto shown = expect_success(Arguments{"data", "show", "--count", "1", "--test", "test"} + data);
  EXPECT_TRUE(contains(shown.out, "# S") || contains(shown.out, "S o") || contains(shown.out, "o S")) << shown.out;
  const auto refused = run_program(Arguments{"data", "info"} + set({"data.kind=maze"}));
  EXPECT_TRUE(contains(refused.err, "data.kind = maze needs data.path")) << refused.err;
}

}  // namespace
}  // namespace dis
