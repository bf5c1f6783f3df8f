// Runs every golden case of the folder DIS_GOLDEN_DIR (default: the copies under tests/data/golden) as a test named
// after its file. What a case checks follows from what it holds, so a folder that this program has never seen works.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <vector>

#include "arc_vote.h"
#include "golden_case.h"

namespace dis::golden {
namespace {

namespace fs = std::filesystem;

/// Checks of a kind of case, recognised by its tensors; an empty reason means it runs.
struct Kind {
  void (*check)(const Case&) = nullptr;
  std::string skipped;
};

Kind kind_of(const Case& golden) {
  const auto any = [&](const std::string& part) {
    return std::any_of(golden.tensors().begin(), golden.tensors().end(),
                       [&](const auto& t) { return t.first.find(part) != std::string::npos; });
  };
  if (any("/halted")) return {check_halting, ""};
  if (golden.has("step1/logits") && any("model.inner.")) return {check_forward, ""};
  if (golden.has("start_z_H") && golden.has("residual_window3")) return {check_eqr, ""};
  if (golden.has("targets") && any("/losses")) return {check_training, ""};
  if (golden.has("grads") && golden.has("start")) return {check_optimisers, ""};
  if (golden.has("p0/0") && golden.has("g0/1")) return {check_muon, ""};
  if (golden.has("weights.dwconv.weight")) return {check_conv_swiglu, ""};
  if (golden.has("frames") && golden.has("scores")) return {check_path_targets, ""};
  if (golden.has("preds") || golden.has("crop_tokens")) {
    return {[](const Case& vote) { check_arc_vote(vote.file()); }, ""};
  }
  return {nullptr, "this program knows no check for what the case holds"};
}

class GoldenTest : public ::testing::Test {
 public:
  explicit GoldenTest(fs::path file) : file_(std::move(file)) {}
  void TestBody() override {
    const Case golden(file_);
    const auto kind = kind_of(golden);
    if (kind.check == nullptr) GTEST_SKIP() << file_.stem().string() << ": " << kind.skipped;
    kind.check(golden);
  }

 private:
  fs::path file_;
};

std::vector<fs::path> cases(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    auto tensors = entry.path();
    if (entry.path().extension() == ".json" && fs::exists(tensors.replace_extension(".safetensors"))) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace
}  // namespace dis::golden

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const char* named = std::getenv("DIS_GOLDEN_DIR");
  const std::filesystem::path folder = named != nullptr ? named : DIS_SOURCE_DIR "/tests/data/golden";
  if (!std::filesystem::is_directory(folder)) {
    std::cerr << "DIS_GOLDEN_DIR: '" << folder.string() << "' is not a folder\n";
    return 1;
  }
  const auto cases = dis::golden::cases(folder);
  if (cases.empty()) {
    std::cerr << "no golden case (a .json with its .safetensors) in '" << folder.string() << "'\n";
    return 1;
  }
  for (const auto& file : cases) {
    ::testing::RegisterTest("Golden", file.stem().string().c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [file]() -> ::testing::Test* { return new dis::golden::GoldenTest(file); });
  }
  return RUN_ALL_TESTS();
}
