// Places that a command will write to are tried before its work; what it has computed is not thrown away.
#include <gtest/gtest.h>

#include <fstream>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

const std::string kTasks = DIS_SOURCE_DIR "/tests/data/arc/arc-agi_small_challenges.json";

/// A finished ARC run and a finished run on boards, made once.
const fs::path& arc_run() {
  static const TemporaryFolder folder;
  static const fs::path run = [] {
    expect_success(train_small_arc(folder / "run") + set({"train.eval_every=0", "train.keep_best=false"}));
    return folder / "run";
  }();
  return run;
}

const fs::path& boards_run() {
  static const TemporaryFolder folder;
  static const fs::path run = [] {
    expect_success(train_tiny(folder / "run", {"train.steps=6"}));
    return folder / "run";
  }();
  return run;
}

Arguments predict(const fs::path& output, const std::vector<std::string>& settings = {}) {
  return Arguments{"predict", "--run", arc_run().string(), "--input", kTasks, "--output", output.string()} +
         set({"eval.allow_seen_tasks=true", "predict.augmentations=2", "predict.batch=4"}) + set(settings);
}

/// Refused in one line with that text, before any work.
void expect_refused_at_once(const Arguments& call, const std::string& text) {
  std::string words;
  for (const auto& word : call) words += word + " ";
  SCOPED_TRACE(words);
  const Outcome outcome = run_program(call);
  EXPECT_EQ(outcome.status, 1) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, text)) << outcome.err;
  for (const char* work : {"train ", "vote ", "analyze ", "eval "})
    EXPECT_FALSE(contains(outcome.err, work)) << outcome.err;
  EXPECT_EQ(outcome.out, "");
}

TEST(Outputs, AreTriedBeforeTheWork) {
  const TemporaryFolder folder;
  const auto boards = folder / "boards";
  fs::copy(boards_run(), boards, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  fs::remove_all(boards / "eval");
  std::ofstream(boards / "eval") << "in the way";
  std::ofstream(boards / "analysis") << "in the way";
  const auto before = contents(folder.path());
  const auto run = boards.string(), file = (boards / "eval").string();
  expect_refused_at_once(predict(folder.path()), "it exists and is not a regular file");
  expect_refused_at_once(predict(folder / "none/submission.json"), "does not exist");
  expect_refused_at_once(predict(boards / "eval/submission.json"), "eval' does not exist");
  expect_refused_at_once({"eval", "--run", run}, "cannot make the folder '" + file + "'");
  expect_refused_at_once({"analyze", "--run", run}, "cannot make the folder '" + (boards / "analysis").string() + "'");
  expect_refused_at_once({"analyze", "--run", run, "--output", file}, "cannot make the folder '" + file + "'");
  expect_refused_at_once({"export", "--run", run, "--output", run}, "not a regular file");
  expect_refused_at_once({"report", "--run", run, "--output", (folder / "none/page.html").string()}, "none/page.html'");
  expect_refused_at_once({"eval", "--run", arc_run().string(), "--task", "x", "--picture", "task.bmp"}, ".svg or .png");
  expect_refused_at_once({"data", "build", "--output", file}, "cannot make the folder '" + file + "'");
  EXPECT_EQ(difference(before, contents(folder.path())), "");
}

TEST(Outputs, ResultsOfARunMayGoElsewhere) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  fs::copy(boards_run(), run, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  for (const char* name : {"eval", "analysis"}) {
    fs::remove_all(run / name);
    std::ofstream(run / name) << "in the way";
  }
  expect_success({"eval", "--run", run.string(), "--output", (folder / "scores").string()});
  expect_success({"analyze", "--run", run.string(), "--output", (folder / "inside").string()});
  EXPECT_TRUE(fs::exists(folder / "scores/6.json"));
  EXPECT_TRUE(fs::exists(folder / "inside/6.json"));
}

TEST(Outputs, NeverReplaceAnInput) {
  const TemporaryFolder folder;
  const auto run = folder / "run", tasks = folder / "arc-agi_a_challenges.json",
             other = folder / "arc-agi_a_solutions.json";
  fs::copy(arc_run(), run, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  fs::copy(kTasks, tasks);
  fs::copy(DIS_SOURCE_DIR "/tests/data/arc/arc-agi_small_solutions.json", other);
  fs::create_symlink(tasks, folder / "alias.json");
  const auto weights = run / "checkpoints/latest/model.safetensors";
  fs::copy(weights, folder / "12.safetensors");
  fs::copy(run / "identifiers.json", folder / "12.json");
  const auto before = contents(folder.path());
  const auto predict_to = [&](const fs::path& output) {
    return Arguments{"predict", "--run", run.string(), "--input", tasks.string(), "--output", output.string()};
  };
  const std::string text = "is read by this command";
  expect_refused_at_once(predict_to(tasks), text);
  expect_refused_at_once(predict_to(other), text);
  expect_refused_at_once(predict_to(folder / "alias.json"), text);
  expect_refused_at_once(predict_to(run / "identifiers.json"), text);
  expect_refused_at_once({"export", "--run", run.string(), "--output", weights.string()}, text);
  expect_refused_at_once({"report", "--run", run.string(), "--output", (run / "metrics.jsonl").string()}, text);
  expect_refused_at_once({"eval", "--weights", (folder / "12.safetensors").string(), "--identifiers",
                          (folder / "12.json").string(), "--config", (run / "config.json").string(), "--output",
                          folder.path().string(), "--set", "eval.allow_seen_tasks=true"},
                         text);
  EXPECT_EQ(difference(before, contents(folder.path())), "");
}

TEST(Outputs, WhatCannotBeWrittenInTheEndIsPutElsewhere) {
  const TemporaryFolder folder;
  const auto place = folder / "place", elsewhere = folder / "tmp";
  for (const auto& made : {place, elsewhere}) fs::create_directory(made);
  Program program(
      predict(place / "submission.json", {"predict.steps=60"}) + Arguments{"--run-dir", (folder / "fit").string()},
      {"TMPDIR=" + elsewhere.string()});
  ASSERT_TRUE(wait_until(program, [&] { return contains(program.err_so_far(), "train "); })) << program.wait().err;
  fs::remove_all(place);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.status, 1) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "cannot write '" + (place / "submission.json").string() + "'")) << outcome.err;
  ASSERT_FALSE(fs::is_empty(elsewhere)) << outcome.err;
  const auto kept = fs::directory_iterator(elsewhere)->path();
  EXPECT_TRUE(contains(outcome.err, "it was written to '" + kept.string() + "' instead")) << outcome.err;
  EXPECT_FALSE(read_json(kept).empty());
}

TEST(Outputs, WhatFitsNowhereIsPrinted) {
  const TemporaryFolder folder;
  const auto place = folder / "place";
  fs::create_directory(place);
  Program program(
      predict(place / "submission.json", {"predict.steps=60"}) + Arguments{"--run-dir", (folder / "fit").string()},
      {"TMPDIR=" + (folder / "none").string()});
  ASSERT_TRUE(wait_until(program, [&] { return contains(program.err_so_far(), "train "); }));
  fs::remove_all(place);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.status, 1) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "it was printed instead")) << outcome.err;
  EXPECT_FALSE(parse_json(outcome.out, "stdout").empty());
}

}  // namespace
}  // namespace dis
