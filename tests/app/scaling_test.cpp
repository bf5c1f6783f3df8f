// Rollouts and dis eval --scaling as a user calls them.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

const fs::path& trm_run() {
  static const TemporaryFolder folder;
  static const fs::path run = [] {
    expect_success(train_tiny(folder / "run", {"method.algorithm=trm", "method.targets=label", "method.time=none",
                                               "train.steps=30", "optim.ema_rate=0"}));
    return folder / "run";
  }();
  return run;
}

const Json& point_of(const Json& scaling, std::int64_t K, std::int64_t D) {
  for (const auto& point : scaling.at("points")) {
    if (point.at("rollouts") == K && point.at("steps") == D) return point;
  }
  throw std::runtime_error("no such point");
}

TEST(Scaling, HoldsWhatEvaluationsOfItsPointsSay) {
  const auto run = trm_run().string();
  const std::vector<std::string> noise{"eval.noise=0.8", "eval.decoder=argmax", "eval.select=vote"};
  const auto out =
      expect_success(Arguments{"eval", "--run", run, "--scaling", "K=1,2,4", "D=3,5", "--json"} + set(noise));
  const auto json = parse_json(out.out, "stdout");
  const auto& scaling = json.at("scaling");
  EXPECT_EQ(scaling.at("points").size(), 6U);
  for (const auto K : {2, 4}) {
    auto settings = noise;
    settings.push_back("eval.rollouts=" + std::to_string(K));
    settings.push_back("eval.steps=5");
    const auto evaluated = json_of(Arguments{"eval", "--run", run, "--json"} + set(settings));
    const auto& argmax = evaluated.at("test_sets").front().at("argmax");
    const auto& point = point_of(scaling, K, 5);
    EXPECT_EQ(argmax.at("rollouts").at("selectors"), point.at("selectors"));
    EXPECT_EQ(argmax.at("rollouts").at("pass_at"), point.at("pass_at"));
    EXPECT_EQ(argmax.at("rollouts").at("passes_per_row"), point.at("passes_per_row"));
    EXPECT_EQ(argmax.at("valid").at("hits"), point.at("selectors").at("vote").at("hits"));
  }
  // The same whatever the batch.
  const auto again = json_of(Arguments{"eval", "--run", run, "--scaling", "D=3,5", "K=1,2,4", "--json"} +
                             set({"eval.noise=0.8", "eval.decoder=argmax", "eval.select=vote", "eval.batch=3"}));
  EXPECT_EQ(again.at("scaling").at("points"), scaling.at("points"));
}

TEST(Scaling, IsAFigureAndAPartOfTheReport) {
  const auto run = trm_run();
  const TemporaryFolder folder;
  const auto out =
      expect_success(Arguments{"eval", "--run", run.string(), "--scaling", "K=1,2"} + set({"eval.noise=0.5"}));
  EXPECT_TRUE(contains(out.out, "passes/row")) << out.out;
  const auto stem = "eval/30-steps=3-rollouts=2-noise=0.5-scaling";
  EXPECT_TRUE(fs::exists(run / (std::string(stem) + ".json"))) << out.out;
  EXPECT_TRUE(contains(read_text(run / (std::string(stem) + ".svg")), "<svg"));
  const auto page = folder / "page.html";
  expect_success({"report", "--run", run.string(), "--output", page.string()});
  EXPECT_TRUE(contains(read_text(page), "by rollouts and supervision steps"));
}

TEST(Scaling, AStopKeepsTheRowsSoFar) {
  const auto run = trm_run();
  const TemporaryFolder folder;
  Program program(
      Arguments{"eval", "--run", run.string(), "--output", folder.path().string(), "--scaling", "K=1,20", "D=3,100"} +
      set({"eval.noise=0.5", "eval.batch=1"}));
  while (program.running() && !program.catches(SIGINT)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  program.send(SIGINT);
  const auto outcome = program.wait();
  EXPECT_EQ(outcome.status, 128 + SIGINT) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, ": interrupted")) << outcome.out;
  const auto scaling =
      parse_json(read_text(folder / "30-steps=100-rollouts=20-noise=0.5-scaling-interrupted.json"), "it").at("scaling");
  EXPECT_LT(scaling.at("rows").get<int>(), scaling.at("of").get<int>());
  EXPECT_EQ(point_of(scaling, 20, 100).at("rows"), scaling.at("rows"));
}

TEST(Rollouts, AreToldAfterEachSupervisionStep) {
  const TemporaryFolder folder;
  const auto mazes = folder / "mazes", run = folder / "run";
  expect_success({"data", "build", "--kind", "maze", "--side", "7", "--path", "3", "12", "--train", "40", "--tests",
                  "20", "--output", mazes.string()});
  expect_success(train_tiny(run, {"data.kind=maze", "data.path=" + mazes.string(), "method.time=none",
                                  "method.targets=label", "optim.lr=1e-2", "train.steps=30"}));
  const auto result = [&](const std::vector<std::string>& more) {
    return json_of(Arguments{"eval", "--run", run.string(), "--json"} +
                   set({"eval.noise=0.8", "eval.rollouts=3", "eval.select=margin"}) + set(more));
  };
  const auto all = result({"eval.steps=3"});
  const auto& steps = all.at("per_supervision_step");
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[2], all.at("examples"));
  EXPECT_NE(steps[0], steps[1]);
  for (const std::size_t s : {1U, 2U}) {
    const auto short_one = result({"eval.steps=" + std::to_string(s), "eval.per_step=false"});
    EXPECT_EQ(steps[s - 1], short_one.at("examples"));
    EXPECT_FALSE(short_one.contains("per_supervision_step"));
  }
  const auto boards = json_of(Arguments{"eval", "--run", trm_run().string(), "--json"} +
                              set({"eval.noise=0.8", "eval.rollouts=3", "eval.decoder=argmax"}));
  const auto& argmax = boards.at("test_sets").front().at("argmax");
  EXPECT_EQ(argmax.at("per_supervision_step").size(), 3U);
  EXPECT_EQ(argmax.at("per_supervision_step")[2].at("valid"), argmax.at("valid"));
}

TEST(Scaling, OneRolloutWithoutNoiseIsThePlainEvaluation) {
  const auto run = trm_run().string();
  const auto plain = json_of({"eval", "--run", run, "--json"});
  const auto one =
      json_of(Arguments{"eval", "--run", run, "--json"} + set({"eval.rollouts=1", "eval.noise=0", "eval.steps=0"}));
  EXPECT_EQ(one, plain);
  const auto steps = json_of(Arguments{"eval", "--run", run, "--json"} + set({"eval.steps=2", "eval.decoder=argmax"}));
  EXPECT_EQ(steps.at("test_sets").front().at("argmax").at("per_supervision_step").size(), 2U);
  EXPECT_EQ(steps.at("test_sets").front().at("argmax").at("per_supervision_step")[1],
            plain.at("test_sets").front().at("argmax").at("per_supervision_step")[1]);
}

TEST(Rollouts, OfTheDecoderCommitHaveNoScores) {
  const auto json = json_of(Arguments{"eval", "--run", trm_run().string(), "--json"} +
                            set({"eval.decoder=commit", "eval.commit_temperature=1", "eval.rollouts=4"}));
  const auto& selectors = json.at("test_sets").front().at("commit").at("rollouts").at("selectors");
  EXPECT_TRUE(selectors.contains("vote") && selectors.contains("rules") && !selectors.contains("halting"));
}

TEST(Scaling, AnalysisSaysWhereRolloutsLeftTheirSiblings) {
  const auto run = trm_run().string();
  const auto json = json_of(Arguments{"analyze", "--run", run, "--json"} +
                            set({"eval.noise=2", "eval.rollouts=4", "analyze.one_completion=false"}));
  const auto& siblings = json.at("siblings");
  EXPECT_EQ(siblings.at("rollouts"), 4);
  EXPECT_EQ(siblings.at("steps").size(), 3U);
  std::int64_t left = 0;
  for (const auto& step : siblings.at("steps")) left += step.at("left").get<std::int64_t>();
  EXPECT_GT(left, 0);
  EXPECT_FALSE(json_of({"analyze", "--run", run, "--json"}).contains("siblings"));
}

TEST(Scaling, MistakesAreNamed) {
  const auto run = trm_run().string();
  const auto message = [&](const Arguments& grid, const std::vector<std::string>& fields) {
    const auto outcome = run_program(Arguments{"eval", "--run", run, "--scaling"} + grid + set(fields));
    EXPECT_EQ(outcome.status, 1);
    return outcome.err;
  };
  EXPECT_TRUE(contains(message({"K=1,x"}, {"eval.noise=1"}), "whole numbers from 1 on"));
  EXPECT_TRUE(contains(message({"K=0"}, {"eval.noise=1"}), "whole numbers from 1 on"));
  EXPECT_TRUE(contains(message({"N=3"}, {"eval.noise=1"}), "expected K=1,2,4 (rollouts) and D=8,16"));
  EXPECT_TRUE(contains(message({"K=1,2"}, {}), "eval.rollouts = 2 are all the same without draws"));
}

TEST(Rollouts, OfArcAreChosenBeforeTheVote) {
  const TemporaryFolder folder;
  const auto run = folder / "arc";
  expect_success(train_small_arc(run));
  const auto eval = [&](const std::vector<std::string>& fields) {
    return json_of(Arguments{"eval", "--run", run.string(), "--json"} + set(fields));
  };
  const std::vector<std::string> noise{"eval.noise=0.5", "eval.per_step=false", "eval.select=margin"};
  auto several = noise;
  several.push_back("eval.rollouts=3");
  const auto rolled = eval(several);
  const auto grid = json_of(Arguments{"eval", "--run", run.string(), "--scaling", "K=1,3", "--json"} + set(noise));
  const auto& points = grid.at("scaling").at("points");
  EXPECT_EQ(points[1].at("pass_at_2").at("margin"), rolled.at("arc").at("pass_at").at("2").at("arc_prize"));
  EXPECT_EQ(points[0].at("pass_at_2").at("last"), eval(noise).at("arc").at("pass_at").at("2").at("arc_prize"));
}

TEST(Rollouts, CoverTheCompletionsOfASolutionsSplit) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(
      train_tiny(run, {"data.split=solutions", "data.min_givens=1", "data.train_max_givens=4", "train.steps=30"}));
  const auto json = json_of(Arguments{"eval", "--run", run.string(), "--json"} +
                            set({"eval.rollouts=5", "eval.commit_temperature=1", "eval.decoder=commit"}));
  const auto& commit = json.at("test_sets").at("solutions").at("commit");
  EXPECT_EQ(commit.at("coverage").at("answers_per_board"), 5);
  EXPECT_GT(commit.at("coverage").at("pooled").at("uniform_draws"), 0.5);
  EXPECT_EQ(commit.at("rollouts").at("selectors").at("rules").at("total"), commit.at("boards"));
  EXPECT_EQ(json.at("test_sets").at("empty").at("commit").at("boards"), 100);
}

}  // namespace
}  // namespace dis
