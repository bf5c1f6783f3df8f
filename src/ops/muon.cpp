#include "dis/ops/muon.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "dis/core/error.h"
#include "dis/ops/matmul.h"

namespace dis {
namespace {

struct Coefficients {
  double a, b, c;
};

/// Of the form urm, step by step.
constexpr std::array<Coefficients, 8> kByStep{{{7.2086, -15.5131, 9.0178},
                                               {3.9623, -2.5813, 0.4542},
                                               {3.9466, -2.5765, 0.4544},
                                               {3.8991, -2.5671, 0.4566},
                                               {3.7186, -2.5308, 0.4653},
                                               {3.1390, -2.3073, 0.4733},
                                               {2.1715, -1.5246, 0.3885},
                                               {1.8648, -1.2224, 0.3577}}};
constexpr Coefficients kConstant{3.4445, -4.7750, 2.0315};

/// Numbers as bfloat16 holds them, in the same type.
at::Tensor in_bfloat16(const at::Tensor& x) { return x.to(at::kBFloat16).to(x.scalar_type()); }

/// Frobenius norm. Row by row: a sum over all at once would depend on the number of threads.
at::Tensor frobenius(const at::Tensor& x) { return x.square().sum(1).sum().sqrt(); }

}  // namespace

at::Tensor newton_schulz(const at::Tensor& u, MuonForm form, std::int64_t steps, bool rounded) {
  ensure(steps <= std::ssize(kByStep), "newton_schulz", "at most eight steps");
  const auto kept = [&](const at::Tensor& x) { return rounded ? in_bfloat16(x) : x; };
  const bool tall = u.size(0) > u.size(1);
  auto x = tall ? u.t() : u;
  for (std::int64_t step = 0; step < steps; ++step) {
    const auto [a, b, c] = form == MuonForm::urm ? kByStep[static_cast<std::size_t>(step)] : kConstant;
    const auto square = kept(matrix_product(x, x.t()));
    const auto factor = kept(b * square + c * matrix_product(square, square));
    x = kept(a * x + matrix_product(factor, x));
  }
  return tall ? x.t() : x;
}

at::Tensor muon_scalars(double lr, double weight_decay) {
  return at::tensor({1.0 - lr * weight_decay, lr}, at::kDouble).to(at::kFloat);
}

void muon_update(at::Tensor p, const at::Tensor& g, at::Tensor m, const OptimConfig& config,
                 const at::Tensor& scalars) {
  const bool urm = config.muon_form == MuonForm::urm;
  const double mu = config.muon_momentum, share = urm ? 1.0 : 1.0 - mu;
  m.mul_(mu).add_(g, share);
  auto u = in_bfloat16(share * g + mu * m);
  u = u / frobenius(u).clamp_min(1e-7);
  const auto x = newton_schulz(urm ? u : in_bfloat16(u), config.muon_form, config.muon_steps, !urm);
  const auto rows = static_cast<double>(p.size(0)), columns = static_cast<double>(p.size(1));
  if (config.muon_form == MuonForm::normed) {
    p.mul_(std::sqrt(rows) / frobenius(p)).sub_(x * scalars[1]);
    return;
  }
  const double scale = urm ? 0.2 * std::sqrt(std::max(rows, columns)) : std::sqrt(std::max(1.0, rows / columns));
  p.mul_(scalars[0]).sub_(x * (scale * scalars[1]));
}

}  // namespace dis
