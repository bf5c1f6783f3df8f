// Signals, and outputs that nobody reads: nothing that a run has done is lost.
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

/// Some seconds of work, without regular checkpoints.
Arguments train_seconds(const fs::path& run, const std::vector<std::string>& settings = {}) {
  return train_tiny(run, {"data.board_size=6", "model.hidden_size=48", "train.steps=150", "train.checkpoint_every=0"}) +
         set(settings);
}

bool wait_for_lines(Program& program, const fs::path& run, std::size_t lines) {
  return wait_until(program, [&] { return metrics_lines(run) >= lines; }) && program.running();
}

Json latest_state(const fs::path& run) { return read_json(run / "checkpoints/latest/state.json"); }

std::string latest_weights(const fs::path& run) { return read_text(run / "checkpoints/latest/model.safetensors"); }

TEST(UnreadOutput, TrainingGoesOnAndItsLogSaysSo) {
  const TemporaryFolder folder;
  Program program(train_seconds(folder / "run", {"train.steps=60"}), {}, Output::unread);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.signal, 0);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(latest_state(folder / "run")["step"], 60);
  const auto log = read_text(folder / "run/log.txt");
  EXPECT_TRUE(contains(log, "nobody reads stderr any more")) << log;
  EXPECT_TRUE(contains(log, "trained 60 updates")) << log;
}

TEST(UnreadOutput, ASignalStillSavesWhatWasDone) {  // Ctrl-C of `dis train 2>&1 | tee log` ends tee first
  const TemporaryFolder folder;
  Program program(train_seconds(folder / "run"), {}, Output::unread);
  ASSERT_TRUE(wait_for_lines(program, folder / "run", 8));
  program.send(SIGINT);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.signal, 0);
  EXPECT_EQ(outcome.status, 128 + SIGINT);
  EXPECT_EQ(latest_state(folder / "run")["batches"], metrics_lines(folder / "run"));
}

TEST(UnreadOutput, AnAnswerThatNobodyReadsEndsTheCommandOnceItIsWritten) {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  expect_success(train_tiny(run, {"train.steps=6"}));
  const std::vector<std::pair<Arguments, fs::path>> calls{
      {{"eval", "--run", run.string()}, run / "eval/6.json"},
      {{"analyze", "--run", run.string(), "--json"}, run / "analysis/6.json"},
      {{"report", "--run", run.string()}, run / "report.html"},
      {{"export", "--run", run.string(), "--output", (folder / "weights").string()}, folder / "weights"},
      {{"config", "fields"}, {}},
      {{"--help"}, {}}};
  for (const auto& [call, file] : calls) {
    SCOPED_TRACE(call.front());
    const Outcome outcome = Program(call, {}, Output::unread).wait();
    EXPECT_EQ(outcome.signal, 0);
    EXPECT_EQ(outcome.status, 128 + SIGPIPE);
    EXPECT_TRUE(file.empty() || fs::exists(file));
  }
}

TEST(Signals, WhatEndsAJobSavesFirst) {
  const TemporaryFolder folder;
  for (const int signal : {SIGHUP, SIGXCPU}) {
    SCOPED_TRACE(signal);
    const auto run = folder / std::to_string(signal);
    Program program(train_seconds(run));
    ASSERT_TRUE(wait_for_lines(program, run, 8));
    program.send(signal);
    const Outcome outcome = program.wait();
    EXPECT_EQ(outcome.status, 128 + signal) << outcome.err;
    EXPECT_TRUE(contains(outcome.err, "the checkpoint is written")) << outcome.err;
    EXPECT_EQ(latest_state(run)["batches"], metrics_lines(run));
  }
}

TEST(Signals, ACheckpointOnRequestChangesNothingElse) {
  const TemporaryFolder folder;
  const auto whole = folder / "whole", asked = folder / "asked";
  expect_success(train_seconds(whole));
  Program program(train_seconds(asked, {"train.keep_last=10"}));
  std::size_t lines = 8;
  for (const int signal : {SIGUSR1, SIGUSR2}) {
    ASSERT_TRUE(wait_for_lines(program, asked, lines));
    const auto before = metrics_lines(asked);
    program.send(signal);
    const auto saved = [&] {
      return fs::exists(asked / "checkpoints/latest") && latest_state(asked)["batches"] >= before;
    };
    ASSERT_TRUE(wait_until(program, saved));
    ASSERT_TRUE(program.running());
    lines = metrics_lines(asked) + 5;
  }
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "a signal asked for a checkpoint: written at update ")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "trained 150 updates")) << outcome.err;
  const auto there = std::distance(fs::directory_iterator(asked / "checkpoints"), fs::directory_iterator());
  EXPECT_EQ(there, 4) << "two on request, the last, and the link to it";
  EXPECT_TRUE(latest_weights(asked) == latest_weights(whole));
  EXPECT_EQ(metrics_without_clock(asked), metrics_without_clock(whole));
}

TEST(Signals, ThoseThatTheCallerSetAsideStayIgnored) {
  const TemporaryFolder folder;
  const std::vector<int> signals{SIGHUP, SIGINT, SIGTERM, SIGXCPU, SIGUSR1, SIGUSR2};
  const auto aside = std::make_unique<SignalsSetAside>(signals);
  Program program(train_seconds(folder / "run", {"train.steps=60"}));
  ASSERT_TRUE(wait_for_lines(program, folder / "run", 4));
  for (const int signal : signals) program.send(signal);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_FALSE(contains(outcome.err, "signal")) << outcome.err;
}

}  // namespace
}  // namespace dis
