// Muon's iterations against numbers worked out in float64; whole updates are golden cases (tests/golden).
#include "dis/ops/muon.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace dis {
namespace {

at::Tensor matrix(std::vector<double> numbers, std::int64_t rows) {
  return at::tensor(numbers, at::kDouble).view({rows, -1});
}

TEST(Muon, IterationsOfAMatrix) {
  const auto g = matrix({1, 2, 3, 4, 5, 7}, 2), u = g / g.norm();
  const auto urm = matrix({-1.133572, 0.446419, 1.121889, 1.177116, 0.793004, 0.929302}, 2);
  const auto keller = matrix({-0.659177, 0.199667, 0.552504, 0.558365, 0.318451, 0.344630}, 2);
  EXPECT_TRUE(at::allclose(newton_schulz(u, MuonForm::urm, 5, false), urm, 0.0, 1e-6));
  EXPECT_TRUE(at::allclose(newton_schulz(u, MuonForm::keller, 5, false), keller, 0.0, 1e-6));
  EXPECT_TRUE(at::allclose(newton_schulz(u.t(), MuonForm::urm, 5, false), urm.t(), 0.0, 1e-6));
}

TEST(Muon, SingularValuesEndNearOne) {
  const std::vector<double> begin = {1.0, 0.5, 0.1, 0.01, 0.001};
  const std::vector<double> urm = {1.6029, 0.8309, 1.6875, 0.4724, 1.4180};
  const std::vector<double> keller = {0.6964, 0.7654, 0.7121, 0.6989, 0.4705};
  for (std::size_t i = 0; i < begin.size(); ++i) {
    const auto u = at::full({1, 1}, begin[i], at::kDouble);
    EXPECT_NEAR(newton_schulz(u, MuonForm::urm, 5, false).item<double>(), urm[i], 1e-4);
    EXPECT_NEAR(newton_schulz(u, MuonForm::keller, 5, false).item<double>(), keller[i], 1e-4);
  }
}

TEST(Muon, AnUpdateOfFormUrmHasTheSizeOfAdams) {
  at::manual_seed(3);
  OptimConfig config;
  config.muon_steps = 5;
  for (const auto& size : {std::vector<std::int64_t>{40, 160}, {160, 40}, {64, 64}}) {
    const auto p = at::zeros(size), m = at::zeros(size);
    muon_update(p, at::randn(size), m, config, muon_scalars(1e-3, 0.1));
    const auto rms = p.square().mean().sqrt().item<double>();
    EXPECT_GT(rms, 0.12e-3);
    EXPECT_LT(rms, 0.30e-3);
  }
}

TEST(Muon, FormKellerIsThatOfThePaperStepByStep) {
  // One update from zero momentum: u = (1 - mu)(1 + mu) g, so X is that of g; a matrix of one number needs no iteration
  // to be worked out: X = s(1) of the constant coefficients, in bfloat16.
  OptimConfig config;
  config.muon_form = MuonForm::keller;
  config.muon_momentum = 0.6;
  config.muon_steps = 1;
  const auto p = at::full({1, 1}, 2.0F), m = at::zeros({1, 1}), g = at::full({1, 1}, -3.0F);
  muon_update(p, g, m, config, muon_scalars(0.5, 0.1));
  EXPECT_NEAR(m.item<float>(), 0.4F * -3.0F, 1e-6);
  const float x = -(3.4445F - 4.7750F + 2.0315F);
  EXPECT_NEAR(p.item<float>(), 2.0F * 0.95F - 0.5F * x, 5e-3);  // bfloat16
  const auto tall = at::zeros({4, 1}), wide = at::zeros({1, 4});
  muon_update(tall, at::ones({4, 1}), at::zeros({4, 1}), config, muon_scalars(1.0, 0.0));
  muon_update(wide, at::ones({1, 4}), at::zeros({1, 4}), config, muon_scalars(1.0, 0.0));
  EXPECT_TRUE(at::allclose(tall, 2.0 * wide.t(), 0.0, 1e-6));  // sqrt(rows / columns)
}

TEST(Muon, FormNormedKeepsTheNorm) {
  OptimConfig config;
  config.muon_form = MuonForm::normed;
  const auto p = at::full({9, 4}, 5.0F);
  muon_update(p, at::zeros({9, 4}), at::zeros({9, 4}), config, muon_scalars(0.01, 0.5));
  EXPECT_NEAR(p.norm().item<double>(), 3.0, 1e-5);
}

TEST(Muon, ZeroGradientsOnlyDecay) {
  const auto p = at::ones({4, 6}), m = at::zeros({4, 6});
  muon_update(p, at::zeros({4, 6}), m, OptimConfig(), muon_scalars(0.01, 0.5));
  EXPECT_TRUE(p.equal(at::full({4, 6}, 0.995F)));
}

}  // namespace
}  // namespace dis
