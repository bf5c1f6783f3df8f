// Several ranks train what one process trains.
#include <ATen/Parallel.h>

#include "dist/rank_threads.h"
#include "train/small_run.h"

namespace dis {
namespace {

constexpr int kTicks = 51;  // 17 batches

RunConfig shared_config() {
  auto config = small_config();
  config.train.global_batch = 8;
  config.optim.warmup_steps = 10;
  config.dist.chunk = 2;
  return config;
}

/// What a rank ends with.
struct End {
  TickRecords records;  ///< of all lanes
  at::Tensor flat, puzzle, m;
};

/// Ends of all ranks, after `ticks` from the start, or from `from` at tick `begin`.
std::vector<End> ends_of(int size, const RunConfig& config, at::ScalarType type = at::kFloat) {
  std::vector<End> ends(static_cast<std::size_t>(size));
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  expect_no_errors(as_ranks(
      size,
      [&](const std::shared_ptr<const Ranks>& ranks) {
        at::set_num_threads(1);
        SmallRun run(config, type, ranks);
        const auto own = run.loop.run(kTicks);
        const auto& weights = run.model.weights();
        ends[static_cast<std::size_t>(ranks->rank())] = {gather(*ranks, own), weights.flat().clone(),
                                                         run.puzzles().clone(), run.optimiser.m().clone()};
      },
      60.0));
  at::set_num_threads(threads);
  return ends;
}

struct Variant {
  std::string name;
  std::function<void(RunConfig&)> change;
};

void make_baseline(RunConfig& config, Algorithm algorithm) {
  config.method = small_baseline(algorithm).method;
  config.method.halt_exploration = 0.5;
}

const std::vector<Variant>& variants() {
  static const std::vector<Variant> all{{"lockstep", [](RunConfig&) {}},
                                        {"staggered", [](RunConfig& c) { c.method.lanes = Lanes::staggered; }},
                                        {"accumulated", [](RunConfig& c) { c.method.update = Update::accumulated; }},
                                        {"micro_batches", [](RunConfig& c) { c.train.micro_batch = 1; }},
                                        {"trm", [](RunConfig& c) { make_baseline(c, Algorithm::trm); }},
                                        {"hrm", [](RunConfig& c) { make_baseline(c, Algorithm::hrm); }},
                                        {"trm_drawn",
                                         [](RunConfig& c) {
                                           make_baseline(c, Algorithm::trm);
                                           c.method.start = Start::random;
                                           c.method.path_noise = 0.1;
                                           c.method.damping = 0.9;
                                         }},
                                        {"drawn",
                                         [](RunConfig& c) {
                                           c.method.start = Start::random;
                                           c.method.path_noise = 0.1;
                                           c.method.lanes = Lanes::staggered;
                                         }},
                                        {"muon", [](RunConfig& c) { c.optim.name = OptimiserKind::muon; }},
                                        {"dual_with_ema", [](RunConfig& c) {
                                           c.method.objective = Objective::dual;
                                           c.method.step_weights = StepWeights::linear;
                                           c.optim.ema_rate = 0.9;
                                         }}};
  return all;
}

void expect_same_draws(const TickRecords& one, const TickRecords& other) {
  EXPECT_EQ(one.step, other.step);
  EXPECT_EQ(one.cells, other.cells);
}

TEST(SeveralRanks, TrainWhatOneTrains) {
  for (const auto& variant : variants()) {
    auto config = shared_config();
    variant.change(config);
    const auto alone = ends_of(1, config)[0];
    for (const int size : {2, 4}) {
      SCOPED_TRACE(variant.name + ", " + std::to_string(size) + " ranks");
      const auto ends = ends_of(size, config);
      for (const auto& end : ends) {
        expect_same_draws(end.records, alone.records);
        EXPECT_EQ(end.records.loss, ends[0].records.loss);
        EXPECT_TRUE(end.flat.equal(ends[0].flat));  // bit for bit
        EXPECT_TRUE(end.puzzle.equal(ends[0].puzzle));
        EXPECT_TRUE(end.m.equal(ends[0].m));
      }
      double worst = 0.0;
      for (std::size_t i = 0; i < alone.records.loss.size(); ++i) {
        worst = std::max(worst, std::abs(ends[0].records.loss[i] - alone.records.loss[i]));
      }
      // Rounding differs, and sign-SGD turns a gradient of rounding noise into a whole step of its row.
      EXPECT_TRUE(worst <= 1e-5) << worst;
      EXPECT_TRUE(at::allclose(ends[0].flat, alone.flat, 0.0, 1e-4));
      const auto near = ((ends[0].puzzle - alone.puzzle).abs() <= 1e-4).to(at::kDouble).mean().item<double>();
      EXPECT_TRUE(near >= 0.999) << near;
    }
  }
}

TEST(SeveralRanks, DeterministicIsTheSameBitsForAnyNumber) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    for (const auto& variant : variants()) {
      auto config = shared_config();
      variant.change(config);
      if (config.method.algorithm == Algorithm::dis) config.method.feedback = Feedback::prediction;
      config.dist.deterministic = true;
      const auto alone = ends_of(1, config, type)[0];
      for (const int size : {2, 4}) {
        SCOPED_TRACE(variant.name + ", " + std::to_string(size) + " ranks");
        for (const auto& end : ends_of(size, config, type)) {
          EXPECT_EQ(end.records.loss, alone.records.loss);
          EXPECT_EQ(end.records.correct, alone.records.correct);
          EXPECT_TRUE(end.flat.equal(alone.flat));
          EXPECT_TRUE(end.puzzle.equal(alone.puzzle));
          EXPECT_TRUE(end.m.equal(alone.m));
        }
      }
      auto other = config;
      other.dist.deterministic = false;
      EXPECT_FALSE(ends_of(2, other, type)[0].m.equal(alone.m))
          << "chunks have no effect: the comparison shows nothing";
    }
  }
}

TEST(SeveralRanks, LanesInTheMiddleOfASampleMoveToAnotherNumberOfRanks) {
  auto config = shared_config();
  config.method.lanes = Lanes::staggered;
  config.method.feedback = Feedback::prediction;
  NamedTensors state;
  expect_no_errors(as_ranks(2, [&](const std::shared_ptr<const Ranks>& ranks) {
    at::set_num_threads(1);
    SmallRun run(frozen(config), at::kFloat, ranks);
    run.loop.run(4);
    const auto all = run.loop.state();
    if (ranks->first()) state = all;
  }));
  SmallRun whole(frozen(config));
  whole.loop.run(4);
  const auto wanted = whole.loop.state();
  ASSERT_EQ(state.size(), wanted.size());
  const auto next = whole.loop.run(3);
  std::vector<TickRecords> found(4);
  expect_no_errors(as_ranks(4, [&](const std::shared_ptr<const Ranks>& ranks) {
    at::set_num_threads(1);
    SmallRun run(frozen(config), at::kFloat, ranks);
    run.loop.restore(4, state);
    found[static_cast<std::size_t>(ranks->rank())] = gather(*ranks, run.loop.run(3));
  }));
  for (const auto& records : found) {
    expect_same_draws(records, next);
    for (std::size_t i = 0; i < next.loss.size(); ++i) EXPECT_NEAR(records.loss[i], next.loss[i], 1e-5);
  }
}

}  // namespace
}  // namespace dis
