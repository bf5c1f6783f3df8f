// The other subcommands: what they print for programs to read, and what they write.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "dis/core/files.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

Json quiet_json_of(const Arguments& arguments) {
  const Outcome outcome = expect_success(arguments);
  EXPECT_EQ(outcome.err, "");
  return parse_json(outcome.out, "stdout");
}

const Arguments kBoards = set({"data.board_size=6", "data.train_boards=40", "data.test_boards=8", "seed=3"});

TEST(DataCommand, InfoCountsBoards) {
  const Json info = quiet_json_of(Arguments{"data", "info", "--json"} + kBoards);
  EXPECT_EQ(info["board_size"], 6);
  EXPECT_EQ(info["split"], "boards");
  EXPECT_EQ(info["seed"], 3);
  EXPECT_EQ(info["training"]["boards"], 40);
  int boards = 0;
  for (const auto& [givens, count] : info["training"]["by_givens"].items()) boards += count.get<int>();
  EXPECT_EQ(boards, 40);
  ASSERT_EQ(info["test_sets"].size(), 1U);
  EXPECT_EQ(info["test_sets"][0]["name"], "boards");
  EXPECT_EQ(info["test_sets"][0]["in_training"]["inputs"], 0) << "the split keeps them apart";
}

TEST(DataCommand, ShowDrawsBoardsWithoutColour) {
  const std::string text = expect_success(Arguments{"data", "show", "--plain", "--count", "2"} + kBoards).out;
  EXPECT_NE(text.find("training boards 0 to 1 of 40"), std::string::npos) << text;
  EXPECT_NE(text.find("#0: "), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  const auto drawing = text.substr(text.find("#0: "));
  const auto queens = std::count_if(drawing.begin(), drawing.end(), [](char c) { return c == 'Q' || c == 'q'; });
  EXPECT_EQ(queens, 12) << text;
}

TEST(DataCommand, BuildWritesFilesThatReadBackAsTheSameBoards) {
  const TemporaryFolder folder;
  const auto output = folder / "boards";
  const std::string said = expect_success(Arguments{"data", "build", "--output", output.string()} + kBoards).out;
  EXPECT_NE(said.find("train.json: 40 boards"), std::string::npos) << said;
  const Arguments from_files = set({"data.board_size=6", "data.train_file=" + (output / "train.json").string(),
                                    "data.test_file=" + (output / "test_boards.json").string(), "seed=4"});
  const Json made = quiet_json_of(Arguments{"data", "info", "--json"} + kBoards);
  const Json read = quiet_json_of(Arguments{"data", "info", "--json"} + from_files);
  EXPECT_EQ(read["training"], made["training"]);
  EXPECT_EQ(read["test_sets"][0]["name"], "file");
  for (const char* key : {"boards", "distinct_inputs", "by_givens", "by_completions", "in_training"}) {
    EXPECT_EQ(read["test_sets"][0][key], made["test_sets"][0][key]) << key;
  }
  const Arguments show{"data", "show", "--plain", "--count", "40"};
  EXPECT_EQ(expect_success(show + from_files).out, expect_success(show + kBoards).out);
}

void expect_rate(const Json& rate) {
  ASSERT_TRUE(rate.is_object()) << rate;
  const double value = rate["value"];
  EXPECT_LE(rate["lower"].get<double>(), value);
  EXPECT_GE(rate["upper"].get<double>(), value);
  EXPECT_TRUE(rate["hits"].is_number_integer());
}

TEST(EvalCommand, PrintsAndWritesTheScores) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(train_tiny(run, {"train.steps=3", "data.split=orbits", "optim.ema_rate=0.5"}));
  const Json eval = quiet_json_of({"eval", "--run", run.string(), "--json"});
  EXPECT_EQ(eval, read_json(run / "eval" / "3.json"));
  EXPECT_EQ(eval["run"], run.string());
  EXPECT_EQ(eval["checkpoint"], "3");
  EXPECT_EQ(eval["weights"], "moving average");
  EXPECT_EQ(eval["dtype"], "float32");
  for (const char* name : {"boards", "orbits"}) {
    ASSERT_TRUE(eval["test_sets"].contains(name)) << eval;
    for (const char* decoder : {"argmax", "commit"}) {
      const Json& scores = eval["test_sets"][name][decoder];
      const int boards = scores["boards"];
      EXPECT_GT(boards, 0);
      expect_rate(scores["valid"]);
      expect_rate(scores["exact"]);
      EXPECT_TRUE(scores["distinct_solutions"].is_number_integer());
      int by_givens = 0, by_completions = 0;
      for (const auto& [givens, rates] : scores["by_givens"].items()) by_givens += rates["boards"].get<int>();
      for (const char* kind : {"one", "two_or_three", "more"}) {
        by_completions += scores["by_completions"][kind]["boards"].get<int>();
      }
      EXPECT_EQ(by_givens, boards);
      EXPECT_EQ(by_completions, boards);
      ASSERT_EQ(scores["per_supervision_step"].size(), 3U);
      for (const Json& step : scores["per_supervision_step"]) {
        expect_rate(step["valid"]);
        expect_rate(step["exact"]);
      }
      EXPECT_EQ(scores["per_supervision_step"][2]["valid"], scores["valid"]) << "the last step is the answer";
    }
  }

  const Outcome table = expect_success({"eval", "--run", run.string(), "--set", "eval.decoder=argmax", "--set",
                                        "eval.ema=false", "--set", "eval.boards=2"});
  EXPECT_NE(table.out.find("Test set \"boards\""), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("after supervision step"), std::string::npos) << table.out;
  EXPECT_EQ(read_json(run / "eval" / "3.json"), eval) << "other settings have a name of their own";
  const Json other = read_json(run / "eval" / "3-decoder=argmax-boards=2-ema=false.json");
  EXPECT_EQ(other["weights"], "last");
  EXPECT_EQ(other["settings"], Json({{"eval.decoder", "argmax"}, {"eval.boards", 2}, {"eval.ema", false}}));
}

TEST(ExportCommand, WritesTheWeightsThatEvalScores) {
  const TemporaryFolder folder;
  const auto averaged = folder / "averaged", by_choice = folder / "by_choice", plain = folder / "plain";
  const auto trained = expect_success(train_tiny(averaged, {"train.steps=3", "optim.ema_rate=0.5"}));
  EXPECT_NE(trained.err.find("latest/ema.safetensors"), std::string::npos) << trained.err;
  expect_success(train_tiny(by_choice, {"train.steps=3", "optim.ema_rate=0.5", "eval.ema=false"}));
  expect_success(train_tiny(plain, {"train.steps=3"}));
  const auto output = (folder / "state_dict").string();
  const auto exported = [&](const fs::path& run, const Arguments& more, const std::string& says) {
    const auto done = expect_success(Arguments{"export", "--run", run.string(), "--output", output} + more);
    EXPECT_NE(done.out.find("weights: " + says + "\n"), std::string::npos) << done.out;
    return read_text(output);
  };
  const auto average = exported(averaged, {"--ema"}, "moving average"), last = exported(averaged, {"--last"}, "last");
  EXPECT_FALSE(average == last);
  EXPECT_TRUE(exported(averaged, {}, "moving average") == average);
  EXPECT_TRUE(exported(by_choice, {}, "last") == last);
  EXPECT_TRUE(exported(by_choice, {"--ema"}, "moving average") == average);
  EXPECT_TRUE(exported(plain, {}, "last") == last);
  EXPECT_EQ(run_program({"export", "--run", plain.string(), "--output", output, "--ema"}).status, 1);
}

TEST(BenchCommand, TimesASupervisionStep) {
  const Json bench = quiet_json_of({"bench", "step", "--json", "--batch", "2", "--batches", "1", "--warmup", "0",
                                    "--threads", "1", "--dtype", "float32"});
  EXPECT_GT(bench["ms_per_supervision_step"].get<double>(), 0.0);
  // A sample takes the whole batch of 6 supervision steps.
  EXPECT_NEAR(bench["samples_per_s"].get<double>() * bench["ms_per_supervision_step"].get<double>() * 6e-3, 2.0, 1e-6);
  EXPECT_EQ(bench["task"], "queens");
  EXPECT_EQ(bench["batch"], 2);
  EXPECT_EQ(bench["dtype"], "float32");
  EXPECT_EQ(bench["threads"], 1);
}

TEST(BenchCommand, TimesEveryOperationOfAStep) {
  const Json bench = quiet_json_of({"bench", "kernels", "--measure", "--repeat", "1", "--task", "queens", "--batch",
                                    "2", "--dtype", "float32", "--json"});
  double sum = 0.0;
  for (const Json& operation : bench["operations"]) {
    const std::string name = operation["name"];
    // The CPU's attention rotates on the way in and out; on a GPU a kernel of its own does.
    if (!operation.contains("measured_ms")) {
      EXPECT_EQ(name.rfind("rotary", 0), 0U) << name;
      continue;
    }
    EXPECT_GT(operation["measured_ms"].get<double>(), 0.0) << name;
    sum += operation["measured_ms"].get<double>();
  }
  EXPECT_GT(bench["operations"].size(), 25U);
  EXPECT_NEAR(bench["measured_ms"].get<double>(), sum, 1e-9 * sum);
}

TEST(BenchCommand, AttentionIsAsExactAsBfloat16) {
  const Json bench = quiet_json_of({"bench", "attention", "--batch", "2", "--positions", "77", "--heads", "2", "--head",
                                    "16", "--repeat", "1", "--json"});
  ASSERT_FALSE(bench["rows"].empty());
  for (const Json& row : bench["rows"]) {
    EXPECT_LT(row["error_out"].get<double>(), 0.01) << row;
    EXPECT_LT(row["error_gradient"].get<double>(), 0.01) << row;
    EXPECT_GT(row["forward_ms"].get<double>(), 0.0) << row;
  }
}

TEST(BenchCommand, FindsTheCeilingsOfTheDevice) {
  const Json bench = quiet_json_of({"bench", "device", "--size", "64", "--mb", "1", "--repeat", "1", "--json"});
  EXPECT_GT(bench["copy_gb_s"].get<double>(), 0.0);
  EXPECT_GT(bench["product_tflops"].get<double>(), 0.0);
}

TEST(CudaPart, WhatIsMissingIsSaidInOneLine) {
  const auto problem = [](const std::string& library) {
    Program info({"info", "--json"}, {"DIS_CUDA_LIBRARY=" + library});
    const Outcome outcome = info.wait();
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    const Json cuda = parse_json(outcome.out, "stdout").at("cuda");
    EXPECT_FALSE(cuda["loaded"].get<bool>());
    EXPECT_TRUE(cuda["devices"].empty());
    return cuda["problem"].get<std::string>();
  };
  // Where this LibTorch has its CUDA libraries the part itself is at fault, elsewhere they are.
  const std::string missing = problem("/nowhere/libdis_cuda.so");
  EXPECT_NE(missing.find(".so"), std::string::npos) << missing;
  EXPECT_EQ(missing.find('\n'), std::string::npos);
  const Outcome train = run_program({"train", "--set", "compute.device=cuda", "--run-dir", "/nowhere/run"});
  if (train.err.find("NVIDIA driver") != std::string::npos) {
    EXPECT_EQ(train.status, 1);
    EXPECT_EQ(train.err,
              "error: compute.device is cuda, but this machine has no NVIDIA driver (libcuda.so.1); use "
              "compute.device=cpu or automatic\n");
  }
}

TEST(ShippedConfigurations, AreFoundByName) {
  const std::string by_path = (fs::path(DIS_SOURCE_DIR) / "configs/nqueens/quickstart.json").string();
  const std::string wanted = expect_success({"config", "show", "--config", by_path}).out;
  for (const char* name : {"nqueens/quickstart.json", "configs/nqueens/quickstart.json"}) {
    EXPECT_EQ(expect_success({"config", "show", "--config", name}).out, wanted) << name;
  }
  const Outcome unknown = run_program({"config", "show", "--config", "nqueens/quikstart.json"});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_NE(unknown.err.find("no configuration file nqueens/quikstart.json; there are: "), std::string::npos)
      << unknown.err;
}

TEST(InfoCommand, TellsVersionsAndProcessor) {
  const Json info = quiet_json_of({"info", "--json"});
  EXPECT_EQ(info["torch"]["loaded"], info["torch"]["compiled_against"]);
  EXPECT_EQ(info["version"].get<std::string>() + "\n", expect_success({"--version"}).out);
  EXPECT_GE(info["cpu"]["cores"], 1);
  EXPECT_TRUE(info["cpu"]["instruction_sets"].is_array());
  EXPECT_TRUE(info["cuda"]["devices"].is_array());
  EXPECT_NE(info["cuda"]["loaded"].get<bool>(), !info["cuda"]["problem"].get<std::string>().empty());
  EXPECT_EQ(info["program"], fs::weakly_canonical(DIS_EXECUTABLE).string());
}

TEST(ConfigCommand, ConfigurationOfARunIsCompleteAndStartsItAgain) {
  const TemporaryFolder folder;
  const auto run = folder / "run", again = folder / "again";
  expect_success(train_tiny(run, {"train.steps=3", "seed=7", "name=a name"}));
  const std::string file = (run / "config.json").string();
  const Json config = quiet_json_of({"config", "show", "--config", file});
  EXPECT_EQ(config, read_json(file));
  std::set<std::string> there, known;
  for (const auto& [key, value] : config.items()) {
    if (!value.is_object()) there.insert(key);
    if (value.is_object()) {
      for (const auto& [field, unused] : value.items()) there.insert(key + "." + field);
    }
  }
  for (const Json& field : quiet_json_of({"config", "fields", "--json"}))
    known.insert(field["field"].get<std::string>());
  EXPECT_EQ(there, known);

  expect_success({"train", "--config", file, "--run-dir", again.string()});
  EXPECT_EQ(metrics_without_clock(again), metrics_without_clock(run));
  EXPECT_EQ(read_text(again / "config.json"), read_text(run / "config.json"));
}

}  // namespace
}  // namespace dis
