#include "app/run_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>
#include <thread>

#include "dis/core/files.h"
#include "dis/core/safetensors.h"

namespace dis {

namespace fs = std::filesystem;

Arguments train_tiny(const fs::path& run, const std::vector<std::string>& settings) {
  return Arguments{"train", "--run-dir", run.string()} +
         set({"data.board_size=5", "data.train_boards=50", "data.test_boards=10", "model.hidden_size=16",
              "model.num_heads=2", "model.puzzle_emb_len=1", "method.num_supervision=3", "train.global_batch=8",
              "compute.dtype=float32", "compute.threads=1"}) +
         set(settings);
}

Arguments train_small_arc(const fs::path& run) {
  return Arguments{"train", "--run-dir", run.string()} +
         set({"data.kind=arc",
              "data.path=" + (fs::path(DIS_SOURCE_DIR) / "tests/data/arc").string(),
              "data.subsets=small",
              "data.test_set=small",
              "data.augmentations=4",
              "data.max_grid=6",
              "model.hidden_size=16",
              "model.num_heads=2",
              "model.expansion=0.5",
              "model.puzzle_emb_len=1",
              "method.num_supervision=2",
              "train.global_batch=8",
              "train.steps=12",
              "train.eval_every=6",
              "train.keep_best=true",
              "eval.batch=7",
              "compute.dtype=float32",
              "compute.threads=1",
              "optim.warmup_steps=0",
              "dist.deterministic=true",
              "dist.chunk=2"});
}

Arguments resume(const fs::path& run, const std::vector<std::string>& settings) {
  return Arguments{"train", "--run-dir", run.string(), "--resume"} + set(settings);
}

Outcome expect_success(const Arguments& arguments) {
  Outcome outcome = run_program(arguments);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return outcome;
}

Json json_of(const Arguments& arguments) { return parse_json(expect_success(arguments).out, "output"); }

std::vector<std::string> metrics_without_clock(const fs::path& run) {
  std::vector<std::string> records;
  std::istringstream lines(read_text(run / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    Json record = parse_json(line, "metrics.jsonl");
    for (const char* field : {"samples_per_s", "tflops_per_s", "peak_share", "peak_memory_mb", "seconds"}) {
      EXPECT_EQ(record.erase(field), 1U) << field;
    }
    records.push_back(record.dump());
  }
  return records;
}

std::size_t metrics_lines(const fs::path& run) {
  if (!fs::exists(run / "metrics.jsonl")) return 0;
  const std::string text = read_text(run / "metrics.jsonl");
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    std::string& value = found[entry.path().lexically_relative(folder).string()];
    if (entry.is_symlink()) {
      value = "-> " + fs::read_symlink(entry.path()).string();
    } else {
      value = entry.is_directory() ? "(folder)" : read_text(entry.path());
    }
  }
  return found;
}

bool wait_until(Program& program, const std::function<bool()>& there) {
  while (!there()) {
    if (!program.running()) return there();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

std::string difference(const std::map<std::string, std::string>& before,
                       const std::map<std::string, std::string>& after) {
  std::string text;
  for (const auto& [path, value] : before) {
    if (const auto it = after.find(path); it == after.end()) {
      text += "removed: " + path + "\n";
    } else if (it->second != value) {
      text += "changed: " + path + "\n";
    }
  }
  for (const auto& [path, value] : after) {
    if (!before.contains(path)) text += "new: " + path + "\n";
  }
  return text;
}

double largest_difference(const fs::path& a, const fs::path& b) {
  const SafetensorsFile first(a), second(b);
  double largest = 0.0;
  EXPECT_EQ(first.tensors().size(), second.tensors().size());
  for (const TensorInfo& info : first.tensors()) {
    const auto x = first.data(info), y = second.data(second.at(info.name));
    if (x.size() != y.size() || info.dtype != "F32") return std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < x.size(); i += sizeof(float)) {
      float one = 0, other = 0;
      std::memcpy(&one, &x[i], sizeof one);
      std::memcpy(&other, &y[i], sizeof other);
      const double apart = std::abs(static_cast<double>(one) - static_cast<double>(other));
      if (!(apart <= largest)) largest = apart;  // also when it is NaN
    }
  }
  return largest;
}

}  // namespace dis
