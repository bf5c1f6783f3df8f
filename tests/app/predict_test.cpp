// dis predict as a user calls it: the fit is a training run, stopped, resumed and shared as one.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/clock.h"
#include "dis/core/files.h"
#include "dis/core/safetensors.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

const fs::path kSets = fs::path(DIS_SOURCE_DIR) / "tests/data/arc";

const fs::path& trained_run() {
  static const TemporaryFolder folder;
  static const fs::path run = [] {
    expect_success(train_small_arc(folder / "run") + set({"train.eval_every=0", "train.keep_best=false"}));
    return folder / "run";
  }();
  return run;
}

Arguments predict(const fs::path& output, const std::vector<std::string>& settings) {
  return Arguments{"predict",
                   "--run",
                   trained_run().string(),
                   "--input",
                   (kSets / "arc-agi_small_challenges.json").string(),
                   "--output",
                   output.string()} +
         set({"eval.allow_seen_tasks=true", "predict.augmentations=3", "predict.batch=8"}) + set(settings);
}

fs::path weights_of_fit(const fs::path& run) { return run / "checkpoints/latest/model.safetensors"; }

/// The tensors of `b` whose bytes are others in `a`.
std::vector<std::string> changed_tensors(const fs::path& a, const fs::path& b) {
  const SafetensorsFile theirs(a), ours(b);
  std::vector<std::string> changed;
  for (const auto& tensor : ours.tensors()) {
    const auto* other = theirs.find(tensor.name);
    if (other == nullptr || !std::ranges::equal(theirs.data(*other), ours.data(tensor))) changed.push_back(tensor.name);
  }
  return changed;
}

TEST(Predict, GoesOnWhereItWasStopped) {
  const TemporaryFolder folder;
  const std::vector<std::string> fit{"predict.steps=400", "predict.rows_first=0.5", "predict.lr=1e-3",
                                     "predict.ema_rate=0.9"};
  expect_success(predict(folder / "whole.json", fit));
  Program program(predict(folder / "stopped.json", fit));
  const auto run = folder / "stopped_run";
  ASSERT_TRUE(wait_until(program, [&] { return metrics_lines(run) >= 5; })) << program.wait().err;
  program.send(SIGTERM);
  const auto stopped = program.wait();
  EXPECT_EQ(stopped.status, 128 + SIGTERM) << stopped.err;
  const auto told = "dis predict --output " + (folder / "stopped.json").string() + " --run-dir " + run.string();
  EXPECT_TRUE(contains(stopped.err, told + " --resume")) << stopped.err;
  EXPECT_LT(metrics_lines(run), 200U) << "it was stopped on its way";
  EXPECT_FALSE(fs::exists(folder / "stopped.json")) << "no answers yet";
  const Arguments go_on{"predict", "--output", (folder / "stopped.json").string(), "--resume"};
  expect_success(go_on);
  EXPECT_EQ(read_text(folder / "stopped.json"), read_text(folder / "whole.json"));
  EXPECT_EQ(read_text(weights_of_fit(run)), read_text(weights_of_fit(folder / "whole_run")));
  // Once all is done the same command writes the answers again.
  fs::remove(folder / "stopped.json");
  expect_success(go_on);
  EXPECT_EQ(read_text(folder / "stopped.json"), read_text(folder / "whole.json"));
}

TEST(Predict, FirstTheRowsLearnThenTheNetwork) {
  const TemporaryFolder folder;
  const auto trained = weights_of_fit(trained_run());
  const auto changed_by = [&](const std::string& name, const std::vector<std::string>& settings) {
    expect_success(predict(folder / (name + ".json"), settings));
    auto changed = changed_tensors(trained, weights_of_fit(folder / (name + "_run")));
    std::erase_if(changed, [](const std::string& tensor) { return contains(tensor, "puzzle_emb"); });
    return changed;
  };
  EXPECT_EQ(changed_by("rows", {"predict.steps=8", "predict.rows_first=1"}), std::vector<std::string>{});
  EXPECT_FALSE(changed_by("all", {"predict.steps=8", "predict.rows_first=0.5"}).empty());
  EXPECT_FALSE(changed_by("default", {"predict.steps=8"}).empty());
  const auto rate = [&](const fs::path& run) { return read_json(run / "config.json").at("optim").at("lr"); };
  EXPECT_EQ(rate(folder / "default_run"), rate(trained_run())) << "as it was trained";
  EXPECT_EQ(changed_by("none", {"predict.steps=0", "predict.rows_first=0"}), std::vector<std::string>{});
}

TEST(Predict, HandsOnAsManyAttemptsAsAreAskedFor) {
  const TemporaryFolder folder;
  expect_success(predict(folder / "ten.json", {"predict.steps=2", "eval.attempts=11"}));
  const auto submission = read_json(folder / "ten.json");
  EXPECT_EQ(submission.size(), 8U);
  for (const auto& [task, entries] : submission.items()) {
    for (const auto& entry : entries) {
      int number = 0;
      for (const auto& [attempt, grid] : entry.items()) EXPECT_EQ(attempt, "attempt_" + std::to_string(++number));
      EXPECT_EQ(number, 11);
    }
  }
}

/// All tasks of the small set that the field holds, with two attempts at each of their test inputs.
void expect_complete(const fs::path& submission) {
  expect_success(Arguments{"eval", "--check-submission", submission.string()} +
                 set({"data.kind=arc", "data.path=" + kSets.string(), "data.subsets=small", "data.test_set=small",
                      "data.max_grid=6"}));
}

TEST(Predict, GoesOnWhereverItsFolderIs) {
  const TemporaryFolder folder;
  expect_success(predict(folder / "a.json", {"predict.steps=4"}));
  fs::rename(folder / "a_run", folder / "moved");
  expect_success(
      {"predict", "--output", (folder / "b.json").string(), "--run-dir", (folder / "moved").string(), "--resume"});
  EXPECT_EQ(read_text(folder / "b.json"), read_text(folder / "a.json"));
}

TEST(Predict, ARestartOfTheLauncherGoesOnWithTheSameFitOnly) {
  const TemporaryFolder folder;
  const auto restarted = [&](const std::vector<std::string>& settings) {
    return Program(predict(folder / "a.json", settings),
                   {"RANK=0", "LOCAL_RANK=0", "WORLD_SIZE=1", "LOCAL_WORLD_SIZE=1", "MASTER_ADDR=127.0.0.1",
                    "MASTER_PORT=" + std::to_string(20000 + ::getpid() % 20000), "TORCHELASTIC_RESTART_COUNT=1"})
        .wait();
  };
  expect_success(predict(folder / "a.json", {"predict.steps=4"}));
  const auto other = restarted({"predict.steps=4", "predict.augmentations=1"});
  EXPECT_EQ(other.status, 1);
  EXPECT_TRUE(contains(other.err, "exists already")) << other.err;
  EXPECT_EQ(restarted({"predict.steps=4"}).status, 0);
  for (const char* file : {"challenges", "solutions"}) {
    const auto tasks = folder / ("a_run/tasks/arc-agi_unseen_" + std::string(file) + ".json");
    auto fewer = read_json(tasks);
    fewer.erase(fewer.begin());
    write_json(tasks, fewer);
  }
  const auto others = restarted({"predict.steps=4"});
  EXPECT_TRUE(contains(others.err, "exists already")) << "it was fitted to other tasks: " << others.err;
}

TEST(Predict, BeginsAnewAfterAStartThatWasBrokenOff) {
  const TemporaryFolder folder;
  expect_success(predict(folder / "a.json", {"predict.steps=4"}));
  const auto run = folder / "a_run";
  for (const auto& entry : fs::directory_iterator(run)) {
    const auto name = entry.path().filename();
    if (name != "content.json" && name != "identifiers.json" && name != "tasks") fs::remove_all(entry.path());
  }
  write_atomically(run / "content.json", std::string_view("{}"));
  const auto resumed = run_program({"predict", "--output", (folder / "a.json").string(), "--resume"});
  EXPECT_TRUE(contains(resumed.err, "was broken off before it began")) << resumed.err;
  expect_success(predict(folder / "a.json", {"predict.steps=4"}));
}

TEST(Predict, ReadsRunsOfBefore) {
  const TemporaryFolder folder;
  const auto run = folder / "old";
  fs::copy(trained_run(), run, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  auto config = read_json(run / "config.json");
  config["predict"] = {{"steps", 2}, {"train_network", false}};
  write_json(run / "config.json", config);
  expect_success({"eval", "--run", run.string()});
}

TEST(Predict, EndsWithinItsTimeThoughTheMachineSlowsDown) {
  const TemporaryFolder folder;
  const auto output = folder / "a.json";
  const double start = steady_seconds();
  Program program(predict(output, {"predict.steps=10000000"}) + Arguments{"--time-limit", "10s"});
  ASSERT_TRUE(wait_until(program, [&] { return contains(program.err_so_far(), "the time limit has room for"); }))
      << program.wait().err;
  program.send(SIGSTOP);
  std::this_thread::sleep_for(std::chrono::seconds(3));
  program.send(SIGCONT);
  const auto outcome = program.wait();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_LT(steady_seconds() - start, 12.0) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "the time is up at update")) << outcome.err;
  expect_complete(output);
}

TEST(Predict, FitsChunksOneAfterTheOther) {
  const TemporaryFolder folder;
  const auto output = folder / "a.json";
  const std::vector<std::string> fit{"predict.steps=300", "predict.augmentations=1"};
  Program program(predict(output, fit) + Arguments{"--chunks", "2"});
  ASSERT_TRUE(wait_until(program, [&] { return fs::exists(folder / "a_run/chunk_1/metrics.jsonl"); }))
      << program.wait().err;
  expect_complete(output);  // with the first chunk's answers
  program.send(SIGKILL);
  program.wait();
  const auto refused = run_program(predict(output, fit) + Arguments{"--chunks", "2"});
  EXPECT_TRUE(contains(refused.err, "exists already")) << refused.err;
  const auto end = expect_success({"predict", "--output", output.string(), "--resume"});
  EXPECT_TRUE(contains(end.out, "8 tasks in 2 chunks, pass@2 ") && contains(end.out, " of 5 tasks")) << end.out;
  EXPECT_FALSE(contains(end.err, "chunk 1 of")) << "it is done";
  expect_complete(output);
  // Each chunk is what its tasks alone would give.
  const auto all = read_json(kSets / "arc-agi_small_challenges.json"), whole = read_json(output);
  const auto chunk = read_json(folder / "a_run/chunk_1.json");
  Json theirs = Json::object();
  for (const auto& [task, pairs] : all.items()) {
    if (!chunk.contains(task)) continue;
    theirs[task] = pairs;
    EXPECT_EQ(whole.at(task), chunk.at(task)) << task;
  }
  EXPECT_GE(chunk.size(), 2U);
  write_json(folder / "theirs.json", theirs);
  auto alone = predict(folder / "b.json", fit);
  *std::ranges::find(alone, (kSets / "arc-agi_small_challenges.json").string()) = (folder / "theirs.json").string();
  expect_success(alone);
  EXPECT_EQ(read_text(folder / "b.json"), read_text(folder / "a_run/chunk_1.json"));
  EXPECT_EQ(read_text(weights_of_fit(folder / "b_run")), read_text(weights_of_fit(folder / "a_run/chunk_1")));
  // Neither its settings nor its files are replaced.
  for (const auto& [more, told] : {std::pair(Arguments{"--set", "predict.steps=3"}, "keep the settings"),
                                   {Arguments{"--chunks", "3"}, "keep the settings"}}) {
    const auto other = run_program(Arguments{"predict", "--output", output.string(), "--resume"} + more);
    EXPECT_TRUE(contains(other.err, told)) << other.err;
  }
  for (const auto& mine : {folder / "a_run/chunks.json", kSets / "arc-agi_small_challenges.json"}) {
    const auto other =
        run_program({"predict", "--output", mine.string(), "--run-dir", (folder / "a_run").string(), "--resume"});
    EXPECT_TRUE(contains(other.err, "is read by this command")) << other.err;
  }
  const auto many = run_program(predict(folder / "c.json", fit) + Arguments{"--chunks", "6"});
  EXPECT_TRUE(contains(many.err, "--chunks: expected at most 5")) << many.err;
  EXPECT_FALSE(fs::exists(folder / "c_run"));
}

TEST(Predict, AnswersBoardsOfATextWithoutAFit) {
  const TemporaryFolder folder;
  const auto run = (folder / "run").string(), output = (folder / "a.json").string();
  expect_success(train_tiny(run, {"train.steps=12"}));
  write_atomically(folder / "boards.txt", std::string_view(".....\n.....\n...Q.\n.....\n.....\n\n"
                                                           "Q........................\n"));
  const auto ask = [&](const std::string& input, const Arguments& more) {
    return run_program(Arguments{"predict", "--run", run, "--input", (folder / input).string(), "--output", output} +
                       more);
  };
  const auto found = ask("boards.txt", {"--picture", (folder / "a.svg").string()});
  EXPECT_EQ(found.status, 0) << found.err;
  EXPECT_TRUE(contains(found.out, "2 puzzles") && contains(found.out, "of 2 valid")) << found.out;
  EXPECT_TRUE(contains(read_text(folder / "a.svg"), ">answer</text>"));
  const auto puzzles = read_json(output).at("puzzles");
  ASSERT_EQ(puzzles.size(), 2U);
  EXPECT_EQ(puzzles[0].at("question"), ".............Q...........");
  for (const auto& puzzle : puzzles) {
    const auto question = puzzle.at("question").get<std::string>(), answer = puzzle.at("answer").get<std::string>();
    EXPECT_EQ(std::ranges::count(answer, 'Q'), 5) << "commit places them all";
    for (std::size_t cell = 0; cell < answer.size(); ++cell) EXPECT_TRUE(question[cell] != 'Q' || answer[cell] == 'Q');
  }
  // Draws belong to the board, whatever goes through the network with it.
  write_atomically(
      folder / "empty.txt", std::string(12, '\n') + [] {
        std::string boards;
        for (int board = 0; board < 12; ++board) boards += std::string(25, '.') + "\n";
        return boards;
      }());
  std::vector<Json> drawn;
  for (const char* batch : {"eval.batch=2", "eval.batch=100"}) {
    EXPECT_EQ(ask("empty.txt", set({"eval.commit_temperature=1", batch})).status, 0);
    drawn.push_back(read_json(output).at("puzzles"));
  }
  EXPECT_EQ(drawn[0], drawn[1]);
  EXPECT_NE(drawn[0][0], drawn[0][2]) << "not the same draws in every batch";
  const auto steps = (folder / "steps.svg").string();
  expect_success({"eval", "--run", run, "--show", "1", "--picture", steps});
  EXPECT_TRUE(contains(read_text(steps), ">givens</text>"));
  write_atomically(folder / "four.txt", std::string_view("....\n"));
  EXPECT_TRUE(contains(ask("four.txt", {}).err, "line 1: expected a puzzle of 25 characters, or a row of 5"));
  write_atomically(folder / "attack.txt", std::string_view("QQ.......................\n"));
  EXPECT_TRUE(contains(ask("attack.txt", {}).err, "line 1: expected queens that do not attack one another"));
  EXPECT_TRUE(contains(ask("boards.txt", {"--time-limit", "5s"}).err, "answer without a fit"));
  EXPECT_TRUE(contains(ask("boards.txt", {"--picture", output + ""}).err, "--output and --picture are both"));
  EXPECT_EQ(ask("boards.txt", {"--output", (folder / "boards.txt").string()}).status, 2) << "--output twice";
}

TEST(Predict, HasAllTasksOnTheDiskOnceTheVoteHasBegun) {
  const TemporaryFolder folder;
  const auto output = folder / "a.json";
  Program program(predict(output, {"predict.steps=2", "predict.augmentations=300", "eval.batch=1"}) +
                  Arguments{"--time-limit", "1m"});
  ASSERT_TRUE(wait_until(program, [&] { return fs::exists(output) && fs::file_size(output) > 0; }))
      << program.wait().err;
  program.send(SIGKILL);
  EXPECT_EQ(program.wait().signal, SIGKILL) << "it was to be killed while it votes";
  expect_complete(output);
  // It goes on with the votes that are there, and ends as one that was never stopped.
  const auto go_on = expect_success({"predict", "--output", output.string(), "--resume", "--time-limit", "1m"});
  EXPECT_TRUE(contains(go_on.err, "votes are there already")) << go_on.err;
  expect_success(predict(folder / "b.json", {"predict.steps=2", "predict.augmentations=300", "eval.batch=1"}));
  EXPECT_EQ(read_text(output), read_text(folder / "b.json"));
}

TEST(Predict, TakesPresetsAndTellsMistakes) {
  const TemporaryFolder folder;
  const auto message = [&](const Arguments& more, const std::vector<std::string>& settings) {
    const auto outcome = run_program(predict(folder / "a.json", settings) + more);
    EXPECT_EQ(outcome.status, 1) << outcome.err;
    return outcome.err;
  };
  for (const auto* steps : {"predict.num_supervision=3", "predict.num_supervision=1"}) {
    EXPECT_TRUE(contains(message({}, {steps}), "is for 2 supervision steps; expected 0 or 2"));
  }
  EXPECT_TRUE(contains(message({}, {"optim.lr=1"}), "the fit takes this from predict.lr"));
  EXPECT_TRUE(contains(message({}, {"model.hidden_size=32"}), "should be F32")) << "weights that do not fit";
  write_atomically(folder / "preset.json", std::string_view(R"({"predict": {"step": 4}})"));
  EXPECT_TRUE(contains(message({"--config", (folder / "preset.json").string()}, {}), "predict.step"));
  for (const char* wrong : {"5", "h", "1h1h", "30m1h", "1.5h", "0s"}) {
    EXPECT_TRUE(contains(message({"--time-limit", wrong}, {}), "expected hours, minutes and seconds")) << wrong;
  }
  EXPECT_FALSE(fs::exists(folder / "a_run"));
  const auto rows = (fs::path(DIS_SOURCE_DIR) / "configs/predict/rows.json").string();
  expect_success(predict(folder / "a.json", {"predict.steps=2", "predict.augmentations=1"}) +
                 Arguments{"--config", rows});
  const auto config = read_json(folder / "a_run/config.json");
  EXPECT_EQ(config.at("optim").at("rows_first"), 1.0);
  EXPECT_EQ(config.at("train").at("steps"), 2) << "--set comes after the preset";
  EXPECT_TRUE(contains(message({}, {}), "exists already: go on with --resume"));
  // A folder of something else is left alone.
  fs::create_directories(folder / "mine/tasks");
  write_atomically(folder / "mine/tasks/mine.json", std::string_view("mine"));
  write_atomically(folder / "mine/notes.txt", std::string_view("mine"));
  const auto mine = contents(folder / "mine");
  EXPECT_TRUE(contains(message({"--run-dir", (folder / "mine").string()}, {}), "exists already"));
  EXPECT_EQ(difference(mine, contents(folder / "mine")), "");
  const auto other = run_program({"predict", "--output", (folder / "b.json").string(), "--resume"});
  EXPECT_TRUE(contains(other.err, "is no run folder that dis predict made")) << other.err;
}

}  // namespace
}  // namespace dis
