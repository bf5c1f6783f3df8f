// dis analyze, dis report, eval.guidance and eval.halting as a user calls them.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

/// A finished run, made once.
const fs::path& finished_run() {
  static const TemporaryFolder folder;
  static const fs::path run = [] {
    expect_success(train_tiny(folder / "run", {"train.steps=30"}));
    return folder / "run";
  }();
  return run;
}

TEST(AnalyzeCommand, WritesWhatItPrintsAndRepeatsItByteForByte) {
  const auto run = finished_run().string();
  const auto printed = expect_success({"analyze", "--run", run, "--json"}).out;
  const auto file = finished_run() / "analysis/30.json";
  EXPECT_EQ(read_json(file), parse_json(printed, "stdout"));
  EXPECT_EQ(read_json(file).at("steps").size(), 3U);
  const auto first = read_text(file);
  const auto tables = expect_success({"analyze", "--run", run});
  EXPECT_EQ(read_text(file), first);
  EXPECT_NE(tables.out.find("dead compute: "), std::string::npos) << tables.out;
  EXPECT_NE(tables.out.find("written to " + file.string()), std::string::npos);
}

TEST(AnalyzeCommand, MistakesAreNamed) {
  EXPECT_EQ(run_program({"analyze"}).status, 2);
  const auto missing = run_program({"analyze", "--run", "nowhere"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_TRUE(contains(missing.err, "'nowhere' is not a run folder")) << missing.err;
  const auto empty = run_program(Arguments{"analyze", "--run", finished_run().string()} + set({"analyze.removals=-1"}));
  EXPECT_EQ(empty.status, 1);
  EXPECT_TRUE(contains(empty.err, "analyze.removals")) << empty.err;
}

TEST(EvalCommand, GuidanceIsWrittenDownAndZeroIsTheStepBefore) {
  const auto run = finished_run().string();
  const auto scores = [&](const char* guidance) {
    const auto out = expect_success(Arguments{"eval", "--run", run, "--json"} +
                                    set({std::string("eval.guidance=") + guidance, "eval.decoder=argmax"}));
    return parse_json(out.out, "stdout");
  };
  const auto before = scores("0"), plain = scores("1");
  EXPECT_EQ(before.at("guidance"), 0.0);
  EXPECT_FALSE(plain.contains("guidance"));
  const auto steps = [](const Json& json) {
    return json.at("test_sets").front().at("argmax").at("per_supervision_step");
  };
  EXPECT_EQ(steps(before)[1], steps(plain)[0]) << "w = 0 answers with the policy before the step";
  EXPECT_EQ(steps(before)[2], steps(plain)[1]);
}

TEST(EvalCommand, HaltingIsWrittenDownAndLeavesThePlainScores) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(train_tiny(run, {"method.algorithm=trm", "method.targets=label", "method.time=none",
                                  "method.num_supervision=4", "train.steps=40", "optim.ema_rate=0"}));
  const auto scores = [&](const std::vector<std::string>& fields) {
    const auto out = expect_success(Arguments{"eval", "--run", run.string(), "--json"} + set(fields));
    return parse_json(out.out, "stdout");
  };
  const auto plain = scores({"eval.decoder=argmax"});
  const auto halting = scores({"eval.decoder=argmax", "eval.halting=true"});
  EXPECT_FALSE(plain.contains("halting"));
  EXPECT_EQ(halting.at("halting"), true);
  const auto argmax = [](const Json& json) { return json.at("test_sets").front().at("argmax"); };
  EXPECT_EQ(argmax(halting).at("per_supervision_step")[0], argmax(plain).at("per_supervision_step")[0]);
  EXPECT_FALSE(argmax(plain).contains("mean_steps"));
  EXPECT_TRUE(fs::exists(run / "eval/40-decoder=argmax.json"));
  EXPECT_TRUE(fs::exists(run / "eval/40-decoder=argmax-halting.json"));
  EXPECT_FALSE(fs::exists(run / "eval/40.json"));
  scores({"eval.halting=true"});
  EXPECT_TRUE(fs::exists(run / "eval/40-halting.json"));
  const auto resumed = run_program(resume(run, {"train.steps=80", "eval.halting=true"}));
  EXPECT_EQ(resumed.status, 1);
  EXPECT_TRUE(contains(resumed.err, "eval.halting cannot change")) << resumed.err;
}

TEST(ReportCommand, WritesOnePage) {
  const auto run = finished_run().string();
  const auto page = finished_run() / "report.html";
  const auto outcome = expect_success({"report", "--run", run});
  EXPECT_EQ(outcome.out, page.string() + "\n");
  EXPECT_TRUE(contains(read_text(page), "<!DOCTYPE html>"));
  const TemporaryFolder folder;
  const auto other = (folder / "both.html").string();
  expect_success({"report", "--run", run, run, "--output", other, "--follow"});  // finished: nothing to wait for
  EXPECT_FALSE(contains(read_text(other), "location.reload")) << "a page of finished runs does not ask for another";
}

TEST(ReportCommand, FollowsARunUntilItEndsOrItIsStopped) {
  const TemporaryFolder folder;
  expect_success(train_tiny(folder / "run", {"train.steps=30"}));
  auto config = read_json(folder / "run/config.json");
  config["train"]["steps"] = 3000;  // as if it were still under way
  write_json(folder / "run/config.json", config);
  Program follower({"report", "--run", (folder / "run").string(), "--follow", "--every", "1"});
  const auto page = folder / "run/report.html";
  for (int tenth = 0; tenth < 300 && !fs::exists(page); ++tenth)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  ASSERT_TRUE(fs::exists(page));
  EXPECT_TRUE(contains(read_text(page), "location.reload"));
  EXPECT_TRUE(follower.running());
  follower.send(SIGINT);
  EXPECT_EQ(follower.wait().status, 0);
  EXPECT_FALSE(contains(read_text(page), "location.reload")) << "the last page stands still";
}

TEST(ReportCommand, MistakesAreNamed) {
  EXPECT_EQ(run_program({"report"}).status, 2);
  const auto missing = run_program({"report", "--run", "nowhere"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_TRUE(contains(missing.err, "'nowhere' is not a run folder")) << missing.err;
  const auto unwritable = run_program({"report", "--run", finished_run().string(), "--output", "/nowhere/page.html"});
  EXPECT_EQ(unwritable.status, 1);
  EXPECT_TRUE(contains(unwritable.err, "/nowhere/page.html")) << unwritable.err;
}

}  // namespace
}  // namespace dis
