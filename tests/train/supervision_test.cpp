#include "dis/model/loss_of.h"
#include "dis/train/training_loop.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <map>

#include "core/user_error.h"
#include "dis/ops/reference.h"
#include "train/small_run.h"

namespace dis {
namespace {

constexpr std::int64_t kSmallSteps = 3;  // supervision steps
constexpr std::int64_t kSmallLanes = 4;

double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm().clamp_min(1e-30)).item<double>();
}

/// The part of a flat buffer that belongs to `name`.
at::Tensor part_of(const SmallRun& run, const at::Tensor& flat, const std::string& name) {
  for (const auto& spec : run.model.weights().table()) {
    if (spec.name == "model.inner." + name) return part_of(flat, spec);
  }
  throw std::logic_error(name);
}

/// The same batch once more, by hand: plain loss functions under autograd, no optimiser.
class ByHand {
 public:
  ByHand(const RunConfig& config, std::uint64_t first) : run_(config) {
    const auto seed = static_cast<std::uint64_t>(config.run.seed);
    const auto batch = draw_batch(run_.stream, seed, first, kSmallLanes);
    tokens_ = torch::tensor(batch.inputs, at::kInt).view({kSmallLanes, -1});
    ids_ = torch::tensor(batch.puzzle_ids, at::kInt);
    frames_ = torch::tensor(run_.targets.batch_frames(seed, first, batch, run_.stream), at::kInt)
                  .view({kSmallLanes, kSmallSteps + 1, -1});
    states_ = run_.model.initial_states(kSmallLanes);
  }

  /// Supervision step s: collects the gradient of weight (mean over the lanes of the loss).
  void step(std::int64_t s, double weight) {
    const auto& config = run_.config.method;
    const auto positions = run_.model.shape().config.puzzle_emb_len;
    const auto rows = run_.model.puzzle_embeddings(ids_);
    const auto x = run_.model.input(tokens_, rows, at::full({kSmallLanes}, s, at::kInt));
    const auto after = run_.model.latent_reasoning(x, states_);
    const auto loss_after = [&](const at::Tensor& y, std::int64_t frame) {
      return reference::cross_entropy(run_.model.readout(y).slice(1, positions), frames_.select(1, frame).to(at::kLong),
                                      loss_of(config));
    };
    auto loss = loss_after(after.y, s);
    if (config.objective == Objective::dual) {
      pre = loss_after(states_.y, s - 1);
      loss = loss + pre;
    }
    (loss.mean() * weight).backward();
    table_gradient.index_add_(0, ids_, rows.grad());
    losses.push_back(loss.detach());
    states_ = {after.y.detach(), after.z.detach()};
  }

  at::Tensor gradient() const {
    return run_.model.weights().gradient().narrow(0, 0, run_.model.weights().parameters());
  }

  std::vector<at::Tensor> losses;  ///< [B] of each step
  at::Tensor pre;                  ///< the last step's CE(pre, t_{s-1}), attached
  at::Tensor table_gradient = at::zeros({6, 30});

 private:
  SmallRun run_;
  at::Tensor tokens_, ids_, frames_;
  States states_;
};

void expect_losses(const TickRecords& records, std::int64_t tick, const at::Tensor& want) {
  for (std::int64_t lane = 0; lane < kSmallLanes; ++lane) {
    EXPECT_NEAR(records.loss[static_cast<std::size_t>(tick * kSmallLanes + lane)], want[lane].item<double>(), 1e-6);
  }
}

TEST(Supervision, EachStepHasTheGradientOfItsMeanLoss) {
  for (const auto loss : {LossKind::stablemax, LossKind::softmax, LossKind::smoothed}) {
    auto config = showing_gradients(small_config());
    config.method.loss = loss;
    SmallRun run(config);
    ByHand hand(config, 0);
    auto before = at::zeros_like(run.optimiser.m());
    for (std::int64_t s = 1; s <= kSmallSteps; ++s) {
      const auto records = run.loop.run(1);
      hand.step(s, 1.0);
      const auto total = hand.gradient().clone();
      EXPECT_LT(relative_difference(run.optimiser.m(), total - before), 1e-5) << s;
      before = total;
      expect_losses(records, 0, hand.losses.back());
      EXPECT_EQ(run.optimiser.updates(), s);
    }
  }
}

TEST(Supervision, AccumulatedIsOneUpdateWithTheMeanOfTheWeightedLosses) {
  for (const auto weights : {StepWeights::uniform, StepWeights::linear}) {
    auto config = showing_gradients(small_config());
    config.method.update = Update::accumulated;
    config.method.step_weights = weights;
    config.optim.puzzle_lr = 0.25;
    SmallRun run(config);
    ByHand hand(config, 0);
    const auto records = run.loop.run(kSmallSteps);
    for (std::int64_t s = 1; s <= kSmallSteps; ++s) {
      const double weight = weights == StepWeights::uniform ? 1.0 : static_cast<double>(s) / 2.0;  // mean of 1, 2, 3: 2
      hand.step(s, weight / static_cast<double>(kSmallSteps));
      expect_losses(records, s - 1, hand.losses.back());  // records are not weighted
    }
    EXPECT_EQ(run.optimiser.updates(), 1);
    EXPECT_LT(relative_difference(run.optimiser.m(), hand.gradient()), 1e-5);
    // The table starts at 0, so one update leaves -lr sign(sum over lanes and steps).
    EXPECT_TRUE(run.puzzles().equal(-0.25 * hand.table_gradient.sign()));
    EXPECT_EQ(run.puzzles()[5].abs().sum().item<float>(), 0.0F);
  }
}

TEST(Supervision, LinearStepWeightsScaleTheGradient) {
  auto config = showing_gradients(small_config());
  SmallRun uniform(config);
  config.method.step_weights = StepWeights::linear;
  SmallRun linear(config);
  for (std::int64_t s = 1; s <= kSmallSteps; ++s) {
    uniform.loop.run(1);
    linear.loop.run(1);
    EXPECT_LT(relative_difference(linear.optimiser.m(), uniform.optimiser.m() * (static_cast<double>(s) / 2.0)), 1e-6);
  }
}

TEST(Supervision, TheDualTermTrainsTheReadoutAlone) {
  auto config = showing_gradients(small_config());
  SmallRun single(config);
  config.method.objective = Objective::dual;
  SmallRun dual(config);
  ByHand hand(config, 0);
  auto before = at::zeros_like(dual.optimiser.m());
  for (std::int64_t s = 1; s <= kSmallSteps; ++s) {
    const auto one = single.loop.run(1), two = dual.loop.run(1);
    hand.step(s, 1.0);
    const auto total = hand.gradient().clone();
    EXPECT_LT(relative_difference(dual.optimiser.m(), total - before), 1e-5) << s;
    before = total;
    expect_losses(two, 0, hand.losses.back());
    for (std::size_t lane = 0; lane < kSmallLanes; ++lane) {
      const double pre = hand.pre[static_cast<std::int64_t>(lane)].item<double>();
      EXPECT_GT(pre, 0.1);
      EXPECT_NEAR(two.loss[lane] - one.loss[lane], pre, 1e-6);
    }
    const auto more = dual.optimiser.m() - single.optimiser.m();
    EXPECT_GT(part_of(dual, more, "lm_head.weight").norm().item<double>(), 0.01);
    part_of(dual, more, "lm_head.weight").zero_();
    EXPECT_EQ(more.abs().max().item<double>(), 0.0) << s;
  }
}

TEST(Supervision, MicroBatchesEqualTheWholeBatch) {
  for (const auto update : {Update::per_step, Update::accumulated}) {
    for (const auto objective : {Objective::single, Objective::dual}) {
      auto config = small_config();
      config.method.update = update;
      config.method.objective = objective;
      config.train.global_batch = 5;
      SmallRun whole(config);
      const auto want = whole.loop.run(3 * kSmallSteps);
      for (const std::int64_t micro : {1, 3}) {  // 3: the second part is smaller
        config.train.micro_batch = micro;
        SmallRun parts(config);
        const auto got = parts.loop.run(3 * kSmallSteps);
        for (std::size_t i = 0; i < want.loss.size(); ++i) EXPECT_NEAR(got.loss[i], want.loss[i], 1e-5);
        EXPECT_EQ(got.step, want.step);
        EXPECT_EQ(got.cells, want.cells);
        EXPECT_LT((parts.model.weights().flat() - whole.model.weights().flat()).abs().max().item<double>(), 1e-5);
        // (The update hardly depends on the gradient's size, so look at that too.)
        EXPECT_LT(relative_difference(parts.optimiser.m(), whole.optimiser.m()), 1e-4);
        EXPECT_LT((parts.puzzles() - whole.puzzles()).abs().max().item<double>(), 1e-5);
        EXPECT_EQ(parts.optimiser.updates(), whole.optimiser.updates());
      }
      const SmallRun start(config);
      EXPECT_GT((start.model.weights().flat() - whole.model.weights().flat()).abs().max().item<double>(), 1e-3);
    }
  }
}

TEST(Supervision, RecordsCountLabelledAndRightCells) {
  auto config = frozen(small_config());
  SmallRun run(config);
  const auto records = run.loop.run(1);
  const auto batch = draw_batch(run.stream, 0, 0, kSmallLanes);
  const auto labels = torch::tensor(batch.labels, at::kInt).view({kSmallLanes, -1});
  const auto x = run.model.input(torch::tensor(batch.inputs, at::kInt).view({kSmallLanes, -1}),
                                 run.model.puzzle_embeddings(torch::tensor(batch.puzzle_ids, at::kInt)),
                                 at::ones({kSmallLanes}, at::kInt));
  const auto logits = run.model.readout(run.model.latent_reasoning(x, run.model.initial_states(kSmallLanes)).y);
  const auto right = (logits.slice(1, 2).argmax(-1) == labels).sum(-1);
  EXPECT_GT(right.sum().item<std::int64_t>(), 0);
  for (std::int64_t lane = 0; lane < kSmallLanes; ++lane) {
    EXPECT_EQ(records.cells[static_cast<std::size_t>(lane)], (labels[lane] >= 0).sum().item<std::int32_t>());
    EXPECT_EQ(records.correct[static_cast<std::size_t>(lane)], right[lane].item<std::int32_t>());
  }
}

class Feedbacks : public ::testing::TestWithParam<Feedback> {};

TEST_P(Feedbacks, ALoneLaneDoesWhatTheMethodSays) {
  // With a batch of one and frozen weights: tokens are the input, or the argmax of the step before.
  auto config = frozen(small_config());
  config.method.feedback = GetParam();
  config.train.global_batch = 1;
  SmallRun run(config);
  const auto records = run.loop.run(2 * kSmallSteps);
  std::size_t tick = 0;
  bool fed_back = false;
  for (std::uint64_t sample = 0; sample < 2; ++sample) {
    const auto batch = draw_batch(run.stream, 0, sample, 1);
    const auto frames =
        torch::tensor(run.targets.batch_frames(0, sample, batch, run.stream), at::kInt).view({kSmallSteps + 1, -1});
    auto tokens = torch::tensor(batch.inputs, at::kInt).view({1, -1});
    auto states = run.model.initial_states(1);
    for (std::int32_t s = 1; s <= kSmallSteps; ++s, ++tick) {
      const auto rows = run.model.puzzle_embeddings(torch::tensor(batch.puzzle_ids, at::kInt));
      states = run.model.latent_reasoning(run.model.input(tokens, rows, at::full({1}, s, at::kInt)), states);
      states = {states.y.detach(), states.z.detach()};
      const auto logits = run.model.readout(states.y).slice(1, 2).detach();
      const auto loss = reference::cross_entropy(logits, frames[s].unsqueeze(0).to(at::kLong), Loss{});
      EXPECT_NEAR(records.loss[tick], loss.item<double>(), 1e-6) << tick;
      EXPECT_EQ(records.step[tick], s);
      const auto predicted = logits.argmax(-1).to(at::kInt);
      fed_back = fed_back || !predicted.equal(tokens);
      if (GetParam() == Feedback::prediction) tokens = predicted;
    }
  }
  EXPECT_TRUE(fed_back);
}

TEST_P(Feedbacks, StaggeredLanesSeeTheSamplesAndStepsOfTheHeader) {
  auto config = frozen(small_config());
  config.method.feedback = GetParam();
  constexpr std::int64_t kAllTicks = 4 * kSmallSteps;
  SmallRun lockstep(config);
  const auto reference = lockstep.loop.run(kAllTicks + kSmallSteps);
  config.method.lanes = Lanes::staggered;
  SmallRun run(config);
  const std::int64_t phases[] = {0, 0, 1, 2};  // floor(3 lane / 4)
  for (std::int64_t tick = 0; tick < kAllTicks; ++tick) {
    const auto records = run.loop.run(1);
    std::vector<std::uint64_t> taken;
    for (std::int64_t lane = 0; lane < kSmallLanes; ++lane) {
      SCOPED_TRACE("tick " + std::to_string(tick) + ", lane " + std::to_string(lane));
      const auto place = tick + phases[lane], sample = place / kSmallSteps, s = place % kSmallSteps + 1;
      const auto i = static_cast<std::size_t>(lane);
      EXPECT_EQ(records.step[i], s);
      if (tick == 0 || s == 1) taken.push_back(static_cast<std::uint64_t>(sample * kSmallLanes + lane));
      const auto same = static_cast<std::size_t>((sample * kSmallSteps + s - 1) * kSmallLanes + lane);
      EXPECT_EQ(records.cells[i], reference.cells[same]);
      // Lanes that start in the middle of their first sample have fresh states there.
      if (sample == 0 && phases[lane] > 0) continue;
      EXPECT_NEAR(records.loss[i], reference.loss[same], 1e-6);
      EXPECT_EQ(records.correct[i], reference.correct[same]);
    }
    const std::lock_guard lock(run.drawn_mutex);
    for (const auto position : taken) EXPECT_EQ(run.drawn.count(position), 1U) << "position " << position;
  }
}

/// All that training has changed, copied from one run to another.
void copy_state(const SmallRun& from, SmallRun& to) {
  const at::NoGradGuard no_grad;
  to.model.weights().assign(from.model.weights().flat());
  for (const auto& [target, source] : {std::pair{to.puzzles(), from.puzzles()},
                                       {to.optimiser.m(), from.optimiser.m()},
                                       {to.optimiser.v(), from.optimiser.v()}}) {
    target.detach().copy_(source);
  }
  to.optimiser.set_updates(from.optimiser.updates());
}

void expect_same_after_a_restore(const RunConfig& config) {
  SmallRun whole(config);
  whole.loop.run(2 * kSmallSteps);
  SmallRun rest(config);
  copy_state(whole, rest);
  NamedTensors state;
  for (const auto& [name, tensor] : whole.loop.state()) state.emplace_back(name, tensor.clone());
  EXPECT_EQ(state.empty(), config.method.lanes == Lanes::lockstep);
  rest.loop.restore(2 * kSmallSteps, state);
  const auto want = whole.loop.run(2 * kSmallSteps), got = rest.loop.run(2 * kSmallSteps);
  EXPECT_EQ(got.loss, want.loss);
  EXPECT_EQ(got.step, want.step);
  EXPECT_EQ(got.correct, want.correct);
  EXPECT_EQ(rest.loop.tick(), whole.loop.tick());
  EXPECT_TRUE(rest.model.weights().flat().equal(whole.model.weights().flat()));
  EXPECT_TRUE(rest.puzzles().equal(whole.puzzles()));
}

TEST_P(Feedbacks, GoesOnBitForBitAfterARestore) {
  for (const auto lanes : {Lanes::lockstep, Lanes::staggered}) {
    for (const auto update : {Update::per_step, Update::accumulated}) {
      for (const auto targets : {TargetKind::path, TargetKind::confident}) {
        SCOPED_TRACE(to_string(lanes) + " " + to_string(update) + " " + to_string(targets));
        auto config = small_config();
        config.method.feedback = GetParam();
        config.method.lanes = lanes;
        config.method.update = update;
        config.method.targets = targets;
        expect_same_after_a_restore(config);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Supervision, Feedbacks, ::testing::Values(Feedback::input, Feedback::prediction),
                         [](const auto& instance) { return to_string(instance.param); });

TEST(Supervision, RestoreRefusesLanesThatDoNotFit) {
  auto config = small_config();
  config.method.lanes = Lanes::staggered;
  SmallRun run(config);
  run.loop.run(kSmallSteps);
  auto state = run.loop.state();
  state[1].second = state[1].second.narrow(0, 0, 2);
  auto message = user_error_of([&] { SmallRun(config).loop.restore(kSmallSteps, state); });
  EXPECT_TRUE(contains(message, "'" + state[1].first + "'") && contains(message, "F32 [4, 11, 24]")) << message;
  state.erase(state.begin() + 2);
  state[1] = run.loop.state()[1];
  message = user_error_of([&] { SmallRun(config).loop.restore(kSmallSteps, state); });
  EXPECT_TRUE(contains(message, "'lanes.tokens'") && contains(message, "missing")) << message;
}

TEST(Supervision, TheMaskTokenIsATargetButNeverPredicted) {
  auto config = frozen(small_config());
  config.method.targets = TargetKind::mask;
  config.method.masked_cells = MaskedCells::token;
  config.method.feedback = Feedback::prediction;
  config.method.lanes = Lanes::staggered;  // state() shows the tokens that were predicted
  SmallRun run(config);
  const std::int64_t mask = *run.targets.mask_token();
  ASSERT_EQ(run.model.shape().vocabulary, mask + 1);
  ASSERT_EQ(run.model.shape().answers, mask);
  {  // Among all entries about half of the cells would prefer the mask.
    const at::NoGradGuard no_grad;
    run.tensor("lm_head.weight").detach()[mask].mul_(100.0);
  }
  run.loop.run(1);
  const auto all = run.model.readout(run.loop.state()[0].second).slice(1, 2).detach();
  ASSERT_GT((all.argmax(-1) == mask).sum().item<std::int64_t>(), 5);
  for (int tick = 0; tick < 6; ++tick) {
    for (const auto& [name, tokens] : run.loop.state()) {
      if (name != "lanes.tokens") continue;
      EXPECT_LT(tokens.max().item<std::int32_t>(), mask);
    }
    run.loop.run(1);
  }
}

TEST(Supervision, OneSeedIsOneRunAndTwoSeedsAreTwo) {
  auto config = small_config();
  SmallRun one(config), again(config);
  config.run.seed = 1;
  SmallRun other(config);
  const auto a = one.loop.run(2 * kSmallSteps), b = again.loop.run(2 * kSmallSteps),
             c = other.loop.run(2 * kSmallSteps);
  EXPECT_EQ(a.loss, b.loss);
  EXPECT_TRUE(one.model.weights().flat().equal(again.model.weights().flat()));
  EXPECT_TRUE(one.puzzles().equal(again.puzzles()));
  for (std::size_t i = 0; i < a.loss.size(); ++i) EXPECT_NE(a.loss[i], c.loss[i]);
}

/// A run with `threads` threads, large enough that every operation is split.
struct Threaded {
  Threaded(const RunConfig& config, at::ScalarType type, int threads) {
    const int before = at::get_num_threads();
    at::set_num_threads(threads);
    SmallRun run(config, type);
    start = run.model.weights().flat().clone();
    records = run.loop.run(2 * kSmallSteps);
    end = run.model.weights().flat();
    const auto batch = draw_batch(run.stream, 0, 0, config.train.global_batch);
    inputs = batch.inputs;
    frames = run.targets.batch_frames(0, 0, batch, run.stream);
    at::set_num_threads(before);
  }
  at::Tensor start, end;
  TickRecords records;
  std::vector<std::int32_t> inputs, frames;
};

RunConfig wide_config() {
  auto config = small_config();
  config.model.hidden_size = 64;
  config.train.global_batch = 48;
  return config;
}

/// The largest difference of the losses of ticks first..last-1.
double loss_difference(const Threaded& a, const Threaded& b, std::int64_t first, std::int64_t last) {
  double most = 0.0;
  for (auto i = static_cast<std::size_t>(first * a.records.lanes); i < static_cast<std::size_t>(last * a.records.lanes);
       ++i) {
    most = std::max(most, std::abs(a.records.loss[i] - b.records.loss[i]));
  }
  return most;
}

class Types : public ::testing::TestWithParam<at::ScalarType> {};

TEST_P(Types, OneAndTwoThreadsDrawTheSameAndComputeNearlyTheSame) {
  const Threaded one(wide_config(), GetParam(), 1), two(wide_config(), GetParam(), 2);
  EXPECT_TRUE(one.start.equal(two.start));
  EXPECT_EQ(one.inputs, two.inputs);
  EXPECT_EQ(one.frames, two.frames);
  EXPECT_EQ(one.records.step, two.records.step);
  EXPECT_EQ(one.records.cells, two.records.cells);
  // Each thread has lanes of its own. Until the first update a lane's numbers do not depend on which others share its
  // thread (bfloat16: LibTorch's product may differ with the number of rows); then the sum of the threads' gradients
  // has another order, and rounding spreads.
  const bool wide = GetParam() == at::kFloat;
  EXPECT_LE(loss_difference(one, two, 0, 1), wide ? 0.0 : 0.02);
  EXPECT_LE(loss_difference(one, two, 1, 2 * kSmallSteps), wide ? 1e-5 : 0.05);
  EXPECT_LE((one.end - two.end).norm().item<double>(),
            (wide ? 1e-4 : 0.05) * (one.end - one.start).norm().item<double>());
}

TEST_P(Types, TheSameThreadsComputeTheSame) {
  const Threaded one(wide_config(), GetParam(), 2), two(wide_config(), GetParam(), 2);
  EXPECT_EQ(one.records.loss, two.records.loss);
  EXPECT_EQ(one.records.correct, two.records.correct);
  EXPECT_TRUE(one.end.equal(two.end));
}

INSTANTIATE_TEST_SUITE_P(Supervision, Types, ::testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& instance) { return instance.param == at::kFloat ? "float32" : "bfloat16"; });

}  // namespace
}  // namespace dis
