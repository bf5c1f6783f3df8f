// Decoding with guidance against the guided policy made by hand.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "dis/core/random.h"
#include "dis/eval/rows/decode.h"
#include "dis/eval/rows/policy.h"
#include "model/small_shape.h"

namespace dis {
namespace {

constexpr std::int64_t kGuidedCells = 16, kGuidedSteps = 3, kGuidedRows = 6;

Backbone guided_network() { return {small_model_shape(kGuidedCells, 3), 5, at::kCPU, at::kFloat}; }

std::vector<std::int32_t> inputs() {
  std::vector<std::int32_t> tokens;
  Draws draws(1, Purpose::test, 0, 0);
  for (std::int64_t i = 0; i < kGuidedRows * kGuidedCells; ++i)
    tokens.push_back(1 + static_cast<std::int32_t>(draws.below(2)));
  return tokens;
}

TEST(LogPolicy, IsStableMaxOrSoftMaxOverTheGivenTokens) {
  const auto logits = at::tensor({-3.0, -0.5, 0.0, 2.0}, at::kDouble);
  const auto stable = log_policy(logits, {LossForm::stablemax}).exp();
  const double s[] = {1.0 / 4.0, 1.0 / 1.5, 1.0, 3.0}, sum = s[0] + s[1] + s[2] + s[3];
  for (int k = 0; k < 4; ++k) EXPECT_NEAR(stable[k].item<double>(), s[k] / sum, 1e-14);
  EXPECT_TRUE(at::allclose(log_policy(logits, {LossForm::softmax}).exp(), logits.softmax(-1), 0.0, 1e-14));
  EXPECT_TRUE(
      at::isfinite(log_policy(at::tensor({1.0, 1e30, -1e30}, at::kDouble), {LossForm::stablemax})).all().item<bool>());
}

TEST(Guidance, AnswersAreThoseOfTheGuidedPolicy) {
  const at::NoGradGuard no_grad;
  const auto model = guided_network();
  const auto boards = inputs();
  for (const auto feedback : {Feedback::input, Feedback::prediction}) {
    for (const auto& loss : {Loss{LossForm::stablemax}, Loss{LossForm::softmax}}) {
      for (const double w : {0.0, 0.5, 1.0, 4.0, -2.0}) {
        const DecodeSettings settings{feedback, loss, 200, nullptr, w};
        const auto answers = decode_argmax(model, settings, boards, kGuidedSteps);
        auto tokens = at::tensor(boards, at::kInt).view({kGuidedRows, kGuidedCells});
        const auto rows = model.puzzle_embeddings(at::zeros({kGuidedRows}, at::kInt));
        auto states = model.initial_states(kGuidedRows);
        const auto read = [&] { return model.readout(states.y).slice(1, 2).slice(2, 0, 3); };
        auto before = log_policy(read(), loss);
        for (std::int64_t s = 1; s <= kGuidedSteps; ++s) {
          states = model.latent_reasoning(model.input(tokens, rows, at::full({kGuidedRows}, s, at::kInt)), states);
          const auto after = log_policy(read(), loss);
          const auto guided = (before + w * (after - before)).argmax(-1).to(at::kInt);
          const auto found =
              at::tensor(answers.steps[static_cast<std::size_t>(s - 1)], at::kInt).view({kGuidedRows, kGuidedCells});
          EXPECT_TRUE(at::equal(found, guided)) << "w = " << w << ", step " << s;
          before = after;
          if (feedback == Feedback::prediction) tokens = read().argmax(-1).to(at::kInt);  // shown plain
        }
      }
    }
  }
}

TEST(Guidance, ChangesAnswersOfBothDecoders) {
  const auto model = guided_network();
  const auto boards = inputs();
  const DecodeSettings plain{}, far{Feedback::input, {}, 200, nullptr, 8.0};
  EXPECT_NE(decode_argmax(model, plain, boards, kGuidedSteps).steps,
            decode_argmax(model, far, boards, kGuidedSteps).steps);
  const std::vector<std::int32_t> empty(kGuidedRows * kGuidedCells, 1);
  EXPECT_NE(decode_commit(model, plain, empty, kGuidedSteps), decode_commit(model, far, empty, kGuidedSteps));
}

}  // namespace
}  // namespace dis
