// Training's fast path against the reference's training steps (model/reference.h): losses and gradients.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "dis/model/loss_of.h"
#include "dis/model/reference.h"
#include "train/small_run.h"

namespace dis {
namespace {

/// A batch of a run whose weights stay, one supervision step after the other, as the reference makes them.
class ReferenceRun {
 public:
  explicit ReferenceRun(const RunConfig& config) : run_(config) {
    const auto& shape = run_.model.shape();
    rotary_ = rotary_tables(shape.positions(), shape.head(), shape.config.rope_theta, at::kCPU);
    const auto batch = draw_batch(run_.stream, 0, 0, config.train.global_batch);
    const auto as_tensor = [&](const std::vector<std::int32_t>& numbers) {
      return torch::tensor(numbers, at::kInt).view({batch.lanes, -1});
    };
    tokens_ = as_tensor(batch.inputs);
    labels_ = as_tensor(batch.labels);
    ids_ = as_tensor(batch.puzzle_ids).squeeze(1);
    frames_ = as_tensor(run_.targets.batch_frames(0, 0, batch, run_.stream)).view({batch.lanes, -1, batch.length});
    states_ = run_.model.initial_states(batch.lanes);
  }

  /// Step s = 1, 2, ..; leaves its gradient in gradient().
  reference::TaughtStep step(std::int64_t s) {
    auto& weights = run_.model.weights();
    weights.gradient().zero_();
    const auto& method = run_.config.method;
    const reference::Network net{run_.model.shape(), weights.master(), rotary_, at::kFloat};
    const auto rows = run_.model.puzzle_embeddings(ids_);
    const StepInput in{tokens_, rows, at::full_like(ids_, s)};
    const auto before = method.objective == Objective::dual ? frames_.select(1, s - 1) : at::Tensor();
    auto taught = method.algorithm == Algorithm::dis
                      ? reference::dis_step(net, in, states_, frames_.select(1, s), before, loss_of(method))
                      : reference::halting_step(net, in, states_, labels_, loss_of(method));
    auto whole = taught.losses;
    if (taught.halting_losses.defined()) whole = whole + method.halting_weight * taught.halting_losses;
    whole.mean().backward();
    states_ = {taught.out.states.y.detach(), taught.out.states.z.detach()};
    return taught;
  }

  /// Of what the dense optimiser trains.
  at::Tensor gradient() const {
    const auto& weights = run_.model.weights();
    return weights.gradient().narrow(0, 0, weights.parameters());
  }

 private:
  SmallRun run_;
  RotaryTables rotary_;
  at::Tensor tokens_, labels_, ids_, frames_;
  States states_;
};

void expect_like(const std::vector<double>& found, const at::Tensor& wanted, const char* what) {
  const auto all = at::tensor(found, at::kDouble);
  EXPECT_TRUE(at::allclose(all, wanted.detach(), 1e-5, 1e-6)) << what << ": " << all << wanted;
}

/// float32: both round, in another order.
void expect_reference_steps(const RunConfig& small) {
  const auto config = showing_gradients(small);
  SmallRun fast(config);
  ReferenceRun plain(config);
  const bool halts = config.method.algorithm != Algorithm::dis;
  for (std::int64_t s = 1; s <= config.method.num_supervision; ++s) {
    SCOPED_TRACE("step " + std::to_string(s));
    const auto records = fast.loop.run(1);
    ASSERT_EQ(records.step, std::vector<std::int32_t>(records.step.size(), static_cast<std::int32_t>(s)));
    const auto taught = plain.step(s);
    expect_like(records.loss, taught.losses, "losses");
    if (halts) expect_like(records.halting_loss, taught.halting_losses, "halting losses");
    const auto difference = (fast.optimiser.m() - plain.gradient()).norm() / plain.gradient().norm();
    EXPECT_TRUE(difference.item<double>() < 2e-5) << difference;  // false for a NaN
  }
}

TEST(ReferenceStep, DisIsTaughtAsTheReferenceSays) {
  for (const auto objective : {Objective::single, Objective::dual}) {
    for (const auto loss : {LossKind::stablemax, LossKind::softmax, LossKind::smoothed}) {
      SCOPED_TRACE(to_string(objective) + ", " + to_string(loss));
      auto config = small_config();
      config.method.objective = objective;
      config.method.loss = loss;
      expect_reference_steps(config);
    }
  }
}

TEST(ReferenceStep, TheBaselinesAreTaughtAsTheReferenceSays) {
  for (const auto algorithm : {Algorithm::trm, Algorithm::hrm}) {
    for (const bool mlp_t : {false, true}) {
      SCOPED_TRACE(to_string(algorithm) + (mlp_t ? ", mlp_t" : ""));
      auto config = small_baseline(algorithm);
      config.model.mlp_t = mlp_t;
      expect_reference_steps(config);
    }
  }
}

TEST(ReferenceStep, WithOneStateAndAnotherHaltingWeight) {
  for (const auto algorithm : {Algorithm::dis, Algorithm::trm}) {
    SCOPED_TRACE(to_string(algorithm));
    auto config = algorithm == Algorithm::dis ? small_config() : small_baseline(algorithm);
    config.model.states = StateCount::one;
    config.model.gradient_passes = 1;
    config.method.halting_weight = 2.0;
    expect_reference_steps(config);
  }
}

}  // namespace
}  // namespace dis
