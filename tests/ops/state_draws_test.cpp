// Draws for states: functions of their keys, normal or truncated, the same in every type and batch.
#include "dis/ops/state_draws.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <numbers>

#include "dis/core/philox.h"

namespace dis {
namespace {

DrawKeys keys_of(std::vector<std::int64_t> rows, int step = 3) {
  const auto count = std::ssize(rows);
  return {.seed = 5, .rows = at::tensor(rows, at::kLong), .steps = at::full({count}, step, at::kInt), .place = 9};
}

at::Tensor drawn(const DrawKeys& keys, std::int64_t numbers, DrawForm form = DrawForm::normal, double scale = 1.0) {
  return add_draws(at::zeros({keys.rows.size(0), numbers}), keys, scale, form);
}

TEST(StateDraws, AreInverseNormalOfPhilox) {
  const auto values = drawn(keys_of({7, (std::int64_t{3} << 40) + 1}), 10).to(at::kDouble);
  for (std::int64_t row = 0; row < 2; ++row) {
    const std::uint64_t key = row == 0 ? 7 : (std::uint64_t{3} << 40) + 1;
    for (std::int64_t i = 0; i < 10; ++i) {
      const auto key2 = draw_key(5, Purpose::noise);
      const auto block = philox({static_cast<std::uint32_t>(i / 4), 3U << 16 | 9U, static_cast<std::uint32_t>(key),
                                 static_cast<std::uint32_t>(key >> 32)},
                                key2);
      const double u = (static_cast<double>(block[static_cast<std::size_t>(i % 4)] >> 9) + 0.5) * 0x1p-23;
      const double wanted = at::tensor(2.0 * u - 1.0, at::kDouble).erfinv().item<double>() * std::numbers::sqrt2;
      EXPECT_NEAR(values[row][i].item<double>(), wanted, 2e-6 * std::max(1.0, std::abs(wanted)));
    }
  }
}

TEST(StateDraws, EveryUniformGivesItsNormal) {
  // Over all of (-1, 1), the ends included: 2^23 values of centred_uniform().
  double worst = 0.0;
  for (std::uint32_t number = 0; number < 1U << 23; number += number < 4096 || number > (1U << 23) - 4097 ? 1 : 997) {
    const float v = centred_uniform(number << 9);
    const float x = (1.0F - v) * (1.0F + v);
    const float w =
        -log_of_bits(std::bit_cast<std::uint32_t>(x), [](std::uint32_t b) { return std::bit_cast<float>(b); });
    EXPECT_NEAR(w, -std::log1p(-static_cast<double>(v) * v), 4e-7 * std::max(1.0F, w));
    const double got = normal_of_uniform(v, w, std::sqrt(w));
    // The distribution function of what came out is the uniform draw.
    const double back = std::erf(got / std::numbers::sqrt2);
    const double tail = std::max(1e-12, 1.0 - std::abs(static_cast<double>(v)));
    worst = std::max(worst, std::abs(back - v) / tail);
  }
  EXPECT_LT(worst, 1e-5);
}

TEST(StateDraws, DependOnTheKeyAlone) {
  const auto all = drawn(keys_of({4, 5, 6}), 1003);
  EXPECT_TRUE(at::equal(drawn(keys_of({5}), 1003)[0], all[1]));
  EXPECT_TRUE(at::equal(drawn(keys_of({6, 4}), 1003)[0], all[2]));
  EXPECT_TRUE(at::equal(drawn(keys_of({5}), 17)[0], all[1].slice(0, 0, 17)));
  EXPECT_FALSE(at::equal(all[0], all[1]));
  EXPECT_FALSE(at::equal(drawn(keys_of({5}, 4), 1003)[0], all[1]));
  auto other = keys_of({5});
  other.place = 10;
  EXPECT_FALSE(at::equal(drawn(other, 1003)[0], all[1]));
  other = keys_of({5});
  other.seed = 6;
  EXPECT_FALSE(at::equal(drawn(other, 1003)[0], all[1]));
  other = keys_of({5});
  other.purpose = Purpose::start;
  EXPECT_FALSE(at::equal(drawn(other, 1003)[0], all[1]));
}

TEST(StateDraws, HaveTheirMoments) {
  constexpr double kCount = 400000;
  for (const auto form : {DrawForm::normal, DrawForm::truncated}) {
    const auto x = drawn(keys_of({1, 2}), static_cast<std::int64_t>(kCount) / 2, form).to(at::kDouble);
    EXPECT_NEAR(x.mean().item<double>(), 0.0, 5.0 / std::sqrt(kCount));
    EXPECT_NEAR(x.square().mean().item<double>(), 1.0, 5.0 * std::sqrt(2.0 / kCount));
    if (form == DrawForm::truncated) {
      EXPECT_LT(x.abs().max().item<double>(), 2.27370);
      EXPECT_GT(x.abs().max().item<double>(), 2.27);
    } else {
      EXPECT_NEAR(x.pow(4).mean().item<double>(), 3.0, 5.0 * std::sqrt(96.0 / kCount));
    }
    // Neighbours have nothing to do with one another.
    EXPECT_NEAR((x.slice(1, 1) * x.slice(1, 0, -1)).mean().item<double>(), 0.0, 5.0 / std::sqrt(kCount));
  }
}

TEST(StateDraws, AddInFloatAndRoundOnce) {
  const auto keys = keys_of({1, 2});
  const auto x = at::arange(2 * 37, at::kFloat).view({2, 37}) / 16.0;
  const auto wanted = x + drawn(keys, 37, DrawForm::normal, 0.3);
  EXPECT_TRUE(at::allclose(add_draws(x, keys, 0.3), wanted, 0.0, 1e-6));
  const auto narrow = x.to(at::kBFloat16);
  EXPECT_TRUE(at::equal(add_draws(narrow, keys, 0.3), add_draws(narrow.to(at::kFloat), keys, 0.3).to(at::kBFloat16)));
  EXPECT_TRUE(at::allclose(add_draws(x.to(at::kDouble), keys, 0.3), wanted.to(at::kDouble), 0.0, 1e-6));
  EXPECT_TRUE(at::equal(add_draws(x, keys, 0.0), x));
}

}  // namespace
}  // namespace dis
