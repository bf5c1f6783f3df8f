#include "dis/train/checkpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"
#include "train/small_run.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

RunConfig config_with_average(std::int64_t seed = 0) {
  auto config = small_config();
  config.run.seed = seed;
  config.optim.ema_rate = 0.9;
  return config;
}

/// Copies of all that a checkpoint holds.
std::vector<at::Tensor> contents(const SmallRun& run) {
  std::vector<at::Tensor> all;
  for (std::size_t i = 0; i < run.model.weights().table().size(); ++i)
    all.push_back(run.model.weights().tensor(i).clone());
  for (const auto& x : {run.optimiser.m(), run.optimiser.v(), run.optimiser.ema()}) all.push_back(x.clone());
  return all;
}

void expect_equal(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].equal(b[i])) << i;
}

/// Every file below a folder with its bytes; links with where they lead.
std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto name = fs::relative(entry.path(), folder).string();
    if (entry.is_symlink()) {
      files[name] = "-> " + fs::read_symlink(entry.path()).string();
    } else if (entry.is_regular_file()) {
      files[name] = read_text(entry.path());
    }
  }
  return files;
}

class Checkpoints : public ::testing::Test {
 protected:
  Checkpoints() : trained_(config_with_average()) { trained_.loop.run(6); }

  void save(std::int64_t updates, std::int64_t keep_last = 2, std::optional<double> best = {},
            std::int64_t best_update = 0, const NamedTensors& lanes = {}) {
    trained_.optimiser.set_updates(updates);
    save_checkpoint(run(), {updates, updates / 3, updates * 4, 1.5, 3.0, best, best_update}, trained_.model,
                    trained_.optimiser, lanes, keep_last);
  }
  fs::path run() const { return folder_.path(); }
  fs::path folder() const { return run() / "checkpoints"; }
  std::vector<std::string> entries() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder())) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  using Names = std::vector<std::string>;

  TemporaryFolder folder_;
  SmallRun trained_;
};

TEST_F(Checkpoints, RoundTripIsExact) {
  const NamedTensors lanes = {{"lanes.y", at::rand({2, 3}).to(at::kBFloat16)},
                              {"lanes.tokens", at::ones({2, 9}, at::kInt)}};
  save(6, 2, 0.1 + 0.2, 3, lanes);
  SmallRun other(config_with_average(1));
  NamedTensors read;
  const auto state = load_checkpoint(*latest_checkpoint(run()), other.model, other.optimiser, read);
  expect_equal(contents(other), contents(trained_));
  EXPECT_EQ(other.optimiser.updates(), 6);
  EXPECT_EQ(state.updates, 6);
  EXPECT_EQ(state.batches, 2);
  EXPECT_EQ(state.samples, 24);
  EXPECT_EQ(state.seconds, 1.5);
  EXPECT_EQ(state.device_seconds, 3.0);
  EXPECT_EQ(state.best_score, std::optional(0.1 + 0.2));
  EXPECT_EQ(state.best_update, 3);
  ASSERT_EQ(read.size(), 2u);
  for (const auto& [name, tensor] : read) {
    const auto& want = name == "lanes.y" ? lanes[0].second : lanes[1].second;
    EXPECT_EQ(tensor.scalar_type(), want.scalar_type());
    EXPECT_TRUE(tensor.equal(want)) << name;
  }
}

TEST_F(Checkpoints, TheComputeCopyOfANarrowNetworkIsBroughtUpToDate) {
  save(6);
  SmallRun narrow(config_with_average(1), at::kBFloat16);
  NamedTensors lanes;
  load_checkpoint(*latest_checkpoint(run()), narrow.model, narrow.optimiser, lanes);
  EXPECT_TRUE(narrow.model.weights().compute_copy().equal(trained_.model.weights().flat().to(at::kBFloat16)));
}

TEST_F(Checkpoints, WithoutAnAverageThereIsNoSuchFile) {
  SmallRun plain(small_config());
  save_checkpoint(run(), {3, 1, 4, 0.0, 0.0, {}, 0}, plain.model, plain.optimiser, {}, 1);
  EXPECT_FALSE(fs::exists(folder() / "3" / "ema.safetensors"));
  NamedTensors lanes;
  EXPECT_EQ(load_checkpoint(folder() / "3", plain.model, plain.optimiser, lanes).best_score, std::nullopt);
  // A run that wants an average cannot go on from it.
  SmallRun averaged(config_with_average(1));
  const auto before = contents(averaged);
  user_error_of([&] { load_checkpoint(folder() / "3", averaged.model, averaged.optimiser, lanes); });
  expect_equal(contents(averaged), before);
}

TEST_F(Checkpoints, KeepsTheLastOnesAndTheBest) {
  for (const std::int64_t update : {3, 6}) save(update, 2);
  save(9, 2, 0.5, 9);
  save(12, 2, 0.5, 9);
  EXPECT_EQ(entries(), (Names{"12", "9", "best", "latest"}));
  save(15, 2, 0.5, 9);
  EXPECT_EQ(entries(), (Names{"12", "15", "9", "best", "latest"}));
  EXPECT_EQ(fs::read_symlink(folder() / "latest"), "15");
  EXPECT_EQ(fs::read_symlink(folder() / "best"), "9");
  save(18, 1, 0.7, 18);
  EXPECT_EQ(entries(), (Names{"18", "best", "latest"}));
  EXPECT_EQ(find_checkpoint(run(), "best"), fs::canonical(folder() / "18"));
  EXPECT_EQ(find_checkpoint(run(), "18"), fs::canonical(folder() / "18"));
  const auto message = user_error_of([&] { find_checkpoint(run(), "17"); });
  EXPECT_TRUE(contains(message, "'17'") && contains(message, "it has: 18")) << message;
}

TEST_F(Checkpoints, ARunWithoutAnyHasNoLatest) {
  EXPECT_EQ(latest_checkpoint(run()), std::nullopt);
  tidy_checkpoints(run());
  EXPECT_EQ(folder_.count(), 0);
}

TEST_F(Checkpoints, TidyingRemovesWhatAKilledProgramLeft) {
  save(3, 5);
  save(6, 5);
  const auto whole = files_of(folder());
  // Killed while writing, killed between the renaming and the link, killed while moving the link.
  fs::copy(folder() / "6", folder() / "9.partial");
  fs::remove(folder() / "9.partial" / "state.json");
  fs::copy(folder() / "6", folder() / "9");
  std::ofstream(folder() / "state.json.123.partial") << "{";
  fs::create_symlink("9", folder() / "latest.123.partial");
  EXPECT_EQ(*latest_checkpoint(run()), folder() / "6");
  tidy_checkpoints(run());
  EXPECT_EQ(files_of(folder()), whole);
  EXPECT_EQ(entries(), (Names{"3", "6", "latest"}));
  save(9, 5);  // goes over all that was there
  EXPECT_EQ(*latest_checkpoint(run()), folder() / "9");
}

TEST_F(Checkpoints, KilledBeforeTheFirstLinkTheNewestWholeOneCounts) {
  save(3);
  fs::remove(folder() / "latest");
  fs::create_directory(folder() / "6.partial");
  EXPECT_EQ(*latest_checkpoint(run()), folder() / "3");
  tidy_checkpoints(run());
  EXPECT_EQ(entries(), (Names{"3", "latest"}));
}

TEST_F(Checkpoints, ALinkThatLeadsNowhereIsAnError) {
  save(3);
  fs::remove(folder() / "latest");
  fs::create_symlink("12", folder() / "latest");
  const auto before = files_of(folder());
  const auto message = user_error_of([&] { latest_checkpoint(run()); });
  EXPECT_TRUE(contains(message, "a link to '12'") && contains(message, "there are: 3")) << message;
  user_error_of([&] { tidy_checkpoints(run()); });
  EXPECT_EQ(files_of(folder()), before);
}

TEST_F(Checkpoints, WhatCannotBeWrittenLeavesTheOldOnes) {
  save(3);
  const auto before = files_of(folder());
  std::ofstream(folder() / "6") << "a file where the folder belongs";
  fs::create_directory(folder() / "6.partial");
  // A tensor that no file can hold stands for a disk that is full: the writing fails half-way.
  EXPECT_THROW(save(6, 2, {}, 0, {{"lanes.y", at::zeros({1}, at::kComplexFloat)}}), std::exception);
  fs::remove(folder() / "6");
  EXPECT_EQ(files_of(folder()), before);
  EXPECT_EQ(entries(), (Names{"3", "latest"}));
}

TEST_F(Checkpoints, DamagedFilesAreRefusedAndNothingChanges) {
  save(6);
  const auto checkpoint = folder() / "6";
  const auto truncate = [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) - 3); };
  const auto edit = [](const fs::path& file, const std::function<void(NamedTensors&)>& change) {
    auto tensors = read_tensors(file);
    change(tensors);
    write_tensors(file, tensors);
  };
  const auto drop_last = [](NamedTensors& tensors) { tensors.pop_back(); };
  const auto reshape_last = [](NamedTensors& tensors) { tensors.back().second = at::zeros({7, 7}); };
  const auto reshape_first = [](NamedTensors& tensors) { tensors.front().second = at::zeros({7, 7}); };
  struct Damage {
    std::string file;
    std::function<void(const fs::path&)> apply;
  };
  const std::vector<Damage> damages = {
      {"model.safetensors", truncate},
      {"ema.safetensors", truncate},
      {"trainer.safetensors", truncate},
      {"state.json", truncate},
      {"model.safetensors", [](const fs::path& file) { fs::remove(file); }},
      {"ema.safetensors", [](const fs::path& file) { fs::remove(file); }},
      {"trainer.safetensors", [](const fs::path& file) { fs::remove(file); }},
      {"state.json", [](const fs::path& file) { fs::remove(file); }},
      {"model.safetensors", [&](const fs::path& file) { edit(file, drop_last); }},
      {"model.safetensors", [&](const fs::path& file) { edit(file, reshape_last); }},
      {"ema.safetensors", [&](const fs::path& file) { edit(file, reshape_first); }},
      {"trainer.safetensors", [&](const fs::path& file) { edit(file, drop_last); }},
      {"trainer.safetensors", [&](const fs::path& file) { edit(file, reshape_last); }},
      {"state.json", [](const fs::path& file) { write_atomically(file, R"({"format": 1, "step": "six"})"); }},
      {"state.json", [](const fs::path& file) { write_atomically(file, R"({"format": 99})"); }},
      {"state.json", [](const fs::path& file) { write_atomically(file, "[]"); }},
  };
  SmallRun other(config_with_average(1));
  other.loop.run(3);
  const auto before = contents(other);
  const auto intact = files_of(checkpoint);
  for (std::size_t i = 0; i < damages.size(); ++i) {
    SCOPED_TRACE("damage " + std::to_string(i) + " to " + damages[i].file);
    damages[i].apply(checkpoint / damages[i].file);
    const auto damaged = files_of(folder());
    NamedTensors lanes{{"lanes.y", at::zeros({1})}};
    const auto message = user_error_of([&] { load_checkpoint(checkpoint, other.model, other.optimiser, lanes); });
    EXPECT_TRUE(contains(message, checkpoint.string())) << message;
    expect_equal(contents(other), before);
    EXPECT_EQ(other.optimiser.updates(), 3);
    EXPECT_EQ(files_of(folder()), damaged);
    for (const auto& [name, bytes] : intact) write_atomically(checkpoint / name, bytes);
  }
  NamedTensors lanes;
  load_checkpoint(checkpoint, other.model, other.optimiser, lanes);
  expect_equal(contents(other), contents(trained_));
}

}  // namespace
}  // namespace dis
