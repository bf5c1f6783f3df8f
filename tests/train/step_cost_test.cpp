// What a supervision step costs besides arithmetic: allocations and calls of LibTorch, as pinned numbers. Who changes a
// number looks at why; fewer is better. And the fused step against the composed one.
#include <ATen/record_function.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>

#include <sstream>

#include "train/observed.h"
#include "train/small_run.h"

namespace dis {
namespace {

struct AllocationCounter : c10::MemoryReportingInfoBase {
  void reportMemoryUsage(void*, std::int64_t size, std::size_t, std::size_t, c10::Device) override {
    count += size > 0 ? 1 : 0;
  }
  bool memoryProfilingEnabled() const override { return true; }
  std::int64_t count = 0;
};

/// Allocations of a batch's supervision steps, once everything that is kept has been made.
std::int64_t allocations_per_step(const RunConfig& config) {
  SmallRun run(config);
  run.loop.run(config.method.num_supervision);
  const auto counter = std::make_shared<AllocationCounter>();
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, counter);
    run.loop.run(config.method.num_supervision);
  }
  return counter->count / config.method.num_supervision;
}

std::int64_t calls = 0;

std::unique_ptr<at::ObserverContext> count_call(const at::RecordFunction&) {
  ++calls;
  return nullptr;
}

std::int64_t calls_per_step(const RunConfig& config) {
  SmallRun run(config);
  run.loop.run(config.method.num_supervision);
  const auto handle =
      at::addThreadLocalCallback(at::RecordFunctionCallback(&count_call).scopes({at::RecordScope::FUNCTION}));
  calls = 0;
  run.loop.run(config.method.num_supervision);
  at::removeCallback(handle);
  return calls / config.method.num_supervision;
}

TEST(StepCost, AllocationsAreThisMany) {
  const OneThread one;
  EXPECT_EQ(allocations_per_step(small_config()), 99);
}

TEST(StepCost, CallsOfLibTorchAreThisMany) {
  const OneThread one;
  EXPECT_EQ(calls_per_step(small_config()), 587);  // views counted
}

TEST(StepCost, BothGrowWithThePassesOnly) {
  const OneThread one;
  auto deeper = small_config();
  deeper.model.L_cycles += 1;
  auto deepest = small_config();
  deepest.model.L_cycles += 2;
  EXPECT_EQ(allocations_per_step(deepest) - allocations_per_step(deeper),
            allocations_per_step(deeper) - allocations_per_step(small_config()));
  EXPECT_EQ(calls_per_step(deepest) - calls_per_step(deeper), calls_per_step(deeper) - calls_per_step(small_config()));
}

/// The calls of LibTorch inside of supervision steps, with all their arguments that are no tensors.
std::vector<std::string> device_work;
bool within_step = false;

std::unique_ptr<at::ObserverContext> write_down(const at::RecordFunction& call) {
  if (call.scope() == at::RecordScope::USER_SCOPE) within_step = true;
  if (!within_step) return nullptr;
  std::ostringstream text;
  text << call.name();
  for (const auto& input : call.inputs()) {
    text << ' ';
    if (!input.isTensor() && !input.isTensorList()) text << input;
  }
  device_work.push_back(text.str());
  return nullptr;
}

void end_of_call(const at::RecordFunction& call, at::ObserverContext*) {
  if (call.scope() == at::RecordScope::USER_SCOPE) within_step = false;
}

/// Of four ticks.
std::vector<std::vector<std::string>> device_work_of_ticks(const RunConfig& config) {
  const OneThread one;
  SmallRun run(config, at::kBFloat16);
  run.loop.run(1);
  const auto handle = at::addThreadLocalCallback(
      at::RecordFunctionCallback(&write_down, &end_of_call)
          .needsInputs(true)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION, at::RecordScope::USER_SCOPE}));
  std::vector<std::vector<std::string>> ticks;
  for (int tick = 0; tick < 4; ++tick) {
    device_work.clear();
    run.loop.run(1);
    ticks.push_back(device_work);
  }
  at::removeCallback(handle);
  return ticks;
}

/// What a CUDA graph needs: a replay does what was captured at another tick, so no number may come from the host.
TEST(StepGraph, TheDeviceWorkIsTheSameAtEveryTick) {
  for (const auto lanes : {Lanes::lockstep, Lanes::staggered}) {
    SCOPED_TRACE(to_string(lanes));
    auto config = small_config();
    config.method.lanes = lanes;
    config.method.objective = Objective::dual;
    config.method.feedback = Feedback::prediction;
    config.method.step_weights = StepWeights::linear;
    config.optim.warmup_steps = 100;  // another rate at every update
    config.optim.ema_rate = 0.9;
    const auto ticks = device_work_of_ticks(config);
    EXPECT_GT(ticks[0].size(), 400);
    for (const auto& other : ticks) EXPECT_EQ(ticks[0], other);
  }
}

TEST(ComposedStep, GivesTheSameLossesAndGradients) {
  const auto config = showing_gradients(small_config());
  SmallRun fused(config), composed(config);
  const auto ours = fused.loop.run(config.method.num_supervision);
  const ComposedOperations composed_operations;
  const auto theirs = composed.loop.run(config.method.num_supervision);
  for (std::size_t i = 0; i < ours.loss.size(); ++i) EXPECT_NEAR(ours.loss[i], theirs.loss[i], 2e-6 * theirs.loss[i]);
  const auto difference = (fused.optimiser.m() - composed.optimiser.m()).norm() / composed.optimiser.m().norm();
  EXPECT_TRUE(difference.item<double>() < 1e-5) << difference.item<double>();  // false for a NaN
  EXPECT_GT(difference.item<double>(), 0.0) << "the switch has no effect";
}

}  // namespace
}  // namespace dis
