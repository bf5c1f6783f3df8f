// The backbone against the reference network (model/reference.h).
//
// The tolerance, for every tensor: the root mean square error against float64, relative to the tensor and taken over
// four networks, is at most twice that of the composed network in the same type (float32: three times), measured in the
// same test, plus one rounding. For gradients and the halting head it is twice as much: their error comes from few
// numbers and so varies more. A fixed limit in float32 keeps a broken composed network from excusing a broken fused
// one.
#include "dis/model/backbone.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "dis/core/random.h"
#include "model/composed_model.h"

namespace dis {
namespace {

constexpr std::int64_t kLanes = 3;

/// Sizes that are no multiples of a vector register; E = 40 ends within the second of three positions.
ModelShape small_shape() {
  ModelShape shape;
  shape.config.hidden_size = 24;
  shape.config.num_heads = 2;
  shape.config.expansion = 0.5;
  shape.config.puzzle_emb_len = 3;
  shape.config.puzzle_emb_ndim = 40;
  shape.vocabulary = 7;
  shape.answers = 6;
  shape.length = 11;
  shape.identifiers = 4;
  shape.supervision = 5;
  return shape;
}

/// A network whose tables that start at zero are filled, too.
Backbone network(const ModelShape& shape, at::ScalarType type = at::kFloat, std::uint64_t seed = 7) {
  Backbone model(shape, seed, at::kCPU, type);
  Draws draws(3, Purpose::test, 0, 0);
  for (const char* name : {"model.inner.puzzle_emb.weights", "model.inner.q_head.weight"}) {
    const auto* tensor = model.weights().find(name);
    if (tensor == nullptr) continue;
    for (std::int64_t i = 0; i < tensor->numel(); ++i) {
      tensor->data_ptr<float>()[i] = static_cast<float>(0.3 * draws.normal());
    }
  }
  model.weights().refresh();
  return model;
}

at::Tensor normal(at::IntArrayRef shape, std::uint64_t index) {
  auto x = at::empty(shape, at::kDouble);
  Draws draws(4, Purpose::test, 0, index);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data_ptr<double>()[i] = draws.normal();
  return x;
}

/// What one supervision step reads, and the gradients that it gets from behind.
struct Step {
  at::Tensor tokens, ids, steps, y, z, dlogits, dq;
  explicit Step(const ModelShape& shape)
      : tokens(at::empty({kLanes, shape.length}, at::kInt)),
        ids(torch::tensor(std::vector<std::int32_t>{2, 0, 3}, at::kInt)),
        steps(torch::tensor(std::vector<std::int32_t>{1, 3, 5}, at::kInt)),
        // Of unit size, as they are behind a norm; rounded so that every type starts from the same numbers.
        y(normal({kLanes, shape.positions(), shape.config.hidden_size}, 1).to(at::kBFloat16)),
        z(normal({kLanes, shape.positions(), shape.config.hidden_size}, 2).to(at::kBFloat16)),
        dlogits(normal({kLanes, shape.positions(), shape.vocabulary}, 3).to(at::kBFloat16)),
        dq(normal({kLanes, 2}, 4).to(at::kBFloat16)) {
    Draws draws(5, Purpose::test, 0, 0);
    for (std::int64_t i = 0; i < tokens.numel(); ++i) {
      tokens.data_ptr<std::int32_t>()[i] =
          static_cast<std::int32_t>(draws.below(static_cast<std::uint32_t>(shape.vocabulary)));
    }
  }
};

/// y, z, logits, halting logits, and "grad ..." of all that the step has a gradient for.
using Results = std::map<std::string, at::Tensor>;

Results results_of(Backbone& model, const Step& in) {
  const auto type = model.weights().compute_type();
  const auto rows = model.puzzle_embeddings(in.ids);
  const auto x = model.input(in.tokens, rows, in.steps);
  const auto after = model.latent_reasoning(x, {in.y.to(type), in.z.to(type)});
  const auto logits = model.readout(after.y);
  const auto q = model.halting(after.y);
  torch::autograd::backward({logits, q}, {in.dlogits.to(type), in.dq.to(at::kFloat)});
  Results results{{"y", after.y.detach()}, {"z", after.z.detach()}, {"logits", logits.detach()}, {"q", q.detach()}};
  for (const auto& spec : model.weights().table()) {
    if (spec.kind == WeightKind::buffer) continue;
    results["grad " + spec.name] = part_of(model.weights().gradient(), spec).clone();
  }
  if (rows.defined()) {
    auto table = at::zeros_like(*model.weights().find("model.inner.puzzle_emb.weights"));
    results["grad model.inner.puzzle_emb.weights"] = table.index_add_(0, in.ids, rows.grad());
  }
  return results;
}

Results results_of(const Backbone& like, const Step& in, at::ScalarType type) {
  ComposedModel model(like, type);
  const auto x = model.input(in.tokens, in.ids, in.steps);
  const auto net = model.network();
  const auto after = reference::latent_reasoning(net, x, {in.y.to(type), in.z.to(type)});
  const auto logits = reference::readout(net, after.y);
  const auto q = reference::halting(net, after.y);
  torch::autograd::backward({logits, q}, {in.dlogits.to(type), in.dq.to(type)});
  Results results{{"y", after.y.detach()}, {"z", after.z.detach()}, {"logits", logits.detach()}, {"q", q.detach()}};
  for (const auto& [name, leaf] : model.leaves()) {
    if (leaf.grad().defined()) results["grad " + name] = leaf.grad();
  }
  return results;
}

double rms(const at::Tensor& x) { return x.to(at::kDouble).square().mean().sqrt().item<double>(); }

/// How far the results of a type may be from float64.
struct Allowed {
  double unit;    ///< one rounding
  double factor;  ///< of the composed network's error, for states and logits; twice that for a gradient
  double limit;   ///< largest relative error, whatever the composed network's is
};

void expect_as_exact(const ModelShape& shape, at::ScalarType type, const Allowed& allowed) {
  struct Errors {
    double ours = 0.0, plain = 0.0;
  };
  std::map<std::string, Errors> errors;  // mean square errors relative to the tensor's mean square
  constexpr int kNetworks = 4;
  for (int seed = 0; seed < kNetworks; ++seed) {
    auto model = network(shape, type, static_cast<std::uint64_t>(seed));
    const Step in(shape);
    const auto ours = results_of(model, in);
    const auto plain = results_of(model, in, type);
    const auto exact = results_of(model, in, at::kDouble);
    ASSERT_EQ(ours.size(), exact.size());
    for (const auto& [name, want] : exact) {
      SCOPED_TRACE(name);
      ASSERT_TRUE(ours.contains(name));
      ASSERT_EQ(ours.at(name).sizes(), want.sizes());
      const double size = rms(want);
      ASSERT_GT(size, 0.0);
      errors[name].ours += std::pow(rms(ours.at(name).to(at::kDouble) - want) / size, 2) / kNetworks;
      errors[name].plain += std::pow(rms(plain.at(name).to(at::kDouble) - want) / size, 2) / kNetworks;
    }
  }
  for (const auto& [name, error] : errors) {
    const bool gradient = name.starts_with("grad ") || name == "q";
    const double most = allowed.factor * (gradient ? 2.0 : 1.0) * std::sqrt(error.plain) + allowed.unit;
    EXPECT_TRUE(std::sqrt(error.ours) <= most)  // false for a NaN
        << name << ": error " << std::sqrt(error.ours) << ", composed network " << std::sqrt(error.plain);
    EXPECT_LE(std::sqrt(error.ours), allowed.limit) << name;
  }
}

class BackboneTest : public ::testing::TestWithParam<std::tuple<int, int, int, bool, TimeEmbedding>> {
 protected:
  ModelShape shape() const {
    auto s = small_shape();
    std::tie(s.config.num_layers, s.config.H_cycles, s.config.L_cycles, s.config.puzzle_embedding, s.time) = GetParam();
    return s;
  }
};

TEST_P(BackboneTest, Float32EqualsTheComposedNetwork) { expect_as_exact(shape(), at::kFloat, {0x1p-23, 3.0, 1e-4}); }

TEST_P(BackboneTest, BFloat16IsAsExactAsTheComposedNetwork) {
  expect_as_exact(shape(), at::kBFloat16, {0x1p-8, 2.0, std::numeric_limits<double>::infinity()});
}

std::string name_of(const ::testing::TestParamInfo<BackboneTest::ParamType>& instance) {
  const auto& [layers, T, n, puzzle, time] = instance.param;
  return "layers" + std::to_string(layers) + "_T" + std::to_string(T) + "_n" + std::to_string(n) +
         (puzzle ? "_puzzle_" : "_") + to_string(time);
}

INSTANTIATE_TEST_SUITE_P(
    Settings, BackboneTest,
    ::testing::Combine(::testing::Values(1, 2), ::testing::Values(1, 3), ::testing::Values(1, 2, 3), ::testing::Bool(),
                       ::testing::Values(TimeEmbedding::integer, TimeEmbedding::continuous, TimeEmbedding::none)),
    name_of);

/// The baselines' networks: HRM's two stacks, and TRM's variant that mixes positions without attention.
ModelShape other_shape(bool hierarchical, bool mlp_t) {
  auto shape = small_shape();
  shape.time = TimeEmbedding::none;
  shape.hierarchical = hierarchical;
  shape.halting = true;
  shape.config.mlp_t = mlp_t;
  shape.config.H_cycles = 2;
  return shape;
}

TEST(Backbone, TheBaselinesNetworksEqualTheComposedOnes) {
  for (const auto& [hierarchical, mlp_t] : {std::pair{true, false}, {false, true}, {true, true}}) {
    SCOPED_TRACE(std::string(hierarchical ? "two stacks" : "one stack") + (mlp_t ? ", mlp_t" : ""));
    const auto shape = other_shape(hierarchical, mlp_t);
    expect_as_exact(shape, at::kFloat, {0x1p-23, 3.0, 1e-4});
    expect_as_exact(shape, at::kBFloat16, {0x1p-8, 2.0, std::numeric_limits<double>::infinity()});
  }
}

TEST(Backbone, ANetworkWithConvolutionsEqualsTheComposedOne) {
  for (const bool mlp_t : {false, true}) {
    auto shape = other_shape(false, mlp_t);
    shape.config.mlp = MlpKind::conv_swiglu;
    shape.config.num_layers = 2;
    expect_as_exact(shape, at::kFloat, {0x1p-23, 3.0, 1e-4});
    expect_as_exact(shape, at::kBFloat16, {0x1p-8, 2.0, std::numeric_limits<double>::infinity()});
  }
}

TEST(Backbone, ANetworkWithOneStateEqualsTheComposedOne) {
  for (const std::int64_t with_gradient : {0, 1, 4}) {  // of 6 passes; 0: the last 3
    auto shape = other_shape(false, false);
    shape.config.states = StateCount::one;
    shape.config.L_cycles = 3;
    shape.config.gradient_passes = with_gradient;
    expect_as_exact(shape, at::kFloat, {0x1p-23, 3.0, 1e-4});
    expect_as_exact(shape, at::kBFloat16, {0x1p-8, 2.0, std::numeric_limits<double>::infinity()});
  }
}

TEST(Backbone, OneStateIsRenewedWithTheInputBeforeEveryPass) {
  auto shape = small_shape();
  shape.config.states = StateCount::one;
  shape.config.H_cycles = 2;
  auto model = network(shape);
  const Step in(shape);
  const at::NoGradGuard no_grad;
  const auto x = model.input(in.tokens, model.puzzle_embeddings(in.ids), in.steps);
  const States before{in.y.to(at::kFloat), in.z.to(at::kFloat)};
  auto y = before.y;
  for (int pass = 0; pass < 4; ++pass) y = model.answer_pass({y, x});
  const auto after = model.latent_reasoning(x, before);
  EXPECT_TRUE(after.y.equal(y));
  EXPECT_TRUE(after.z.equal(before.z)) << "it has no part in it";
}

TEST(Backbone, GradientGoesThroughAsManyPassesAsAsked) {
  for (const bool hierarchical : {false, true}) {
    for (const std::int64_t with_gradient : {2, 5, 6}) {
      SCOPED_TRACE(std::to_string(with_gradient) + (hierarchical ? " of two stacks" : ""));
      auto shape = other_shape(hierarchical, false);
      shape.config.gradient_passes = with_gradient;
      expect_as_exact(shape, at::kFloat, {0x1p-23, 3.0, 1e-4});
      auto model = network(shape);
      results_of(model, Step(shape));
      EXPECT_EQ(model.passes().backward, kLanes * with_gradient);
    }
  }
}

TEST(Backbone, OfSeveralCyclesOnlyTheLastCarriesGradient) {
  auto shape = small_shape();
  shape.config.H_cycles = 3;
  auto three = network(shape);
  Step in(shape);
  const auto whole = results_of(three, in);

  // Two cycles by hand, without gradient, then a network with one cycle.
  shape.config.H_cycles = 2;
  auto two = network(shape);
  States states{in.y.to(at::kFloat), in.z.to(at::kFloat)};
  {
    const at::NoGradGuard no_grad;
    states = two.latent_reasoning(two.input(in.tokens, two.puzzle_embeddings(in.ids), in.steps), states);
  }
  in.y = states.y;
  in.z = states.z;
  shape.config.H_cycles = 1;
  auto one = network(shape);
  const auto last = results_of(one, in);
  for (const auto& [name, want] : last) EXPECT_TRUE(whole.at(name).equal(want)) << name;
}

TEST(Backbone, AllLanesStartFromTheInitialStates) {
  auto model = network(small_shape());
  const auto states = model.initial_states(2);
  for (const auto& [state, name] : {std::pair{states.y, "H_init"}, {states.z, "L_init"}}) {
    const auto* row = model.weights().find(std::string("model.inner.") + name);
    ASSERT_EQ(state.sizes(), (std::vector<std::int64_t>{2, 14, 24}));
    EXPECT_TRUE(state.eq(*row).all().item<bool>()) << name;
  }
}

TEST(Backbone, WithoutGradModeNothingIsKeptForABackwardPass) {
  auto model = network(small_shape());
  const Step in(model.shape());
  const at::NoGradGuard no_grad;
  const auto rows = model.puzzle_embeddings(in.ids);
  const auto after = model.latent_reasoning(model.input(in.tokens, rows, in.steps), model.initial_states(kLanes));
  EXPECT_FALSE(rows.requires_grad());
  EXPECT_FALSE(model.readout(after.y).requires_grad());
}

TEST(ComposedModel, GradientsAreFiniteDifferences) {
  for (const std::int64_t cycles : {1, 2}) {
    auto shape = small_shape();
    shape.config.num_layers = 2;
    shape.config.H_cycles = cycles;
    if (cycles == 2) shape.config.mlp = MlpKind::conv_swiglu;
    const auto like = network(shape);
    const Step in(shape);
    ComposedModel model(like, at::kDouble);
    const auto value = [&] {  // through all cycles, which is what a difference sees
      const auto x = model.input(in.tokens, in.ids, in.steps);
      const auto y = model.differentiable_reasoning(x, {in.y.to(at::kDouble), in.z.to(at::kDouble)}).y;
      const auto net = model.network();
      return (reference::readout(net, y) * in.dlogits).sum() + (reference::halting(net, y) * in.dq).sum();
    };
    value().backward();
    for (auto& [name, leaf] : model.leaves()) {
      if (name.ends_with("_init")) continue;
      SCOPED_TRACE(name);
      const at::NoGradGuard no_grad;
      auto numbers = leaf.detach().view({-1});
      const auto gradient = leaf.grad().view({-1});
      // The number with the largest gradient and two others.
      for (const auto i : {gradient.abs().argmax().item<std::int64_t>(), std::int64_t{0}, numbers.numel() / 2}) {
        const double before = numbers[i].item<double>(), h = 1e-5;
        const auto at_distance = [&](double distance) {
          numbers[i].fill_(before + distance);
          return value().item<double>();
        };
        // Central differences of fourth order: the error is about 1e-15 value / h.
        const double first = at_distance(h) - at_distance(-h), second = at_distance(2 * h) - at_distance(-2 * h);
        numbers[i].fill_(before);
        const double difference = (8.0 * first - second) / (12.0 * h);
        const double size = gradient.abs().max().item<double>();
        EXPECT_NEAR(gradient[i].item<double>(), difference, 1e-6 * size) << i << ", T = " << cycles;
      }
    }
  }
}

}  // namespace
}  // namespace dis
