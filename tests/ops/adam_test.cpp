// The optimisers against their formulas in float64, over sizes with tails, and sign-SGD's rules. The golden cases
// (tests/golden) compare the same functions with the official code.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "dis/core/random.h"
#include "dis/ops/adam.h"
#include "dis/ops/sign_sgd.h"

namespace dis {
namespace {

TEST(Adam, EveryFormFollowsItsFormula) {
  for (const auto form : {AdamForm::adamw, AdamForm::adam_atan2, AdamForm::adam_atan2_trm}) {
    SCOPED_TRACE(static_cast<int>(form));
    AdamSettings s;
    s.form = form;
    s.lr = 0.01;
    s.ema_rate = 0.9;
    constexpr int kSize = 103;
    Draws draws(4, Purpose::test, 0, 0);
    auto p = at::empty({kSize}, at::kFloat), g = at::empty({kSize}, at::kFloat);
    for (int i = 0; i < kSize; ++i) p.data_ptr<float>()[i] = static_cast<float>(draws.normal());
    const auto m = at::zeros_like(p), v = at::zeros_like(p), ema = p.clone(), copy = p.to(at::kBFloat16);
    std::vector<double> p64(kSize), m64(kSize), v64(kSize), e64(kSize);
    for (int i = 0; i < kSize; ++i) p64[i] = e64[i] = p.data_ptr<float>()[i];
    for (int t = 1; t <= 20; ++t) {
      for (int i = 0; i < kSize; ++i) {
        // Gradients over ten orders of magnitude, of both signs, and always 0 for element 7.
        g.data_ptr<float>()[i] =
            i == 7 ? 0.0F : static_cast<float>(draws.normal() * std::pow(10.0, static_cast<double>(i % 11) - 8.0));
      }
      adam_update({p, g, m, v, ema, copy}, form, adam_scalars(s, t));
      const double c1 = 1.0 - std::pow(s.beta1, t), c2 = 1.0 - std::pow(s.beta2, t);
      for (int i = 0; i < kSize; ++i) {
        const double grad = g.data_ptr<float>()[i];
        m64[i] += (1.0 - s.beta1) * (grad - m64[i]);
        v64[i] += (1.0 - s.beta2) * (grad * grad - v64[i]);
        p64[i] *= 1.0 - s.lr * s.weight_decay;
        const double root = std::sqrt(v64[i] / c2);
        if (form == AdamForm::adamw) p64[i] -= s.lr * (m64[i] / c1) / (root + s.epsilon);
        if (form == AdamForm::adam_atan2) p64[i] -= s.lr * 1.27 * std::atan2(m64[i] / c1, root);
        if (form == AdamForm::adam_atan2_trm) p64[i] -= s.lr / c1 * std::atan2(m64[i], root);
        e64[i] = s.ema_rate * e64[i] + (1.0 - s.ema_rate) * p64[i];
      }
    }
    for (int i = 0; i < kSize; ++i) {
      EXPECT_TRUE(std::abs(p.data_ptr<float>()[i] - p64[i]) <= 2e-6) << i;  // 20 float32 roundings of numbers near 1
      EXPECT_TRUE(std::abs(ema.data_ptr<float>()[i] - e64[i]) <= 2e-6) << i;
    }
    EXPECT_TRUE(copy.equal(p.to(at::kBFloat16)));
  }
}

TEST(Adam, NaNGradientsAreNotSwallowed) {
  const auto p = at::ones({5}), g = at::full({5}, std::nan("")), m = at::zeros({5}), v = at::zeros({5});
  for (const auto form : {AdamForm::adamw, AdamForm::adam_atan2, AdamForm::adam_atan2_trm}) {
    const auto q = p.clone();
    AdamSettings s;
    s.form = form;
    adam_update({q, g, m.clone(), v.clone(), {}, {}}, form, adam_scalars(s, 1));
    EXPECT_TRUE(q.isnan().all().item<bool>());
  }
}

TEST(SignSgd, SumsEqualIdsAndLeavesOtherRows) {
  const auto table = at::arange(12, at::kFloat).view({4, 3}).contiguous();
  const auto before = table.clone();
  const auto ids = torch::tensor(std::vector<std::int32_t>{2, 0, 2}, at::kInt);
  const auto grads =
      torch::tensor(std::vector<float>{1.0F, -1.0F, 0.5F, 0.0F, 2.0F, -3.0F, -2.0F, 1.0F, 0.5F}).view({3, 3});
  sparse_sign_sgd(table, ids, grads, sign_sgd_rates(0.1, 0.5));
  const auto row = [&](int i, std::vector<float> signs) { return before[i] * 0.95 - 0.1 * torch::tensor(signs); };
  EXPECT_TRUE(at::allclose(table[0], row(0, {0, 1, -1})));
  EXPECT_TRUE(at::allclose(table[2], row(2, {-1, 0, 1})));  // -1, then a sum of 0: only decay, then +1
  EXPECT_TRUE(table[1].equal(before[1]));
  EXPECT_TRUE(table[3].equal(before[3]));
}

}  // namespace
}  // namespace dis
