// Decoding with guidance against the guided policy made by hand.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "dis/core/random.h"
#include "dis/eval/decode.h"
#include "dis/eval/policy.h"
#include "model/small_shape.h"

namespace dis {
namespace {

constexpr std::int64_t kCells = 16, kSteps = 3, kRows = 6;

Backbone network() { return {small_model_shape(kCells, 3), 5, at::kCPU, at::kFloat}; }

std::vector<std::int32_t> inputs() {
  std::vector<std::int32_t> tokens;
  Draws draws(1, Purpose::test, 0, 0);
  for (std::int64_t i = 0; i < kRows * kCells; ++i) tokens.push_back(1 + static_cast<std::int32_t>(draws.below(2)));
  return tokens;
}

TEST(LogPolicy, IsStableMaxOrSoftMaxOverTheGivenTokens) {
  const auto logits = at::tensor({-3.0, -0.5, 0.0, 2.0}, at::kDouble);
  const auto stable = log_policy(logits, LossKind::stablemax).exp();
  const double s[] = {1.0 / 4.0, 1.0 / 1.5, 1.0, 3.0}, sum = s[0] + s[1] + s[2] + s[3];
  for (int k = 0; k < 4; ++k) EXPECT_NEAR(stable[k].item<double>(), s[k] / sum, 1e-14);
  EXPECT_TRUE(at::allclose(log_policy(logits, LossKind::softmax).exp(), logits.softmax(-1), 0.0, 1e-14));
  EXPECT_TRUE(
      at::isfinite(log_policy(at::tensor({1.0, 1e30, -1e30}, at::kDouble), LossKind::stablemax)).all().item<bool>());
}

TEST(Guidance, AnswersAreThoseOfTheGuidedPolicy) {
  const at::NoGradGuard no_grad;
  const auto model = network();
  const auto boards = inputs();
  for (const auto feedback : {Feedback::input, Feedback::prediction}) {
    for (const auto loss : {LossKind::stablemax, LossKind::softmax}) {
      for (const double w : {0.0, 0.5, 1.0, 4.0, -2.0}) {
        const DecodeSettings settings{feedback, loss, 200, nullptr, w};
        const auto answers = decode_argmax(model, settings, boards, kSteps);
        auto tokens = at::tensor(boards, at::kInt).view({kRows, kCells});
        const auto rows = model.puzzle_rows(at::zeros({kRows}, at::kInt));
        auto states = model.initial_states(kRows);
        const auto read = [&] { return model.readout(states.y).slice(1, 2).slice(2, 0, 3); };
        auto before = log_policy(read(), loss);
        for (std::int64_t s = 1; s <= kSteps; ++s) {
          states = model.latent_reasoning(model.input(tokens, rows, at::full({kRows}, s, at::kInt)), states);
          const auto after = log_policy(read(), loss);
          const auto guided = (before + w * (after - before)).argmax(-1).to(at::kInt);
          const auto found = at::tensor(answers.steps[static_cast<std::size_t>(s - 1)], at::kInt).view({kRows, kCells});
          EXPECT_TRUE(at::equal(found, guided)) << "w = " << w << ", step " << s;
          before = after;
          if (feedback == Feedback::prediction) tokens = read().argmax(-1).to(at::kInt);  // shown plain
        }
      }
    }
  }
}

TEST(Guidance, ChangesAnswersOfBothDecoders) {
  const auto model = network();
  const auto boards = inputs();
  const DecodeSettings plain{}, far{Feedback::input, LossKind::stablemax, 200, nullptr, 8.0};
  EXPECT_NE(decode_argmax(model, plain, boards, kSteps).steps, decode_argmax(model, far, boards, kSteps).steps);
  const std::vector<std::int32_t> empty(kRows * kCells, 1);
  EXPECT_NE(decode_commit(model, plain, empty, kSteps), decode_commit(model, far, empty, kSteps));
}

}  // namespace
}  // namespace dis
