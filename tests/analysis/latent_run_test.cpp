// Supervision steps run open to view give what the plain ones give; runs without a pass are those made by hand.
#include "dis/analysis/latent_run.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "dis/core/random.h"
#include "dis/eval/rows/policy.h"
#include "model/small_shape.h"

namespace dis {
namespace {

constexpr std::int64_t kRows = 5, kCells = 9, kSteps = 3;

struct Setting {
  std::int64_t T, n;
  bool hierarchical;
  Feedback feedback;
  LossForm loss;
};

class LatentRun : public ::testing::TestWithParam<Setting> {
 protected:
  static Backbone network() {
    auto shape = small_model_shape(kCells, 5);
    shape.config.H_cycles = GetParam().T;
    shape.config.L_cycles = GetParam().n;
    shape.identifiers = 3;
    shape.hierarchical = GetParam().hierarchical;
    shape.halting = shape.hierarchical;
    return {shape, 5, at::kCPU, at::kFloat};
  }
  static DecodeSettings settings() { return {GetParam().feedback, {GetParam().loss}}; }

  static LatentRunRequest request() {
    LatentRunRequest made{at::empty({kRows, kCells}, at::kInt), at::empty({kRows}, at::kInt), {}, kSteps, {}, {}};
    Draws draws(2, Purpose::test, 0, 0);
    for (std::int64_t i = 0; i < kRows * kCells; ++i) {
      made.tokens.data_ptr<std::int32_t>()[i] = 1 + static_cast<std::int32_t>(draws.below(4));
    }
    for (std::int64_t i = 0; i < kRows; ++i) {
      made.ids.data_ptr<std::int32_t>()[i] = static_cast<std::int32_t>(draws.below(3));
    }
    return made;
  }

  static at::Tensor logits(const Backbone& model, const at::Tensor& y) {
    return model.readout(y).slice(1, 2).slice(2, 0, 5);
  }
  static at::Tensor policy(const Backbone& model, const at::Tensor& y) {
    return log_policy(logits(model, y), {GetParam().loss});
  }
};

TEST_P(LatentRun, PoliciesAreThoseOfLatentReasoning) {
  const at::NoGradGuard no_grad;
  const auto model = network();
  const auto asked = request();
  std::int64_t seen = 0;
  auto tokens = asked.tokens;
  auto states = model.initial_states(kRows);
  LatentRunObserver observer;
  observer.step = [&](std::int64_t s, const at::Tensor& before, const at::Tensor& after, const at::Tensor& halting) {
    EXPECT_EQ(s, ++seen);
    EXPECT_TRUE(at::equal(before, policy(model, states.y))) << "step " << s;
    const auto x = model.input(tokens, model.puzzle_embeddings(asked.ids), at::full({kRows}, s, at::kInt));
    states = model.latent_reasoning(x, states);
    EXPECT_TRUE(at::equal(after, policy(model, states.y))) << "step " << s;
    EXPECT_TRUE(at::equal(halting, model.halt_decision(model.halting(states.y)))) << "step " << s;
    EXPECT_TRUE(at::allclose(after.exp().sum(-1), at::ones({kRows, kCells}, at::kDouble), 0.0, 1e-12));
    if (GetParam().feedback == Feedback::prediction) tokens = logits(model, states.y).argmax(-1).to(at::kInt);
  };
  run_open(model, settings(), asked, observer);
  EXPECT_EQ(seen, kSteps);
}

TEST_P(LatentRun, ChangesOfLatentPassesAddUpToThatOfTheStep) {
  const at::NoGradGuard no_grad;
  const auto model = network();
  auto asked = request();
  asked.observed = {1, 4};
  std::map<std::int64_t, at::Tensor> change;
  std::map<std::int64_t, std::int64_t> count;
  LatentRunObserver observer;
  observer.latent_pass = [&](std::int64_t s, std::int64_t pass, const at::Tensor& before, const at::Tensor& after) {
    EXPECT_LT(pass % (GetParam().n + 1), GetParam().n) << "an answer pass";
    change[s] = change.contains(s) ? change[s] + (after - before) : after - before;
    ++count[s];
  };
  observer.step = [&](std::int64_t s, const at::Tensor& before, const at::Tensor& after, const at::Tensor&) {
    const auto index = at::tensor(asked.observed, at::kLong);
    EXPECT_EQ(count[s], GetParam().T * GetParam().n);
    EXPECT_TRUE(at::allclose(change[s], (after - before).index_select(0, index), 0.0, 1e-5)) << "step " << s;
  };
  run_open(model, settings(), asked, observer);
}

TEST_P(LatentRun, RunsWithoutAPassAreThoseMadeByHand) {
  const at::NoGradGuard no_grad;
  const auto model = network();
  auto asked = request();
  const auto cycle = GetParam().n + 1, passes = GetParam().T * cycle;
  for (std::int64_t s = 1; s <= kSteps; ++s) {
    for (std::int64_t pass = 0; pass < passes; ++pass) {
      for (std::int64_t row = 0; row < kRows; row += 2) asked.removals.push_back({row, s, pass});
    }
  }
  LatentRunObserver observer;
  observer.step = [](std::int64_t, const at::Tensor&, const at::Tensor&, const at::Tensor&) {};
  const auto answers = run_open(model, settings(), asked, observer);
  ASSERT_EQ(answers.size(), asked.removals.size());
  std::int64_t different = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto& removal = asked.removals[i];
    auto tokens = asked.tokens.narrow(0, removal.row, 1);
    auto states = model.initial_states(1);
    for (std::int64_t s = 1; s <= kSteps; ++s) {
      const auto rows = model.puzzle_embeddings(asked.ids.narrow(0, removal.row, 1));
      const auto x = model.input(tokens, rows, at::full({1}, s, at::kInt));
      for (std::int64_t pass = 0; pass < passes; ++pass) {
        if (s == removal.step && pass == removal.pass) continue;
        if (pass % cycle < GetParam().n) {
          states.z = model.latent_pass(x, states);
        } else {
          states.y = model.answer_pass(states);
        }
      }
      if (GetParam().feedback == Feedback::prediction) tokens = logits(model, states.y).argmax(-1).to(at::kInt);
    }
    const auto answer = logits(model, states.y).argmax(-1).to(at::kInt).contiguous();
    const auto* first = answer.data_ptr<std::int32_t>();
    EXPECT_EQ(answers[i], (std::vector<std::int32_t>(first, first + kCells))) << "removal " << i;
    different += answers[i] != answers[i % 3] ? 1 : 0;
  }
  EXPECT_GT(different, 0) << "passes that all do nothing would prove nothing";
}

TEST(LatentRunOfOneState, EveryPassIsComparedWithTheOneBefore) {
  const at::NoGradGuard no_grad;
  auto shape = small_model_shape(kCells, 5);
  shape.config.states = StateCount::one;
  shape.config.H_cycles = 2;
  shape.config.L_cycles = 2;
  shape.identifiers = 3;
  const Backbone model(shape, 5, at::kCPU, at::kFloat);
  LatentRunRequest asked;
  asked.tokens = at::ones({3, kCells}, at::kInt);
  asked.ids = at::tensor({0, 1, 2}, at::kInt);
  asked.steps = kSteps;
  asked.observed = {0, 2};
  const auto index = at::tensor(asked.observed, at::kLong);
  std::vector<std::pair<at::Tensor, at::Tensor>> changes;  // of a step
  LatentRunObserver observer;
  observer.latent_pass = [&](std::int64_t, std::int64_t pass, const at::Tensor& before, const at::Tensor& after) {
    EXPECT_EQ(pass, std::ssize(changes));
    if (pass > 0) {
      EXPECT_TRUE(before.equal(changes.back().second));
    }
    EXPECT_FALSE(before.equal(after));
    changes.emplace_back(before, after);
  };
  observer.step = [&](std::int64_t, const at::Tensor& before, const at::Tensor& after, const at::Tensor&) {
    ASSERT_EQ(changes.size(), 4U);
    EXPECT_TRUE(changes.front().first.equal(before.index_select(0, index)));
    EXPECT_TRUE(at::allclose(changes.back().second, after.index_select(0, index), 0.0, 1e-5));
    changes.clear();
  };
  run_open(model, {}, asked, observer);
}

INSTANTIATE_TEST_SUITE_P(All, LatentRun,
                         ::testing::Values(Setting{1, 2, false, Feedback::input, LossForm::stablemax},
                                           Setting{2, 1, false, Feedback::prediction, LossForm::softmax},
                                           Setting{2, 3, false, Feedback::input, LossForm::softmax},
                                           Setting{2, 2, true, Feedback::input, LossForm::stablemax}));

}  // namespace
}  // namespace dis
