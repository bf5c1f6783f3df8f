// Wrong configurations, boards, checkpoints and calls: each ends with its status and one line that says what and where,
// and leaves everything on the disk as it was.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <limits>
#include <span>
#include <thread>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "dis/core/files.h"
#include "dis/core/safetensors.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

/// A wrong call. "@" in arguments and parts stands for the folder of the test.
struct Wrong {
  Arguments arguments;
  std::vector<std::string> parts;  ///< what the message must contain
};

/// A whole tiny run for the tests of this file, made once: staggered, with a moving average, so that its checkpoints
/// hold everything that a checkpoint can.
const fs::path& good_run() {
  static const TemporaryFolder folder;
  static const fs::path run = [] {
    expect_success(train_tiny(
        folder / "run", {"train.steps=6", "train.checkpoint_every=3", "method.lanes=staggered", "optim.ema_rate=0.9"}));
    return folder / "run";
  }();
  return run;
}

class BadInput : public testing::Test {
 protected:
  std::string place(std::string text) const {
    for (auto at = text.find('@'); at != std::string::npos; at = text.find('@')) {
      text.replace(at, 1, folder_.path().string());
    }
    return text;
  }
  void file(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  /// A copy of the good run, with something done to it.
  void damaged_run(const std::string& name,
                   const std::function<void(const fs::path& run, const fs::path& step)>& harm) {
    fs::copy(good_run(), folder_ / name, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    harm(folder_ / name, folder_ / name / "checkpoints" / "6");
  }
  void expect_refused(const std::vector<Wrong>& all, int status) const;

  TemporaryFolder folder_;
};

void BadInput::expect_refused(const std::vector<Wrong>& all, int status) const {
  const auto before = contents(folder_.path());
  std::vector<Arguments> calls;
  for (const Wrong& wrong : all) {
    Arguments& call = calls.emplace_back();
    for (const std::string& argument : wrong.arguments) call.push_back(place(argument));
  }
  const auto outcomes = run_programs(calls);
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::string call = "dis";
    for (const std::string& argument : calls[i]) call += " " + argument;
    const Outcome& outcome = outcomes[i];
    SCOPED_TRACE(call + "\n" + outcome.err);
    EXPECT_EQ(outcome.status, status);
    EXPECT_EQ(outcome.out, "");
    if (status == 1) {
      EXPECT_TRUE(outcome.err.starts_with("error: "));
      EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
    }
    for (const std::string& part : all[i].parts) {
      EXPECT_NE(outcome.err.find(place(part)), std::string::npos) << "without: " << place(part);
    }
  }
  EXPECT_EQ(difference(before, contents(folder_.path())), "");
}

/// A tiny training run into @/run, which a mistake must not leave behind.
Arguments train(const std::vector<std::string>& settings) {
  return train_tiny("@/run", {"train.steps=3"}) + set(settings);
}

Arguments train_with_config(const std::string& config) {
  return {"train", "--run-dir", "@/run", "--config", config, "--set", "train.steps=3"};
}

TEST_F(BadInput, Configurations) {
  file("torn.json", "{\"seed\": 1,\n \"model\": {");
  file("key.json", R"({"model": {"hiden_size": 64}})");
  file("type.json", R"({"seed": "one"})");
  file("range.json", R"({"optim": {"beta2": 1}})");
  file("choice.json", R"({"method": {"targets": "pth"}})");
  file("list.json", "[1, 2]");
  file("twice.json", R"({"seed": 1, "seed": 2})");
  expect_refused(
      {
          {train_with_config("@/torn.json"), {"@/torn.json:2:", "not valid JSON"}},
          {train_with_config("@/key.json"),
           {"@/key.json", "\"model.hiden_size\"", "did you mean \"model.hidden_size\"?"}},
          {train_with_config("@/type.json"), {"@/type.json", "seed: expected an integer", "found \"one\""}},
          {train_with_config("@/range.json"), {"@/range.json", "optim.beta2 = 1", "allowed is 0 to 0.999999"}},
          {train_with_config("@/choice.json"), {"@/choice.json", "method.targets = \"pth\"", "did you mean \"path\"?"}},
          {train_with_config("@/list.json"), {"@/list.json", "expected an object", "found array"}},
          {train_with_config("@/twice.json"), {"@/twice.json", "seed", "twice"}},
          {train_with_config("@/missing.json"), {"no configuration file @/missing.json"}},
          {train({"train.stepps=3"}), {"--set", "\"train.stepps\"", "did you mean \"train.steps\"?"}},
          {train({"seed"}), {"--set seed", "expected field=value"}},
          {train({"model.hidden_size=20", "model.num_heads=8"}), {"model.hidden_size = 20", "16", "such as 16 or 32"}},
          {train({"train.micro_batch=9"}), {"train.micro_batch = 9", "train.global_batch = 8"}},
          {train({"data.split=orbits", "data.board_size=6"}), {"data.split = orbits", "data.board_size = 6"}},
          {{"config", "check", "--config", "@/key.json"}, {"@/key.json", "\"model.hiden_size\""}},
      },
      1);
}

/// A hundred thousand lists in one another, in the place of every kind of JSON that is read.
TEST_F(BadInput, DeepNesting) {
  constexpr std::size_t kDepth = 100'000;
  const std::string deep(kDepth, '[');
  file("deep.json", deep);
  file("whole.json", deep + std::string(kDepth, ']'));
  file("boards.json", R"({"boards": )" + deep + std::string(kDepth, ']') + "}");
  file("frames.json", R"({"trajectories": [{"task": "0", "pair": )" + deep + std::string(kDepth, ']') + "}]}");
  std::uint64_t length = deep.size() + 6;
  file("weights.safetensors", std::string(reinterpret_cast<const char*>(&length), sizeof length) + "{\"a\": " + deep);
  damaged_run("state", [&](const fs::path&, const fs::path& step) { std::ofstream(step / "state.json") << deep; });
  damaged_run("config", [&](const fs::path& run, const fs::path&) { std::ofstream(run / "config.json") << deep; });
  damaged_run("names", [&](const fs::path& run, const fs::path&) { std::ofstream(run / "identifiers.json") << deep; });
  damaged_run("seen", [&](const fs::path& run, const fs::path&) { std::ofstream(run / "seen_tasks.json") << deep; });
  const std::string refusal = "expected at most 100 lists and objects inside one another";
  expect_refused(
      {
          {train_with_config("@/deep.json"), {"@/deep.json", refusal}},
          {train_with_config("@/whole.json"), {"@/whole.json", refusal}},
          {train({"data.board_size=4", "data.train_file=@/boards.json"}), {"@/boards.json", refusal}},
          {train({"data.board_size=4", "data.test_file=@/whole.json"}), {"@/whole.json", refusal}},
          {train({"data.kind=grids", "data.path=@/whole.json"}), {"@/whole.json", refusal}},
          {train({"method.targets=trajectory", "method.trajectory_file=@/frames.json"}), {"@/frames.json", refusal}},
          {train({"train.init_from=@/weights.safetensors"}), {"@/weights.safetensors", refusal}},
          {{"data", "combine", "--input", "@/whole.json", "--name", "a", "--output", "@/sets"},
           {"@/whole.json", "found a list"}},
          {{"import", "--input", "@/weights.safetensors", "--output", "@/imported"},
           {"@/weights.safetensors", refusal}},
          {resume("@/state"), {"@/state/checkpoints/6/state.json", refusal}},
          {resume("@/config"), {"@/config/config.json", refusal}},
          {resume("@/names"), {"@/names/identifiers.json", refusal}},
      },
      1);
  const auto submission = run_program(Arguments{"eval", "--check-submission", place("@/whole.json")} +
                                      set({"data.kind=arc", "data.path=" DIS_SOURCE_DIR "/tests/data/arc",
                                           "data.subsets=small", "data.test_set=small"}));
  EXPECT_EQ(submission.status, 1);
  EXPECT_NE(submission.out.find("whole.json: " + refusal), std::string::npos) << submission.out;
}

Arguments train_on(const std::string& file) { return train({"data.board_size=4", "data.train_file=" + file}); }
Arguments test_on(const std::string& file) { return train({"data.board_size=4", "data.test_file=" + file}); }

TEST_F(BadInput, Boards) {
  const std::string label = "1211111221111121";
  const auto boards = [&](const std::string& name, const std::string& input, const std::string& answer) {
    file(name, R"({"boards": [{"input": ")" + label + R"(", "label": ")" + label + R"("}, {"input": ")" + input +
                   R"(", "label": ")" + answer + R"("}]})");
  };
  boards("ragged.json", "121111122111", label);
  boards("character.json", "1211111111111131", label);
  boards("size.json", "1111111111111111111111111", label);
  boards("other.json", "2111111111111111", label);
  boards("attacked.json", "1111111111111111", "2111121111211112");
  file("short.json", R"({"boards": ["1302 .x..", "1302 .x."]})");
  file("row.json", R"({"boards": ["1302 .xy."]})");
  file("empty.json", R"({"boards": []})");
  file("nolist.json", R"({"puzzles": []})");
  file("torn.json", "{\"boards\": [\n\"1302 .x..\",");
  expect_refused(
      {
          {train_on("@/ragged.json"),
           {"data.train_file @/ragged.json: boards[1]", "expected input of 16 characters", "4 x 4", "found 12"}},
          {test_on("@/character.json"),
           {"data.test_file @/character.json: boards[1]", "found \"3\" at row 3, column 2 of the input"}},
          {train_on("@/size.json"), {"@/size.json: boards[1]", "data.board_size 4 x 4", "found 25"}},
          {test_on("@/other.json"),
           {"@/other.json: boards[1]", "label with every queen of the input", "row 0, column 0"}},
          {train_on("@/attacked.json"), {"@/attacked.json: boards[1]", "4 queens that do not attack one another"}},
          {train_on("@/short.json"), {"@/short.json: boards[1]", "4 marks", "found 8 characters"}},
          {test_on("@/row.json"), {"@/row.json: boards[0]", "mark x or . for row 2"}},
          {test_on("@/empty.json"), {"@/empty.json", "at least one board"}},
          {train_on("@/nolist.json"), {"@/nolist.json", "a list \"boards\" or \"test\""}},
          {train_on("@/torn.json"), {"@/torn.json:2:", "not valid JSON"}},
          {test_on("@/missing.json"), {"'@/missing.json'", "No such file"}},
          {train({"data.split=orbits", "data.train_file=@/short.json"}), {"data.train_file", "data.split = orbits"}},
          {{"data", "show", "--test", "orbits"}, {"--test", "boards", "found orbits"}},
          {{"data", "build", "--output", "@/empty.json"}, {"@/empty.json"}},
      },
      1);
}

TEST_F(BadInput, Trajectories) {
  file("board.json", R"({"boards": ["1302 .x..", "2031 ...."]})");
  const auto trajectories = [&](const std::string& name, const std::string& task, const std::string& frames) {
    file(name, R"({"trajectories": [{"task": ")" + task + R"(", "pair": 0, "frames": [)" + frames + "]}]}");
  };
  const std::string label = "\"1211111221111121\"", near = "\"1211111211111121\"";
  trajectories("size.json", "0", "\"121\", " + label);
  trajectories("back.json", "0", near + ", " + "\"1111111111111111\"" + ", " + label);
  trajectories("end.json", "0", near);
  trajectories("task.json", "5", label);
  trajectories("one.json", "0", near + ", " + label);
  file("list.json", "[]");
  const auto with = [](const std::string& name) {
    return train_on("@/board.json") +
           set({"data.split=authors", "method.targets=trajectory", "method.trajectory_file=@/" + name});
  };
  expect_refused(
      {
          {with("size.json"), {"@/size.json", "task \"0\", pair 0, frame 1", "16 digits", "found 3"}},
          {with("back.json"), {"@/back.json", "frame 2", "no more cells that differ"}},
          {with("end.json"), {"@/end.json", "frame 1", "the last frame to be the label"}},
          {with("task.json"), {"@/task.json", "trajectories[0].task", "\"0\" to \"1\"", "found \"5\""}},
          {with("one.json"), {"@/one.json", "task \"1\"", "found none for this one"}},
          {with("list.json"), {"@/list.json", "\"trajectories\""}},
          {with("missing.json"), {"@/missing.json", "No such file"}},
          {train({"method.targets=trajectory"}), {"method.targets = trajectory needs method.trajectory_file"}},
      },
      1);
}

// ------------------------------------------------------------------------------------------------------ checkpoints

/// Writes the file again after `change` has seen each tensor: false drops it.
void rewrite(const fs::path& path, const std::function<bool(TensorBytes&)>& change) {
  std::vector<TensorBytes> kept;
  const SafetensorsFile old(path);
  for (const TensorInfo& info : old.tensors()) {
    TensorBytes tensor{info.name, info.dtype, info.shape, old.data(info)};
    if (change(tensor)) kept.push_back(tensor);
  }
  write_safetensors(path, kept);  // to another file first, so the mapping stays valid
}

auto drop(const std::string& name) {
  return [name](const TensorBytes& tensor) { return tensor.name != name; };
}

auto flatten(const std::string& name) {
  return [name](TensorBytes& tensor) {
    if (tensor.name == name) tensor.shape = {static_cast<std::int64_t>(tensor.data.size() / dtype_size(tensor.dtype))};
    return true;
  };
}

const std::string kHead = "model.inner.lm_head.weight";

TEST_F(BadInput, Checkpoints) {
  std::vector<Wrong> all;
  const auto expect = [&](const std::string& name, const std::vector<std::string>& parts, const auto& harm) {
    damaged_run(name, harm);
    all.push_back({resume("@/" + name, {"train.steps=12"}), parts});
  };
  using Path = const fs::path&;
  expect("truncated", {"@/truncated/checkpoints/6/model.safetensors: truncated: expected", "found"},
         [](Path, Path step) { fs::resize_file(step / "model.safetensors", 20'000); });
  expect("foreign", {"@/foreign/checkpoints/6/model.safetensors: not a safetensors file"},
         [](Path, Path step) { std::ofstream(step / "model.safetensors") << "PK\3\4 something else entirely"; });
  expect("empty", {"@/empty/checkpoints/6/model.safetensors: truncated: expected at least 8 bytes, found 0"},
         [](Path, Path step) { std::ofstream(step / "model.safetensors").flush(); });
  expect("tensor", {"@/tensor/checkpoints/6/model.safetensors'", "'" + kHead + "' F32 [", "is missing"},
         [](Path, Path step) { rewrite(step / "model.safetensors", drop(kHead)); });
  expect("shape", {"@/shape/checkpoints/6/model.safetensors'", "'" + kHead + "' should be F32 [3, 16], found F32 [48]"},
         [](Path, Path step) { rewrite(step / "model.safetensors", flatten(kHead)); });
  expect("name", {"@/name/checkpoints/6/model.safetensors'", "'other.weight'", "does not belong to this network"},
         [](Path, Path step) {
           rewrite(step / "model.safetensors", [](TensorBytes& tensor) {
             if (tensor.name == kHead) tensor.name = "other.weight";
             return true;
           });
         });
  expect("type", {"'" + kHead + "' should hold floating-point numbers, found I32"}, [](Path, Path step) {
    rewrite(step / "model.safetensors", [](TensorBytes& tensor) {
      if (tensor.name == kHead) tensor.dtype = "I32";
      return true;
    });
  });
  expect("nomodel", {"@/nomodel/checkpoints/6/model.safetensors'", "No such file"},
         [](Path, Path step) { fs::remove(step / "model.safetensors"); });
  expect("noema", {"@/noema/checkpoints/6/ema.safetensors'", "No such file"},
         [](Path, Path step) { fs::remove(step / "ema.safetensors"); });
  expect("ema", {"@/ema/checkpoints/6/ema.safetensors'", "'" + kHead + "'", "is missing"},
         [](Path, Path step) { rewrite(step / "ema.safetensors", drop(kHead)); });
  expect("notrainer", {"@/notrainer/checkpoints/6/trainer.safetensors'", "No such file"},
         [](Path, Path step) { fs::remove(step / "trainer.safetensors"); });
  expect("moment", {"@/moment/checkpoints/6/trainer.safetensors'", "'adam.v." + kHead + "'", "is missing"},
         [](Path, Path step) { rewrite(step / "trainer.safetensors", drop("adam.v." + kHead)); });
  expect("moments", {"'adam.m." + kHead + "' should be F32 [3, 16], but is F32 ["},
         [](Path, Path step) { rewrite(step / "trainer.safetensors", flatten("adam.m." + kHead)); });
  expect("lanes", {"trainer.safetensors", "'lanes.z' should be F32 [8, 26, 16], but is missing"},
         [](Path, Path step) { rewrite(step / "trainer.safetensors", drop("lanes.z")); });
  expect("lane", {"trainer.safetensors", "'lanes.tokens' should be I32 [8, 25], but is I32 ["},
         [](Path, Path step) { rewrite(step / "trainer.safetensors", flatten("lanes.tokens")); });
  expect("garbage", {"@/garbage/checkpoints/6/state.json:1:", "not valid JSON"},
         [](Path, Path step) { std::ofstream(step / "state.json") << "\1\2garbage"; });
  expect("counter", {"@/counter/checkpoints/6/state.json' is damaged", "batches"},
         [](Path, Path step) { std::ofstream(step / "state.json") << R"({"format": 1, "step": 6})"; });
  expect("format", {"@/format/checkpoints/6/state.json'", "format 99, expected 1", "another version"},
         [](Path, Path step) { std::ofstream(step / "state.json") << R"({"format": 99})"; });
  expect("nostate", {"@/nostate/checkpoints/6/state.json'", "No such file"},
         [](Path, Path step) { fs::remove(step / "state.json"); });
  expect("nowhere", {"@/nowhere/checkpoints/latest'", "a link to '777'", "there are: 3, 6"}, [](Path run, Path) {
    fs::remove(run / "checkpoints" / "latest");
    fs::create_symlink("777", run / "checkpoints" / "latest");
  });
  expect("nolink", {"@/nolink/checkpoints/latest'", "should be a link", "there are: 3, 6"}, [](Path run, Path) {
    fs::remove(run / "checkpoints" / "latest");
    fs::create_directory(run / "checkpoints" / "latest");
  });
  expect("config", {"@/config/config.json:", "not valid JSON"},
         [](Path run, Path) { fs::resize_file(run / "config.json", 300); });
  expect("field", {"@/field/config.json", "model.hidden_size = 2 is out of range"}, [](Path run, Path) {
    Json config = read_json(run / "config.json");
    config["model"]["hidden_size"] = 2;
    write_json(run / "config.json", config);
  });
  expect("wider", {"@/wider/checkpoints/6/trainer.safetensors'", "should be F32 ["}, [](Path run, Path) {
    Json config = read_json(run / "config.json");
    config["model"]["hidden_size"] = 32;
    write_json(run / "config.json", config);
  });
  expect_refused(all, 1);
}

TEST_F(BadInput, InitialWeights) {
  damaged_run("weights",
              [](const fs::path&, const fs::path& step) { rewrite(step / "model.safetensors", flatten(kHead)); });
  damaged_run("names", [](const fs::path& run, const fs::path&) { std::ofstream(run / "identifiers.json") << "{}"; });
  damaged_run("fine", [](const fs::path&, const fs::path&) {});
  fs::create_directory(folder_ / "nothing");
  expect_refused(
      {
          {train({"train.init_from=@/none"}), {"train.init_from: '@/none' does not exist"}},
          {train({"train.init_from=@/nothing"}), {"train.init_from: '@/nothing' is neither"}},
          {train({"train.init_from=@/weights/config.json"}),
           {"@/weights/config.json", "or a safetensors file, found something else"}},
          {train({"train.init_from=@/weights"}), {"@/weights/checkpoints/6/model.safetensors'", "found F32 [48]"}},
          {train({"train.init_from=@/names"}), {"'@/names/identifiers.json' is not a list of puzzle identifiers"}},
          {train({"train.init_from=@/fine", "model.hidden_size=32"}), {"should be F32 [", "found F32 ["}},
      },
      1);
}

TEST_F(BadInput, RunFolders) {
  damaged_run("done", [](const fs::path&, const fs::path&) {});
  file("notes.txt", "not a folder");
  file("good.json", "{}");
  std::vector<Wrong> all{
      {train_tiny("@/done", {"train.steps=3"}), {"'@/done' exists already", "--resume", "--run-dir"}},
      {train_tiny("@/notes.txt", {"train.steps=3"}), {"'@/notes.txt' exists already"}},
      {train_tiny("@/notes.txt/run", {"train.steps=3"}), {"'@/notes.txt/run'", "Not a directory"}},
      {train_tiny("", {"train.steps=3"}), {"''"}},
      {train_tiny("@/" + std::string(300, 'x'), {"train.steps=3"}), {"File name too long"}},
      {resume("@/none"), {"'@/none' is not a run folder", "config.json"}},
      {resume("@/done") + Arguments{"--config", "@/good.json"}, {"leave out --config @/good.json"}},
      {resume("@/done", {"model.hidden_size=32"}), {"--set model.hidden_size=32", "cannot change", "train.steps"}},
      {{"eval", "--run", "@"}, {"'@' is not a run folder"}},
      {{"eval", "--run", "@/done", "--checkpoint", "5"}, {"no checkpoint '5'", "3, 6"}},
      {{"eval", "--run", "@/done", "--set", "model.hidden_size=32"}, {"ema.safetensors'", "should be F32 ["}},
      {{"eval", "--run", "@/done", "--set", "eval.decoder=beam"}, {"eval.decoder = \"beam\"", "argmax, commit, both"}},
  };
  if (::geteuid() != 0) {  // root may write everywhere
    fs::create_directory(folder_ / "locked");
    fs::permissions(folder_ / "locked", fs::perms::owner_read | fs::perms::owner_exec);
    all.push_back({train_tiny("@/locked/run", {"train.steps=3"}), {"'@/locked/run'", "Permission denied"}});
  }
  expect_refused(all, 1);
}

TEST_F(BadInput, StudiesAndPublishedWeights) {
  const std::string configs = DIS_SOURCE_DIR "/configs";
  const Arguments table = {"reproduce", "table1", "--out", "@/study", "--configs", configs + "/table1"};
  const Arguments ablation = {"reproduce", "nqueens",  "--out",
                              "@/study",   "--config", configs + "/nqueens/ablation.json"};
  const Arguments import = {"import", "--output", "@/weights.safetensors", "--input"};
  file("no_weights", "text");
  expect_refused(
      {
          {table + Arguments{"--row", "dis_tiny"}, {"--row dis_tiny", "dis_compact", "trm_medium"}},
          {table + Arguments{"--set", "equal_flops"}, {"--set equal_flops", "arc1, arc2"}},
          {{"reproduce", "table1", "--plan", "--configs", "@/none"}, {"there is no '@/none'", "--configs"}},
          {{"reproduce", "table1", "--plan", "--scale", "mini", "--configs", configs, "--small", "@/none.json"},
           {"there is no '@/none.json'", "--small"}},
          {ablation + Arguments{"--factor", "tiem"}, {"unknown factor 'tiem'", "time"}},
          {ablation + Arguments{"--share", "3/2"}, {"--share 3/2", "I/K"}},
          {ablation + set({"method.algorithm=trm", "method.targets=label", "method.time=none"}),
           {"must be DIS on boards"}},
          {import + Arguments{"@/none"}, {"@/none", "there is no such file"}},
          {import + Arguments{"@/no_weights"}, {"@/no_weights", "expected a file of torch.save"}},
          {import + Arguments{DIS_SOURCE_DIR "/tests/data/torch_files/malicious.pt"}, {"refused", "posix.system"}},
          {{"export", "--run", "@/none", "--output", "@/file"}, {"@/none", "not a run folder"}},
      },
      1);
}

TEST_F(BadInput, RunInUse) {
  const auto run = folder_ / "run";
  Program other(train_tiny(run, {"train.steps=1000000", "train.checkpoint_every=0"}));
  while (metrics_lines(run) == 0 && other.running()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const Outcome outcome = run_program(resume(run));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err,
            "error: run folder '" + run.string() + "' is in use by another process; wait for it or stop it\n");
  EXPECT_TRUE(other.running());
}

TEST_F(BadInput, Usage) {
  expect_refused(
      {{{}, {"subcommand"}},
       {{"trian"}, {"unknown subcommand \"trian\"", "train, eval, analyze, report, predict, reproduce, data"}},
       {{"config", "shwo"}, {"unknown subcommand \"shwo\"", "show, check, schema, fields"}},
       {{"train"}, {"--run-dir"}},
       {{"train", "--run-dir"}, {"--run-dir"}},
       {train_tiny("@/run", {}) + Arguments{"--stpes", "3"}, {"--stpes"}},
       {train_tiny("@/run", {}) + Arguments{"extra"}, {"extra"}},
       {{"train", "--run-dir", "@/run", "--config", ""}, {"--config", "expected a path"}},
       {{"bench", "step", "--batch", "0"}, {"--batch"}},
       {{"config", "fields", "--json", "--markdown"}, {"--markdown"}}},
      2);
}

// ---------------------------------------------------------------------------------------------- NaN and infinite loss

TEST_F(BadInput, NotANumberNamesStepAndLanes) {
  damaged_run("nan", [](const fs::path&, const fs::path& step) {
    static const std::vector<float> numbers(48, std::numeric_limits<float>::quiet_NaN());
    rewrite(step / "model.safetensors", [](TensorBytes& tensor) {
      if (tensor.name == kHead) tensor.data = std::as_bytes(std::span(numbers));
      return true;
    });
  });
  const auto run = folder_ / "run";
  Outcome outcome = run_program(train_tiny(run, {"train.steps=6", "train.init_from=" + (folder_ / "nan").string()}));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("error: training stopped: the loss is NaN or infinite at supervision step 1, "
                             "lanes 0, 1, 2, 3, 4, 5, 6, 7, in the batch that ended with update 3; "
                             "there was no checkpoint yet"),
            std::string::npos)
      << outcome.err;
  EXPECT_FALSE(fs::exists(run / "checkpoints"));

  const auto before = contents(folder_ / "nan" / "checkpoints");
  outcome = run_program(resume(folder_ / "nan", {"train.steps=12"}));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("error: training stopped: the loss is NaN"), std::string::npos) << outcome.err;
  EXPECT_EQ(difference(before, contents(folder_ / "nan" / "checkpoints")), "");
}

TEST_F(BadInput, DivergenceLeavesTheLastGoodCheckpoint) {
  const auto settings = [](const std::string& steps) {
    // The decay alone multiplies the weights by 1 - lr_t weight_decay, which is -99 after the warm-up.
    return std::vector<std::string>{"train.steps=" + steps, "train.checkpoint_every=3", "optim.name=adamw",
                                    "optim.lr=10",          "optim.weight_decay=10",    "optim.warmup_steps=100"};
  };
  const auto run = folder_ / "run", good = folder_ / "good";
  const Outcome outcome = run_program(train_tiny(run, settings("600")));
  EXPECT_EQ(outcome.status, 1);
  const auto error = outcome.err.find("error: training stopped: ");
  ASSERT_NE(error, std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("is NaN or infinite", error), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("try a lower optim.lr", error), std::string::npos) << outcome.err;
  const fs::path latest = run / "checkpoints" / fs::read_symlink(run / "checkpoints" / "latest");
  EXPECT_NE(outcome.err.find("the last good checkpoint, " + latest.string() + ", is untouched"), std::string::npos)
      << outcome.err;

  expect_success(train_tiny(good, settings(latest.filename().string())));
  for (const char* name : {"model.safetensors", "trainer.safetensors"}) {
    EXPECT_TRUE(read_text(latest / name) == read_text(good / "checkpoints" / "latest" / name)) << name;
  }
  EXPECT_EQ(largest_difference(latest / "model.safetensors", latest / "model.safetensors"), 0.0) << "a NaN in it";
}

}  // namespace
}  // namespace dis
