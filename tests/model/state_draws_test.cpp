// Damping, noise and random starts of a network: the reference's formula with the same draws, gradients, and
// independence of the batch.
#include "dis/model/state_draws.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "dis/model/reference.h"
#include "dis/model/supervision_step.h"
#include "small_shape.h"

namespace dis {
namespace {

constexpr std::int64_t kDrawnLanes = 3;

StateDraws some_draws() {
  StateDraws draws;
  draws.seed = 4;
  draws.random_start = true;
  draws.start = {1.0, 2.0};
  draws.steps = {0.1, 0.2};
  draws.passes = {0.03, 0.04};
  draws.keys = at::tensor(std::vector<std::int64_t>{11, 12, 13}, at::kLong);
  return draws;
}

struct DrawnNetwork {
  ModelShape shape = small_model_shape(16, 3);
  Backbone model;
  at::Tensor tokens, ids, number;

  explicit DrawnNetwork(double damping = 0.9) : shape(damped(damping)), model(shape, 3, at::kCPU, at::kFloat) {
    tokens = at::arange(kDrawnLanes * shape.length, at::kInt)
                 .remainder(shape.vocabulary)
                 .view({kDrawnLanes, -1})
                 .contiguous();
    ids = at::zeros({kDrawnLanes}, at::kInt);
    number = at::full({kDrawnLanes}, 2, at::kInt);
  }
  static ModelShape damped(double damping) {
    auto shape = small_model_shape(16, 3);
    shape.damping = damping;
    return shape;
  }
  StepInput in() const { return {tokens, model.puzzle_embeddings(ids), number}; }
};

TEST(StateDrawsOfANetwork, TheStepIsTheReferencesWithTheSameDraws) {
  const DrawnNetwork drawn;
  const auto draws = some_draws();
  const auto before = drawn.model.initial_states(kDrawnLanes, draws);
  const auto step = supervision_step(drawn.model, drawn.in(), before, {.draws = &draws});

  const auto rotary =
      rotary_tables(drawn.shape.positions(), drawn.shape.head(), drawn.shape.config.rope_theta, at::kCPU);
  const reference::Network net{drawn.shape, drawn.model.weights().leaves(0), rotary, at::kFloat};
  const auto noise_of = [&](const at::Tensor& like, std::int64_t place, WhichState which) {
    return with_noise(draws, at::zeros_like(like.detach()), drawn.number, place, which);
  };
  const States noisy{before.y + noise_of(before.y, kBeforeStep, WhichState::answer),
                     before.z + noise_of(before.z, kBeforeStep, WhichState::latent)};
  const auto wanted = reference::latent_reasoning(net, reference::input(net, drawn.in()), noisy, noise_of);
  EXPECT_TRUE(at::allclose(step.states.y, wanted.y, 1e-4, 1e-5));
  EXPECT_TRUE(at::allclose(step.states.z, wanted.z, 1e-4, 1e-5));

  // The same gradients.
  const auto upstream = at::randn_like(step.logits);
  drawn.model.weights().gradient().zero_();
  (step.logits * upstream).sum().backward();
  const auto got = drawn.model.weights().gradient().clone();
  drawn.model.weights().gradient().zero_();
  (reference::readout(net, wanted.y) * upstream).sum().backward();
  EXPECT_TRUE(at::allclose(got, drawn.model.weights().gradient(), 1e-3, 1e-4));
  EXPECT_GT(got.abs().max().item<double>(), 0.0);
}

TEST(StateDrawsOfANetwork, EachOfThemCounts) {
  const DrawnNetwork drawn, undamped(1.0);
  const at::NoGradGuard no_grad;
  const auto after = [&](const DrawnNetwork& net, const StateDraws& draws) {
    return supervision_step(net.model, net.in(), net.model.initial_states(kDrawnLanes, draws), {.draws = &draws})
        .states;
  };
  const auto all = after(drawn, some_draws());
  const auto differs = [&](const States& other) { return !at::equal(all.y, other.y); };
  for (auto* change : {+[](StateDraws& d) { d.seed = 5; }, +[](StateDraws& d) { d.random_start = false; },
                       +[](StateDraws& d) { d.start.answer = 1.5; }, +[](StateDraws& d) { d.start.latent = 1.5; },
                       +[](StateDraws& d) { d.steps.answer = 0.0; }, +[](StateDraws& d) { d.steps.latent = 0.0; },
                       +[](StateDraws& d) { d.passes.answer = 0.0; }, +[](StateDraws& d) { d.passes.latent = 0.0; }}) {
    auto draws = some_draws();
    change(draws);
    EXPECT_TRUE(differs(after(drawn, draws)));
  }
  EXPECT_TRUE(differs(after(undamped, some_draws())));
}

TEST(StateDrawsOfANetwork, DependOnTheKeyNotOnTheBatch) {
  const DrawnNetwork drawn;
  const at::NoGradGuard no_grad;
  const auto draws = some_draws();
  const auto all = drawn.model.initial_states(kDrawnLanes, draws);
  const auto alone = drawn.model.initial_states(1, draws.with_keys(draws.keys.slice(0, 1, 2)));
  EXPECT_TRUE(at::equal(alone.y[0], all.y[1]));
  EXPECT_TRUE(at::equal(alone.z[0], all.z[1]));
  EXPECT_TRUE(at::equal(with_noise(draws, all.y, drawn.number, 3, WhichState::answer)[1],
                        with_noise(draws.with_keys(draws.keys.slice(0, 1, 2)), all.y.slice(0, 1, 2).contiguous(),
                                   drawn.number.slice(0, 1, 2).contiguous(), 3, WhichState::answer)[0]));
}

TEST(StateDrawsOfANetwork, LanesThatShareAnExampleAreLikeLanesWithTheirOwn) {
  const DrawnNetwork drawn;
  const at::NoGradGuard no_grad;
  const auto draws = some_draws();
  const auto example = at::tensor(std::vector<std::int64_t>{1, 1, 0}, at::kLong);
  const auto before = drawn.model.initial_states(kDrawnLanes, draws);
  auto shared = drawn.in();
  shared.example = example;
  const auto got = supervision_step(drawn.model, shared, before, {.draws = &draws});
  const StepInput own{drawn.tokens.index_select(0, example),
                      drawn.model.puzzle_embeddings(drawn.ids.index_select(0, example)), drawn.number};
  const auto wanted = supervision_step(drawn.model, own, before, {.draws = &draws});
  EXPECT_TRUE(at::equal(got.logits, wanted.logits));
}

TEST(StateDrawsOfANetwork, EvaluationSaysWhatIsDrawn) {
  MethodConfig method;
  EvalConfig eval;
  EXPECT_FALSE(evaluated_draws(method, eval, 0).any());
  eval.noise = 0.5;
  auto draws = evaluated_draws(method, eval, 7);
  EXPECT_EQ(draws.seed, 7U);
  EXPECT_EQ(draws.steps.latent, 0.5);
  EXPECT_EQ(draws.steps.answer, 0.0);
  EXPECT_FALSE(draws.passes.any());
  eval.noise_state = NoiseState::both;
  eval.noise_place = NoisePlace::pass;
  method.path_noise = 0.01;
  draws = evaluated_draws(method, eval, 7);
  EXPECT_EQ(draws.passes.answer, 0.5);
  EXPECT_FALSE(draws.steps.any());
  eval.noise = 0.0;
  EXPECT_EQ(evaluated_draws(method, eval, 7).passes.latent, 0.01);
  method.start = Start::random;
  EXPECT_TRUE(evaluated_draws(method, eval, 7).random_start);
  eval.start = EvalStart::fixed;
  EXPECT_FALSE(evaluated_draws(method, eval, 7).random_start);
}

}  // namespace
}  // namespace dis
