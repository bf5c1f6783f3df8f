// Run folders that are not as training left them: a start that was broken off, a copy that knows no links.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <functional>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

TEST(BrokenOffStart, CanBeBegunAgain) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  {
    const Limit full_disk(RLIMIT_FSIZE, 0);
    Program program(train_tiny(run, {"train.steps=6"}));
    const Outcome outcome = program.wait();
    EXPECT_EQ(outcome.status, 1) << outcome.err;  // memfd is such a file as well: there may be no text
  }
  ASSERT_TRUE(fs::exists(run / ".lock"));
  ASSERT_FALSE(fs::exists(run / "config.json"));
  for (const Arguments& call : {resume(run), Arguments{"eval", "--run", run.string()}}) {
    const Outcome early = run_program(call);
    EXPECT_EQ(early.status, 1);
    EXPECT_TRUE(contains(early.err, "a start that was broken off")) << early.err;
  }
  // A kill somewhat later, of a start with other data.
  std::ofstream(run / "identifiers.json") << R"(["another puzzle"])";
  std::ofstream(run / "config.json.12345.partial") << R"({"name": )";
  expect_success(train_tiny(run, {"train.steps=6"}));
  EXPECT_FALSE(fs::exists(run / "config.json.12345.partial"));
  EXPECT_EQ(read_json(run / "checkpoints/latest/state.json")["step"], 6);
}

TEST(BrokenOffStart, AFolderWithAnythingElseIsLeftAlone) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "run");
  std::ofstream(folder / "run/.lock").flush();
  std::ofstream(folder / "run/thesis.tex") << "years of work";
  const Outcome outcome = run_program(train_tiny(folder / "run", {"train.steps=6"}));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(contains(outcome.err, "exists already")) << outcome.err;
}

TEST(BrokenOffStart, PlacesOfLaterFilesAreTriedFirst) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(train_tiny(run, {"train.steps=3"}));
  fs::remove_all(run / "checkpoints");
  std::ofstream(run / "checkpoints") << "in the way";
  const auto metrics = read_text(run / "metrics.jsonl");
  const Outcome outcome = run_program(resume(run));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(contains(outcome.err, "checkpoints'")) << outcome.err;
  EXPECT_EQ(read_text(run / "metrics.jsonl"), metrics) << "it had begun to train";
}

/// A run with a best checkpoint that is not the latest, made once.
const fs::path& run_with_best() {
  static const TemporaryFolder folder;
  static const fs::path run = [] {
    const auto made = folder / "run";
    expect_success(train_tiny(made, {"train.steps=12", "train.checkpoint_every=3", "train.keep_last=2",
                                     "train.eval_every=3", "train.keep_best=true"}));
    if (fs::read_symlink(made / "checkpoints/best") == "12") {  // make an earlier one the best
      fs::remove(made / "checkpoints/best");
      fs::create_symlink("9", made / "checkpoints/best");
      auto state = read_json(made / "checkpoints/12/state.json");
      state["best"]["step"] = 9;
      state["best"]["score"] = 2.0;
      write_json(made / "checkpoints/12/state.json", state);
    }
    return made;
  }();
  return run;
}

void text_for_link(const fs::path& link) {
  const auto target = fs::read_symlink(link).string();
  fs::remove(link);
  std::ofstream(link) << target << "\r\n";
}

/// What becomes of a run on a way.
struct Journey {
  std::string name;
  std::function<void(const fs::path& from, const fs::path& to)> go;
};

std::vector<Journey> journeys() {
  const auto with_links = [](const fs::path& from, const fs::path& to) {
    fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  };
  return {{"scp -r: links are followed",
           [](const fs::path& from, const fs::path& to) { fs::copy(from, to, fs::copy_options::recursive); }},
          {"links are left out",
           [=](const fs::path& from, const fs::path& to) {
             with_links(from, to);
             for (const char* name : {"latest", "best"}) fs::remove(to / "checkpoints" / name);
           }},
          {"links become texts",
           [=](const fs::path& from, const fs::path& to) {
             with_links(from, to);
             for (const char* name : {"latest", "best"}) text_for_link(to / "checkpoints" / name);
           }},
          {"links are made absolute", [=](const fs::path& from, const fs::path& to) {
             with_links(from, to);
             for (const char* name : {"latest", "best"}) {
               const auto link = to / "checkpoints" / name;
               const auto target = "/old/machine/checkpoints" / fs::read_symlink(link);
               fs::remove(link);
               fs::create_symlink(target, link);
             }
           }}};
}

TEST(TravelledRun, EverythingWorksAsBefore) {
  const auto& home = run_with_best();
  const auto best = fs::read_symlink(home / "checkpoints/best").string();
  ASSERT_NE(best, "12");
  for (const auto& journey : journeys()) {
    SCOPED_TRACE(journey.name);
    const TemporaryFolder folder;
    const auto run = folder / "run";
    journey.go(home, run);
    fs::remove_all(run / "eval");
    expect_success({"eval", "--run", run.string()});
    EXPECT_TRUE(fs::exists(run / "eval/12.json"));
    expect_success({"eval", "--run", run.string(), "--checkpoint", "best"});
    EXPECT_TRUE(fs::exists(run / "eval" / (best + ".json")));
    expect_success({"analyze", "--run", run.string(), "--checkpoint", "12"});
    expect_success({"report", "--run", run.string()});
    expect_success({"export", "--run", run.string(), "--output", (folder / "weights").string()});
    EXPECT_TRUE(contains(expect_success(resume(run, {"train.steps=18"})).err, "going on from update 12"));
    EXPECT_EQ(fs::read_symlink(run / "checkpoints/latest"), "18");
    EXPECT_TRUE(fs::is_symlink(run / "checkpoints/best"));
    EXPECT_EQ(read_json(run / "checkpoints/latest/state.json")["step"], 18);
  }
}

TEST(TravelledRun, ACopyOfTheLatestAloneIsEnough) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  fs::copy(run_with_best(), run, fs::copy_options::recursive);
  for (const auto& entry : fs::directory_iterator(run / "checkpoints")) {
    if (entry.path().filename() != "latest") fs::remove_all(entry.path());
  }
  EXPECT_TRUE(contains(expect_success(resume(run, {"train.steps=15"})).err, "going on from update 12"));
  EXPECT_TRUE(fs::is_symlink(run / "checkpoints/latest"));
}

}  // namespace
}  // namespace dis
