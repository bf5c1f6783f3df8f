// ARC through the program: data, a run, its evaluation, a submission, unseen tasks; and what users get wrong.
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "dis/core/files.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

const fs::path kSets = fs::path(DIS_SOURCE_DIR) / "tests/data/arc";

Arguments arc_data(const std::vector<std::string>& more = {}) {
  return set({"data.kind=arc", "data.path=" + kSets.string(), "data.subsets=small,other", "data.test_set=small",
              "data.augmentations=4", "data.max_grid=6"}) +
         set(more);
}

Arguments train_arc(const fs::path& run, const std::vector<std::string>& more = {}) {
  return Arguments{"train", "--run-dir", run.string()} + arc_data() +
         set({"model.hidden_size=16", "model.num_heads=2", "model.expansion=0.5", "model.puzzle_emb_len=1",
              "method.num_supervision=2", "train.global_batch=4", "train.steps=6", "compute.dtype=float32",
              "compute.threads=1", "optim.warmup_steps=0"}) +
         set(more);
}

TEST(Arc, InfoCountsAndNamesTheIdentifiers) {
  const auto info =
      json_of(Arguments{"data", "info", "--json"} + arc_data({"data.max_grid=30", "data.augmentations=30"}));
  const auto build = read_json(kSets.parent_path() / "golden/arc_small.json").at("build");
  EXPECT_EQ(info.at("identifiers_sha256"), build.at("identifiers_sha256"));
  EXPECT_EQ(info.at("identifiers"), build.at("identifiers").size());
  EXPECT_EQ(info.at("subsets").at(0).at("tasks"), 8);
}

TEST(Arc, ShowDrawsATask) {
  const TemporaryFolder folder;
  const auto text = expect_success(Arguments{"data", "show", "0d3d703e", "--plain"} + arc_data()).out;
  EXPECT_NE(text.find("0d3d703e"), std::string::npos) << text;
  for (const char* name : {"task.svg", "task.png"}) {
    expect_success(Arguments{"data", "show", "0d3d703e", "--output", (folder / name).string()} + arc_data());
    EXPECT_GT(fs::file_size(folder / name), 500U);
  }
}

TEST(Arc, ARunIsEvaluatedAndItsSubmissionIsComplete) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(train_arc(run, {"train.eval_every=6", "eval.tasks=2", "eval.votes=2"}));
  EXPECT_EQ(read_json(run / "eval/6.json").at("arc").at("tasks"), 2) << "while training: a sample";

  const auto scores =
      json_of({"eval", "--run", run.string(), "--json", "--set", "eval.tasks=0", "--set", "eval.votes=0"});
  EXPECT_EQ(scores.at("arc").at("tasks"), 5);
  EXPECT_EQ(scores.at("arc").at("predictions"), scores.at("arc").at("table").size() * 5);
  EXPECT_EQ(scores.at("per_supervision_step").size(), 2U);
  EXPECT_TRUE(fs::exists(run / "eval/6-tasks=0-votes=0_tasks.csv"));
  EXPECT_EQ(read_json(run / "eval/6.json").at("arc").at("tasks"), 2) << "the run's own settings keep their scores";
  for (const auto& entry : fs::directory_iterator(run / "eval")) EXPECT_NE(entry.path().extension(), ".votes");

  const auto submission = (run / "eval/6-tasks=0-votes=0_submission.json").string();
  const auto check = Arguments{"eval", "--check-submission", submission} + arc_data();
  EXPECT_NE(expect_success(check).out.find("8 tasks"), std::string::npos) << "with those beyond data.max_grid";
  auto broken = read_json(submission);
  broken.erase(broken.begin());
  write_json(folder / "broken.json", broken);
  const auto outcome =
      run_program(Arguments{"eval", "--check-submission", (folder / "broken.json").string()} + arc_data());
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("1 problem"), std::string::npos) << outcome.err;
}

TEST(Arc, WeightsFromElsewhereAreEvaluatedByTheirIdentifiers) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(train_arc(run));
  const auto weights = (run / "checkpoints/latest/model.safetensors").string();
  const auto network =
      set({"model.hidden_size=16", "model.num_heads=2", "model.expansion=0.5", "model.puzzle_emb_len=1",
           "method.num_supervision=2", "compute.dtype=float32", "compute.threads=1"});
  const auto elsewhere =
      Arguments{"eval",     "--weights",  weights, "--identifiers", (run / "identifiers.json").string(),
                "--output", folder / "e", "--json"} +
      arc_data() + network;
  const auto ours = json_of({"eval", "--run", run.string(), "--json"});
  EXPECT_EQ(json_of(elsewhere).at("arc"), ours.at("arc"));

  // Puzzles in another order find their rows by name; the vote is the same but for ties.
  const auto other_seed = json_of(elsewhere + set({"data.build_seed=43"}));
  EXPECT_EQ(other_seed.at("arc").at("tasks"), ours.at("arc").at("tasks"));

  const auto refused = run_program({"eval", "--run", run.string(), "--set", "data.test_set=other"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("training saw the answers"), std::string::npos) << refused.err;
  const auto forced = json_of(
      {"eval", "--run", run.string(), "--json", "--set", "data.test_set=other", "--set", "eval.allow_seen_tasks=true"});
  EXPECT_NE(forced.at("warning").get<std::string>().find("training saw the answers"), std::string::npos);
}

TEST(Arc, ExportedWeightsComeBackWithTheirIdentifiers) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(train_arc(run));
  const auto state_dict = (folder / "step_6").string();
  expect_success({"export", "--run", run.string(), "--output", state_dict});
  const Arguments import = {"import", "--input", state_dict, "--config", (run / "config.json").string(), "--output"};
  const auto bare = folder / "bare.safetensors", named = folder / "named";
  const auto loud = expect_success(import + Arguments{bare.string()});
  EXPECT_NE(loud.err.find("without --identifiers only the number of puzzle rows was compared"), std::string::npos)
      << loud.err;
  const auto quiet =
      expect_success(import + Arguments{named.string(), "--identifiers", (run / "identifiers.json").string()});
  EXPECT_EQ(quiet.err.find("--identifiers"), std::string::npos) << quiet.err;
  EXPECT_NE(quiet.out.find("all names and shapes fit"), std::string::npos) << quiet.out;
  EXPECT_EQ(read_text(named / "model.safetensors"), read_text(bare));
  EXPECT_EQ(read_json(named / "identifiers.json"), read_json(run / "identifiers.json"));
  const auto theirs = json_of(Arguments{"eval", "--weights", (named / "model.safetensors").string(), "--identifiers",
                                        (named / "identifiers.json").string(), "--config",
                                        (run / "config.json").string(), "--output", folder / "e", "--json"});
  EXPECT_EQ(theirs.at("arc"), json_of({"eval", "--run", run.string(), "--json"}).at("arc"));
}

TEST(Arc, UnseenTasksGetRowsOfTheirOwn) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(train_arc(run));
  write_atomically(folder / "new.json",
                   std::string_view(R"({"train": [{"input": [[1, 0], [0, 1]], "output": [[0, 1], [1, 0]]},
                                                      {"input": [[2, 0], [0, 2]], "output": [[0, 2], [2, 0]]}],
                                            "test": [{"input": [[3, 0], [0, 3]]}]})"));
  const auto output = folder / "submission.json";
  const Arguments predict{"predict",  "--run",        run.string(), "--input", (folder / "new.json").string(),
                          "--output", output.string()};
  const auto result = json_of(predict + Arguments{"--json"} + set({"predict.steps=4", "predict.augmentations=3"}));
  EXPECT_EQ(result.at("tasks"), 1);
  const auto submission = read_json(output);
  ASSERT_TRUE(submission.contains("new"));
  EXPECT_TRUE(submission.at("new").at(0).contains("attempt_2"));

  // The run was trained on the answers of the set `other`.
  const auto others = folder / "others.json";
  const auto other =
      Arguments{"predict",  "--run",        run.string(), "--input", (kSets / "arc-agi_other_challenges.json").string(),
                "--output", others.string()} +
      set({"predict.steps=2", "predict.augmentations=1"});
  const auto refused = run_program(other);
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("training saw the answers"), std::string::npos) << refused.err;

  // Tasks that are too large keep their place in the submission.
  const auto mixed = expect_success(other + set({"eval.allow_seen_tasks=true"}));
  EXPECT_NE(mixed.err.find("2 tasks ("), std::string::npos) << mixed.err;
  const auto whole = read_json(others);
  EXPECT_EQ(whole.size(), 4U);
  EXPECT_EQ(whole.at("TopBottom2D9").size(), 3U);
}

/// A row of `columns` cells as JSON.
std::string wide_row(int columns) {
  std::string row = "[[1";
  for (int i = 1; i < columns; ++i) row += ", 1";
  return row + "]]";
}

TEST(Arc, TasksBeyondAnyFieldHaveAPlaceWithoutAnAnswer) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  const std::string pair = R"({"input": [[1]], "output": [[2]]})";
  const std::string wide = R"({"input": [[1]], "output": )" + wide_row(40) + "}";
  fs::create_directories(folder / "sets/small");
  fs::copy(kSets / "arc-agi_small_challenges.json", folder / "sets/small/all_challenges.json");
  fs::copy(kSets / "arc-agi_small_solutions.json", folder / "sets/small/all_solutions.json");
  const auto task = [&](const std::string& train, const std::string& test) {
    return R"({"train": [)" + train + R"(], "test": [)" + test + "]}";
  };
  write_atomically(folder / "sets/small/wide.json", task(pair, wide));
  const auto data = Arguments{"data", "info", "--json"} +
                    arc_data({"data.path=" + (folder / "sets").string(), "data.subsets=small", "data.max_grid=30"});
  const auto info = run_program(data);
  EXPECT_EQ(parse_json(info.out, "output").at("left_out"), Json::array({"wide"}));
  EXPECT_EQ(info.err, "warning: 1 task (wide) left out for a grid of more than 30 rows or columns (data.max_grid)\n");

  expect_success(train_arc(run, {"data.path=" + (folder / "sets").string(), "data.subsets=small"}));
  json_of({"eval", "--run", run.string(), "--json", "--set", "eval.votes=1"});
  std::size_t submissions = 0;
  for (const auto& entry : fs::recursive_directory_iterator(run)) {
    if (!entry.path().string().ends_with("_submission.json")) continue;
    ++submissions;
    expect_success(Arguments{"eval", "--check-submission", entry.path().string()} +
                   arc_data({"data.path=" + (folder / "sets").string(), "data.subsets=small"}));
  }
  EXPECT_EQ(submissions, 1U);

  // Folders of anything, a name that is not UTF-8 among them; the answers that are known are scored.
  fs::create_directories(folder / "new/below");
  write_atomically(folder / "new/caf\xe9.json", task(pair, pair));
  write_atomically(folder / "new/below/wide.json", task(wide, pair + ", " + pair));
  write_atomically(folder / "new/pairs.json", "[" + pair + "]");
  const auto output = (folder / "out\xe9.json").string();
  const auto predict =
      Arguments{"predict", "--run", run.string(), "--input", (folder / "new").string(), "--output", output, "--json"} +
      set({"predict.steps=2", "predict.augmentations=1"});
  EXPECT_NE(run_program(predict).err.find("name another with --run-dir"), std::string::npos);
  const auto named = predict + Arguments{"--run-dir", (folder / "fit").string()};
  const auto result = json_of(named);
  EXPECT_EQ(result.at("tasks"), 2);
  const auto submission = read_json(output);
  EXPECT_EQ(submission.size(), 2U);
  EXPECT_TRUE(submission.contains("caf\\xE9"));
  EXPECT_EQ(submission.at("wide").dump(),
            "[{\"attempt_1\":[[0]],\"attempt_2\":[[0]]},{\"attempt_1\":[[0]],\"attempt_2\":[[0]]}]");

  fs::remove(folder / "new/caf\xe9.json");
  fs::remove_all(folder / "new/below");
  fs::remove_all(folder / "fit");
  const auto nothing = run_program(named);
  EXPECT_EQ(nothing.status, 1);
  EXPECT_NE(nothing.err.find("has a test input"), std::string::npos) << nothing.err;
}

/// What the program prints on a terminal of its own, with these variables.
std::string on_a_terminal(const Arguments& arguments,
                          const std::vector<std::pair<std::string, std::string>>& variables) {
  int terminal = -1;
  winsize size{24, 20, 0, 0};
  const pid_t process = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (process == 0) {
    for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> words{const_cast<char*>(DIS_EXECUTABLE)};
    for (const auto& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    ::execv(DIS_EXECUTABLE, words.data());
    ::_exit(127);
  }
  std::string text;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::read(terminal, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  ::close(terminal);
  EXPECT_EQ(status, 0) << text;
  return text;
}

TEST(Arc, TerminalsAreDrawnForAsTheyAskFor) {
  const auto show = Arguments{"data", "show", "0d3d703e"} + arc_data();
  const auto draw = [&](std::vector<std::pair<std::string, std::string>> more) {
    std::vector<std::pair<std::string, std::string>> all{
        {"TERM", "xterm"}, {"NO_COLOR", ""}, {"LC_ALL", ""}, {"LC_CTYPE", ""}, {"LANG", "en_GB.UTF-8"}};
    all.insert(all.end(), more.begin(), more.end());
    return on_a_terminal(show, all);
  };
  const auto coloured = [](const std::string& text) { return text.find("\x1b[") != std::string::npos; };
  EXPECT_TRUE(coloured(draw({}))) << "an empty NO_COLOR forbids nothing";
  EXPECT_FALSE(coloured(draw({{"NO_COLOR", "1"}})));
  EXPECT_FALSE(coloured(draw({{"TERM", "dumb"}})));
  EXPECT_FALSE(coloured(draw({{"TERM", ""}})));
  const Arguments boards{"data", "show", "--set", "data.kind=nqueens"};
  const auto queens = [&](const std::string& locale) {
    return on_a_terminal(boards, {{"TERM", "xterm"}, {"NO_COLOR", ""}, {"LC_ALL", locale}});
  };
  EXPECT_NE(queens("C.UTF-8").find("\u265b"), std::string::npos);
  const auto ascii = queens("C");
  EXPECT_TRUE(coloured(ascii));
  EXPECT_TRUE(std::ranges::all_of(ascii, [](char c) { return c > 0; }));
}

TEST(Arc, AnExportIsReadBackAndTrained) {
  const TemporaryFolder folder;
  const auto arrays = (folder / "arrays").string();
  expect_success(Arguments{"data", "export", "--output", arrays} + arc_data());
  const auto config = (folder / "own.json").string();
  expect_success({"data", "import", "--input", arrays, "--output", config});
  const auto run = (folder / "run").string();
  expect_success(Arguments{"train", "--config", config, "--run-dir", run} +
                 set({"model.hidden_size=16", "model.num_heads=2", "model.expansion=0.5", "model.puzzle_emb_len=1",
                      "method.num_supervision=2", "train.global_batch=4", "train.steps=4", "compute.dtype=float32",
                      "compute.threads=1"}));
  const auto scores = json_of({"eval", "--run", run, "--json"});
  EXPECT_TRUE(scores.at("examples").contains("token_accuracy"));
  EXPECT_EQ(run_program({"data", "export", "--output", arrays}).status, 1);
}

TEST(Arc, DryRunCountsWithoutTraining) {
  const TemporaryFolder folder;
  const auto plan = json_of(train_arc(folder / "run") + Arguments{"--dry-run", "--json"});
  EXPECT_FALSE(fs::exists(folder / "run"));
  EXPECT_EQ(plan.at("updates"), 6);
  EXPECT_EQ(plan.at("batches"), 3);
  EXPECT_EQ(plan.at("passes_per_batch"), 2 * 3);
  EXPECT_EQ(plan.at("tokens_per_sample"), 37);
}

TEST(Arc, MistakesAreNamed) {
  const TemporaryFolder folder;
  const auto fails = [&](const Arguments& arguments, const std::string& part) {
    const auto outcome = run_program(arguments);
    EXPECT_EQ(outcome.status, 1) << part;
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
  };
  const Arguments info{"data", "info"};
  fails(info + arc_data({"data.subsets=small,missing"}), "missing");
  fails(info + arc_data({"data.test_set=evaluation"}), "data.test_set");
  fails(info + arc_data({"data.path=" + (folder / "nowhere").string()}), "nowhere");
  fails(info + arc_data({"data.max_grid=1"}), "data.max_grid");
  fails(Arguments{"data", "show", "ffffffff"} + arc_data(), "no task ffffffff");
  fails(Arguments{"data", "show", "0d3d703e", "--output", (folder / "a.gif").string()} + arc_data(), ".gif");
  fails({"data", "import", "--input", folder.path().string()}, "dataset.json");
}

}  // namespace
}  // namespace dis
