// Answers that training saw under other names, content that changed under the same ones, and results of other settings.
#include <gtest/gtest.h>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

Json pair_of(const Json& input, const Json& output) { return {{"input", input}, {"output", output}}; }

/// Two sets: the answer of b0 in `tested` is that of a0 in `known`, turned over and in other colours.
void write_sets(const fs::path& folder, const Json& last_answer = {{6}}, const Json& shown = {{4}}) {
  const auto write = [&](const std::string& set, const std::string& task, const Json& demonstration, const Json& test) {
    fs::create_directories(folder / set);
    write_json(folder / set / (task + ".json"), {{"train", {demonstration}}, {"test", {test}}});
  };
  const Json grid = {{1, 0, 2}}, mirrored = {{7, 0, 5}};
  write("known", "a0", pair_of({{3}}, {{4}}), pair_of(grid, {{1, 1}}));
  write("known", "a1", pair_of({{3, 3}}, {{4, 4}}), pair_of({{1, 2}}, {{2, 1}}));
  write("tested", "b0", pair_of({{3, 0}}, shown), pair_of(mirrored, {{5, 5}}));
  write("tested", "b1", pair_of({{2, 0}}, {{8}}), pair_of({{1, 2, 3, 0}}, {{5, 0}}));
  write("tested", "b2", pair_of({{2, 0, 0}}, {{8}}), pair_of({{1, 2, 0, 0}}, last_answer));
}

Arguments data_in(const fs::path& sets) {
  return set({"data.kind=arc", "data.path=" + sets.string(), "data.subsets=known,tested", "data.test_set=tested",
              "data.augmentations=2", "data.max_grid=4"});
}

Arguments train_on(const fs::path& sets, const fs::path& run) {
  return Arguments{"train", "--run-dir", run.string()} + data_in(sets) +
         set({"model.hidden_size=16", "model.num_heads=2", "model.expansion=0.5", "model.puzzle_emb_len=1",
              "method.num_supervision=2", "train.global_batch=4", "train.steps=4", "compute.dtype=float32",
              "compute.threads=1"});
}

TEST(SeenContent, AnswersUnderOtherNamesAreReportedAndLeftOut) {
  const TemporaryFolder folder;
  const auto sets = folder / "sets", run = folder / "run";
  write_sets(sets);
  const Json found = {{"tested", "task b0, test 0"}, {"trained", "task a0, test 0"}};
  const auto info = json_of(Arguments{"data", "info", "--json"} + data_in(sets)).at("trained_test_pairs");
  EXPECT_EQ(info.at("examples"), Json::array({found}));
  EXPECT_TRUE(contains(expect_success(Arguments{"data", "info"} + data_in(sets)).out, "b0, test 0 = task a0, test 0"));
  const auto plan = Arguments{"train", "--dry-run"} + data_in(sets);
  EXPECT_EQ(json_of(plan + Arguments{"--json"}).at("trained_test_pairs").at("trained"), 1);
  EXPECT_TRUE(contains(expect_success(plan).out, "b0, test 0 = task a0, test 0"));

  expect_success(train_on(sets, run));
  const auto expect_marked = [&] {
    const auto scores = json_of({"eval", "--run", run.string(), "--json"});
    EXPECT_TRUE(contains(scores.at("warning").get<std::string>(), "1 of the 3 test pairs")) << scores.at("warning");
    EXPECT_EQ(scores.at("arc").at("tasks"), 3) << "the score that published ones are compared with";
    EXPECT_EQ(scores.at("arc").at("unseen").at("tasks"), 2);
    EXPECT_EQ(scores.at("arc").at("unseen").at("left_out"), Json::array({"b0"}));
    const auto analysis = json_of({"analyze", "--run", run.string(), "--json"});
    EXPECT_TRUE(contains(analysis.at("warning").get<std::string>(), "1 of the 3 test pairs")) << analysis.at("warning");
  };
  expect_marked();
  fs::remove(run / "seen_pairs.npy");  // as of a run that an earlier version made
  fs::remove(run / "content.json");
  expect_marked();

  fs::create_directories(folder / "new");
  fs::copy_file(sets / "known/a0.json", folder / "new/renamed.json");
  const Arguments predict = {"predict",
                             "--run",
                             run.string(),
                             "--input",
                             (folder / "new").string(),
                             "--output",
                             (folder / "submission.json").string(),
                             "--json",
                             "--set",
                             "predict.steps=2"};
  const auto refused = run_program(predict);
  EXPECT_EQ(refused.status, 1);
  EXPECT_TRUE(contains(refused.err, "training saw the answers of 1 of the 1 tasks")) << refused.err;
  const auto forced = json_of(predict + set({"eval.allow_seen_tasks=true"}));
  EXPECT_TRUE(contains(forced.at("warning").get<std::string>(), "task renamed, test 0")) << forced.at("warning");
  EXPECT_EQ(forced.at("arc").at("unseen").at("left_out"), Json::array({"renamed"}));
}

TEST(SeenContent, WeightsBringWhatTheyWereTrainedOn) {
  const TemporaryFolder folder;
  const auto sets = folder / "sets", first = folder / "first";
  write_sets(sets);
  expect_success(train_on(sets, first) + set({"data.subsets=known", "data.test_set="}));
  for (const auto& source : {first, first / "checkpoints/latest", first / "checkpoints/latest/model.safetensors"}) {
    const auto run = folder / ("from_" + source.filename().string());
    expect_success(train_on(sets, run) + set({"data.subsets=tested", "train.init_from=" + source.string()}));
    const auto scores = json_of({"eval", "--run", run.string(), "--json"});
    EXPECT_EQ(scores.at("arc").at("unseen").at("left_out"), Json::array({"b0"})) << source;
  }
}

TEST(SeenContent, ContentThatChangedUnderTheSameNamesIsNoticed) {
  const TemporaryFolder folder;
  const auto sets = folder / "sets", run = folder / "run";
  write_sets(sets);
  expect_success(train_on(sets, run));
  const auto plain = json_of({"eval", "--run", run.string(), "--json"});
  fs::rename(sets, folder / "moved");  // the same content elsewhere is the same
  EXPECT_EQ(json_of({"eval", "--run", run.string(), "--json", "--set", "data.path=" + (folder / "moved").string()}),
            plain);

  write_sets(sets, {{9}});  // an answer is corrected
  const auto corrected = json_of({"eval", "--run", run.string(), "--json"});
  EXPECT_TRUE(contains(corrected.at("warning").get<std::string>(), "b2 (what is tested)")) << corrected.at("warning");
  EXPECT_EQ(read_json(run / "eval/4.json"), plain) << "other data have results of their own";
  const auto warned = expect_success(resume(run, {"train.steps=8"}));
  EXPECT_TRUE(contains(warned.err, "b2 (what is tested)")) << warned.err;

  // An answer is corrected that training shows.
  write_json(sets / "known/a1.json",
             {{"train", {pair_of({{3, 3}}, {{4, 4}})}}, {"test", {pair_of({{1, 2}}, {{2, 2}})}}});
  const auto trained = run_program(resume(run, {"train.steps=12"}));
  EXPECT_EQ(trained.status, 1);
  EXPECT_TRUE(contains(trained.err, "a1 (what is tested)")) << trained.err;

  write_sets(sets, {{6}}, {{2}});  // a demonstration is corrected
  const auto refused = run_program(resume(run, {"train.steps=12"}));
  EXPECT_EQ(refused.status, 1);
  EXPECT_TRUE(contains(refused.err, "b0 (what training shows)")) << refused.err;
}

TEST(SeenContent, BoardsThatTrainingSawAreMarked) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(train_tiny(run, {"train.steps=3", "data.split=authors", "data.test_boards=40"}));
  const auto info = json_of(Arguments{"data", "info", "--json"} + set({"data.board_size=5", "data.train_boards=50",
                                                                       "data.test_boards=40", "data.split=authors"}));
  const auto& set_info = info.at("test_sets").at(0);
  const auto seen = set_info.at("in_training").at("boards").get<int>();
  ASSERT_GT(seen, 0);
  ASSERT_LT(seen, 40);
  const auto scores = json_of({"eval", "--run", run.string(), "--json"});
  EXPECT_TRUE(contains(scores.at("warning").get<std::string>(), std::to_string(seen) + " of the 40 test pairs"));
  for (const char* decoder : {"argmax", "commit"}) {
    EXPECT_EQ(scores.at("test_sets").at("authors").at(decoder).at("boards"), 40);
    EXPECT_EQ(scores.at("test_sets").at("authors").at(decoder).at("unseen").at("boards"), 40 - seen);
  }
}

TEST(SeenContent, ExamplesThatTrainingSawAreMarked) {
  const TemporaryFolder folder;
  const auto run = folder / "run", file = folder / "grids.json";
  write_json(file, {{"vocabulary", 3},
                    {"rows", 1},
                    {"columns", 2},
                    {"train", {pair_of({{0, 1}}, {{1, 2}}), pair_of({{0, 0}}, {{1, 1}})}},
                    {"test", {pair_of({{0, 1}}, {{1, 2}}), pair_of({{1, 0}}, {{2, 1}}), pair_of({{2, 0}}, {{1, 2}})}}});
  const auto data = set({"data.kind=grids", "data.path=" + file.string()});
  const auto info = json_of(Arguments{"data", "info", "--json"} + data).at("trained_test_pairs");
  EXPECT_EQ(info.at("trained"), 1);
  expect_success(train_tiny(run, {"train.steps=3", "method.targets=label"}) + data);
  const auto scores = json_of({"eval", "--run", run.string(), "--json"});
  EXPECT_EQ(scores.at("unseen").at("exact").at("total"), 2);
  EXPECT_EQ(scores.at("examples").at("exact").at("total"), 3);
}

TEST(OtherSettings, KeepTheScoresOfARunThatWentOnWithOthers) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(train_tiny(run, {"train.steps=3"}));
  const Arguments eval = {"eval", "--run", run.string(), "--json"};
  const auto all = json_of(eval);
  expect_success(resume(run, {"eval.boards=2"}));
  const auto two = json_of(eval);
  EXPECT_EQ(two.at("test_sets").front().at("argmax").at("boards"), 2);
  EXPECT_EQ(read_json(run / "eval/3.json"), all);
  EXPECT_EQ(read_json(run / ("eval/3-" + two.at("settings_hash").get<std::string>() + ".json")), two);

  expect_success(Arguments{"analyze", "--run", run.string()});
  const auto plain = read_text(run / "analysis/3.json");
  expect_success(Arguments{"analyze", "--run", run.string()} + set({"analyze.removals=3"}));
  EXPECT_EQ(read_text(run / "analysis/3.json"), plain);
  EXPECT_EQ(read_json(run / "analysis/3-analyze.removals=3.json").at("settings"), Json({{"analyze.removals", 3}}));
}

}  // namespace
}  // namespace dis
