// Training with halting: lanes, samples, exploration, and what a sample costs.
#include "dis/train/lane_method.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "dis/train/metrics.h"
#include "dis/train/plan.h"
#include "train/small_run.h"

namespace dis {
namespace {

/// Weights stay, and the halting head says the same of every lane.
void set_halting_bias(SmallRun& run, float halt, float go_on) {
  auto bias = run.tensor("q_head.bias").detach();
  bias[0] = halt;
  bias[1] = go_on;
}

at::Tensor state_of(const SmallRun& run, const std::string& name) {
  for (const auto& [own, tensor] : run.loop.state()) {
    if (own == "lanes." + name) return tensor.clone();
  }
  return {};
}

/// Every cell of example p, input and label, holds the tag of p; so does its identifier.
class TaggedPuzzles : public RandomPuzzles {
 public:
  static std::int32_t tag(std::uint64_t position) { return 1 + static_cast<std::int32_t>(position * 7 % 4); }
  Origin example(std::uint64_t, std::uint64_t position, std::span<std::int32_t> input, std::span<std::int32_t> label,
                 std::int32_t& puzzle_id) const override {
    std::fill(input.begin(), input.end(), tag(position));
    std::fill(label.begin(), label.end(), tag(position));
    puzzle_id = tag(position);
    return {};
  }
};

TEST(Halting, LanesNeverMixSamplesAndTakeTheRowOfTheNextTick) {
  for (const auto algorithm : {Algorithm::trm, Algorithm::hrm}) {
    auto config = frozen(small_baseline(algorithm));
    config.train.global_batch = 8;
    config.method.halt_exploration = 0.5;
    SmallRun sizes(config);
    set_halting_bias(sizes, 3.0F, 0.0F);
    const TaggedPuzzles stream;
    TrainingLoop loop(config, *sizes.ranks, stream, TargetSource(), sizes.model, sizes.optimiser);
    std::vector<std::uint64_t> sample(8);
    std::vector<bool> free(8, true);
    std::vector<std::int32_t> steps(8);
    for (std::uint64_t tick = 0; tick < 40; ++tick) {
      const auto records = loop.run(1);
      std::map<std::string, at::Tensor> state;
      for (const auto& [name, tensor] : loop.state()) state[name] = tensor;
      for (std::size_t lane = 0; lane < 8; ++lane) {
        if (free[lane]) {
          sample[lane] = tick * 8 + lane;  // what other lanes were offered meanwhile is skipped
          steps[lane] = 0;
        }
        ++steps[lane];
        const auto i = static_cast<std::int64_t>(lane);
        const auto tag = TaggedPuzzles::tag(sample[lane]);
        EXPECT_TRUE((state["lanes.inputs"][i] == tag).all().item<bool>());
        EXPECT_TRUE((state["lanes.labels"][i] == tag).all().item<bool>());
        EXPECT_EQ(state["lanes.ids"][i].item<std::int32_t>(), tag);
        EXPECT_EQ(records.step[lane], steps[lane]);
        free[lane] = records.halted[lane] == 1;
        EXPECT_TRUE(free[lane] || steps[lane] < config.method.num_supervision);
      }
    }
  }
}

TEST(Halting, AHaltedLaneStartsAgainFromTheInitialStates) {
  auto config = frozen(small_baseline(Algorithm::trm));
  config.method.halt_exploration = 0.0;
  SmallRun run(config);
  set_halting_bias(run, 3.0F, 0.0F);  // every lane halts after each step
  run.loop.run(2);
  const auto before = state_of(run, "y");
  run.loop.run(1);
  const at::NoGradGuard no_grad;
  const auto ids = state_of(run, "ids");
  const auto x = run.model.input(state_of(run, "inputs"), run.model.puzzle_embeddings(ids), state_of(run, "steps"));
  const auto fresh = run.model.latent_reasoning(x, run.model.initial_states(4));
  EXPECT_TRUE(at::allclose(state_of(run, "y"), fresh.y, 0.0, 1e-5));
  EXPECT_FALSE(at::allclose(before, fresh.y, 0.0, 1e-2)) << "the samples are alike: the comparison shows nothing";
}

TEST(Halting, ALaneThatGoesOnKeepsItsStates) {
  auto config = frozen(small_baseline(Algorithm::trm));
  SmallRun run(config);  // the bias of -5: nothing halts before the last step
  run.loop.run(1);
  const States before{state_of(run, "y"), state_of(run, "z")};
  run.loop.run(1);
  const at::NoGradGuard no_grad;
  const auto rows = run.model.puzzle_embeddings(state_of(run, "ids"));
  const auto after =
      run.model.latent_reasoning(run.model.input(state_of(run, "inputs"), rows, state_of(run, "steps")), before);
  EXPECT_TRUE(at::allclose(state_of(run, "y"), after.y, 0.0, 1e-5));
}

/// Share of samples that end after each step.
std::vector<double> ends(double exploration, float halt, float go_on, Algorithm algorithm) {
  auto config = frozen(small_baseline(algorithm));
  config.method.num_supervision = 4;
  config.train.global_batch = 16;
  config.method.halt_exploration = exploration;
  SmallRun run(config);
  set_halting_bias(run, halt, go_on);
  const auto halting = *summarise(run.loop.run(200), 4).halting;
  std::vector<double> shares;
  for (const auto count : halting.ended) {
    shares.push_back(static_cast<double>(count) / static_cast<double>(halting.samples()));
  }
  return shares;
}

TEST(Halting, StepsFollowTheHeadsAndTheExploration) {
  using List = std::vector<double>;
  EXPECT_EQ(ends(0.0, 1.0F, 2.0F, Algorithm::trm), (List{1, 0, 0, 0}));  // q_halt > 0
  EXPECT_EQ(ends(0.0, -1.0F, -2.0F, Algorithm::trm), (List{0, 0, 0, 1}));
  EXPECT_EQ(ends(0.0, 1.0F, 2.0F, Algorithm::hrm), (List{0, 0, 0, 1}));  // q_halt > q_continue
  EXPECT_EQ(ends(0.0, -1.0F, -2.0F, Algorithm::hrm), (List{1, 0, 0, 0}));
  // The least step is drawn anew at every step, uniformly from 2..4: with exploration 1, a third may halt at step 2, of
  // the others two thirds at step 3.
  const auto all = ends(1.0, 1.0F, 0.0F, Algorithm::trm);
  EXPECT_EQ(all[0], 0.0);
  EXPECT_NEAR(all[1], 1.0 / 3, 0.05);  // some 1000 samples: a standard deviation of .015
  EXPECT_NEAR(all[2], 4.0 / 9, 0.05);
  EXPECT_NEAR(ends(0.1, 1.0F, 0.0F, Algorithm::trm)[0], 0.9, 0.02);
}

TEST(Halting, StopsAndGoesOnBitForBit) {
  for (const auto algorithm : {Algorithm::trm, Algorithm::hrm}) {
    auto config = small_baseline(algorithm);
    config.method.halt_exploration = 0.5;
    SmallRun whole(frozen(config)), first(frozen(config)), second(frozen(config));
    for (auto* run : {&whole, &first, &second}) set_halting_bias(*run, 1.0F, 0.0F);
    whole.loop.run(5);
    const auto wanted = whole.loop.run(6);
    first.loop.run(5);
    second.loop.restore(5, first.loop.state());
    const auto found = second.loop.run(6);
    EXPECT_EQ(found.loss, wanted.loss);
    EXPECT_EQ(found.halted, wanted.halted);
    EXPECT_EQ(found.q_halt, wanted.q_halt);
    auto damaged = first.loop.state();
    damaged.pop_back();
    EXPECT_THROW(second.loop.restore(5, damaged), std::exception);
  }
}

/// The same puzzles without any label.
class UnlabelledPuzzles : public RandomPuzzles {
 public:
  Origin example(std::uint64_t seed, std::uint64_t position, std::span<std::int32_t> input,
                 std::span<std::int32_t> label, std::int32_t& puzzle_id) const override {
    RandomPuzzles::example(seed, position, input, label, puzzle_id);
    std::fill(label.begin(), label.end(), kIgnore);
    return {};
  }
};

TEST(Halting, ASampleWithoutLabelsCountsAsSolved) {
  const auto config = frozen(small_baseline(Algorithm::trm));
  SmallRun sizes(config);
  set_halting_bias(sizes, -1.0F, 0.0F);
  const UnlabelledPuzzles stream;
  TrainingLoop loop(config, *sizes.ranks, stream, TargetSource(), sizes.model, sizes.optimiser);
  const auto records = loop.run(1);
  for (std::size_t lane = 0; lane < records.q_halt.size(); ++lane) {
    EXPECT_NEAR(records.halting_loss[lane], std::log1p(std::exp(-records.q_halt[lane])), 1e-6) << "-log sigmoid(q)";
  }
}

TEST(Halting, OnlyHrmTrainsTheContinueHead) {
  for (const auto algorithm : {Algorithm::trm, Algorithm::hrm}) {
    SmallRun run(showing_gradients(small_baseline(algorithm)));
    set_halting_bias(run, -1.0F, -2.0F);
    run.loop.run(1);
    const auto gradient = run.optimiser.m().slice(0, -2);  // the bias of q_head: halt, continue
    EXPECT_NE(gradient[0].item<float>(), 0.0F);
    EXPECT_EQ(gradient[1].item<float>() != 0.0F, algorithm == Algorithm::hrm);
  }
}

/// The program's own count of passes against the plan's formula, for every algorithm and some depths.
TEST(Cost, PassesAreThoseOfThePlan) {
  for (const auto algorithm : {Algorithm::dis, Algorithm::trm, Algorithm::hrm}) {
    for (const auto& [T, n] : {std::pair{1, 2}, {3, 6}, {2, 2}}) {
      auto config = algorithm == Algorithm::dis ? small_config() : small_baseline(algorithm);
      config.model.H_cycles = T;
      config.model.L_cycles = n;
      SmallRun run(frozen(config));
      run.loop.run(config.method.num_supervision);  // nothing halts early: every lane has one whole sample
      const auto found = run.model.passes();
      const auto wanted = passes_per_sample(run.model.shape());
      EXPECT_EQ(found.forward, 4 * wanted.forward);
      EXPECT_EQ(found.backward, 4 * wanted.backward);
    }
  }
}

TEST(Cost, ThePapersCounts) {
  const auto passes = [](Algorithm algorithm, std::int64_t N, std::int64_t T, std::int64_t n) {
    ModelShape shape;
    shape.supervision = N;
    shape.config.H_cycles = T;
    shape.config.L_cycles = n;
    shape.hierarchical = algorithm == Algorithm::hrm;
    return passes_per_sample(shape).forward;
  };
  EXPECT_EQ(passes(Algorithm::trm, 16, 3, 6), 336);
  EXPECT_EQ(passes(Algorithm::dis, 6, 1, 2), 18);
  EXPECT_EQ(passes(Algorithm::hrm, 16, 2, 2), 192);
}

}  // namespace
}  // namespace dis
