// `data.kind = sudoku` and `maze` from the command line: counted, drawn, trained, scored, exported.
#include <gtest/gtest.h>

#include <sstream>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"
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
  const auto svg = folder / "steps.svg", png = folder / "steps.png";
  expect_success({"eval", "--run", run, "--show", "2", "--picture", svg.string()});
  const auto drawn = read_text(svg);
  EXPECT_TRUE(contains(drawn, ">givens</text>") && contains(drawn, ">step 3</text>") && contains(drawn, "middle"))
      << drawn.substr(0, 2000);
  expect_success({"eval", "--run", run, "--show", "1", "--picture", png.string()});
  EXPECT_TRUE(read_bytes(png).starts_with("\x89PNG"));
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
  const auto picture = folder / "maze.svg";
  expect_success(Arguments{"data", "show", "--count", "2", "--output", picture.string()} + data);
  EXPECT_TRUE(contains(read_text(picture), ">question</text>"));
  const auto refused = run_program(Arguments{"data", "info"} + set({"data.kind=maze"}));
  EXPECT_TRUE(contains(refused.err, "data.kind = maze needs data.path")) << refused.err;
}

TEST(Puzzles, AreMadeWithoutFilesAndGoOnAfterAnInterruption) {
  const TemporaryFolder folder;
  const auto build = [&](const std::string& name, const Arguments& more) {
    return Arguments{"data", "build",  "--train", "30",       "--tests",
                     "12",   "--seed", "3",       "--output", (folder / name).string()} +
           more;
  };
  for (const Arguments& kind : {Arguments{"--kind", "maze", "--side", "11", "--path", "8", "14"},
                                Arguments{"--kind", "sudoku", "--climb", "20"}}) {
    const auto name = kind[1];
    const auto made = expect_success(build(name, kind));
    EXPECT_TRUE(contains(made.out, "train.csv: 30 puzzles")) << made.out;
    const auto info = json_of(Arguments{"data", "info", "--json"} + puzzles(name, folder / name));
    EXPECT_EQ(info.at("training").at("answers_obey_rules"), 30);
    EXPECT_EQ(info.at("test").at("puzzles"), 12);
    EXPECT_EQ(info.at("trained_test_pairs").at("trained"), 0);
    EXPECT_EQ(read_json(folder / name / "build.json").at("seed"), 3);
    // Where a build was cut off in the middle of a line.
    const auto test = read_text(folder / name / "test.csv");
    auto settings = read_json(folder / name / "build.json");
    for (const char* key : {"source", "made_by", "mean_rating", "mean_rating_of_tests"}) settings.erase(key);
    std::string done;
    std::istringstream lines(test.substr(test.find('\n') + 1));
    int number = 0;
    for (std::string line; std::getline(lines, line);) done += std::to_string(number++) + "," + line + "\n";
    done.resize(done.size() - 50);
    fs::create_directory(folder / (name + "2"));
    write_atomically(folder / (name + "2") / "build.partial", settings.dump() + "\n" + done);
    expect_success(build(name + "2", kind));
    EXPECT_EQ(contents(folder / (name + "2")), contents(folder / name));
    const auto there = run_program(build(name, kind));
    EXPECT_TRUE(contains(there.err, "is there already")) << there.err;
  }
  const auto damaged = folder / "damaged";
  fs::create_directory(damaged);
  auto settings = read_json(folder / "maze" / "build.json");
  for (const char* key : {"source", "made_by", "mean_rating", "mean_rating_of_tests"}) settings.erase(key);
  write_atomically(damaged / "build.partial", settings.dump() + "\n0,maze-unique,xx,SG,4\n");
  const Arguments small{"--kind", "maze", "--side", "11", "--path", "8", "14"};
  const auto broken = run_program(build("damaged", small));
  EXPECT_EQ(broken.status, 1);
  EXPECT_TRUE(contains(broken.err, "line 2 is damaged")) << broken.err;
  write_atomically(damaged / "build.partial", "{}\n");  // a build of which nothing is done is none
  expect_success(Arguments{"data", "build", "--train", "9", "--tests", "0", "--output", damaged.string()} + small);
  EXPECT_FALSE(fs::exists(damaged / "test.csv"));
  EXPECT_TRUE(json_of(Arguments{"data", "info", "--json"} + puzzles("maze", damaged)).at("test").is_null());
  const auto foreign = run_program(build("z", {"--kind", "sudoku", "--side", "9"}));
  EXPECT_TRUE(contains(foreign.err, "--side: it is for --kind maze")) << foreign.err;
  const auto far = run_program(build("z", {"--kind", "maze", "--path", "1", "4294967296"}));
  EXPECT_TRUE(contains(far.err, "from 1 to 450 with --side 30")) << far.err;
  const auto other = run_program(build("x", {"--kind", "maze", "--set", "data.board_size=7"}));
  EXPECT_TRUE(contains(other.err, "are for boards")) << other.err;
  const auto few = run_program(build("y", {"--kind", "maze", "--side", "5", "--path", "2", "4"}));
  EXPECT_TRUE(contains(few.err, "ask for fewer, or for larger ones")) << few.err;
}

}  // namespace
}  // namespace dis
