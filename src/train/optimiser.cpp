#include "dis/train/optimiser.h"

#include "dis/ops/sign_sgd.h"
#include "dis/train/schedule.h"

namespace dis {
namespace {

AdamForm form_of(OptimiserKind kind) {
  switch (kind) {
    case OptimiserKind::adamw:
      return AdamForm::adamw;
    case OptimiserKind::adam_atan2_trm:
      return AdamForm::adam_atan2_trm;
    case OptimiserKind::adam_atan2:
      break;
  }
  return AdamForm::adam_atan2;
}

}  // namespace

Optimiser::Optimiser(const OptimConfig& config, std::int64_t total_steps, Weights& weights)
    : config_(config), total_steps_(total_steps), weights_(weights) {
  // The heads that DIS does not train have no moments: they are neither updated nor decayed.
  m_ = at::zeros({weights.parameters()}, weights.flat().options());
  v_ = at::zeros_like(m_);
  rates_ = at::zeros({kSignSgdRates + kAdamScalars}, weights.flat().options());
  if (config.ema_rate > 0.0) ema_ = weights.flat().clone();
}

double Optimiser::last_rate() const {
  return updates_ == 0 ? 0.0 : config_.lr * learning_rate_factor(config_, updates_, total_steps_);
}

void Optimiser::restart_ema() {
  if (ema_.defined()) ema_.copy_(weights_.flat());
}

void Optimiser::prepare() {
  ++updates_;
  const double factor = learning_rate_factor(config_, updates_, total_steps_);
  const AdamSettings adam{form_of(config_.name), config_.lr * factor, config_.weight_decay, config_.beta1,
                          config_.beta2,         config_.adamw_eps,   config_.ema_rate};
  auto rates =
      at::cat({sign_sgd_rates(config_.puzzle_lr * factor, config_.puzzle_weight_decay), adam_scalars(adam, updates_)});
  rates_.copy_(rates_.is_cuda() ? rates.pin_memory() : rates, true);
}

void Optimiser::apply(const at::Tensor& ids, const at::Tensor& puzzle_gradient) {
  if (puzzle_gradient.defined()) {
    sparse_sign_sgd(weights_.master().puzzle, ids, puzzle_gradient, rates_.narrow(0, 0, kSignSgdRates));
  }
  const auto trained = [&](const at::Tensor& x) { return x.defined() ? x.narrow(0, 0, weights_.parameters()) : x; };
  adam_step(
      {trained(weights_.flat()), trained(weights_.gradient()), m_, v_, trained(ema_), trained(weights_.compute_copy())},
      form_of(config_.name), rates_.narrow(0, kSignSgdRates, kAdamScalars));
  auto gradient = weights_.gradient();
  gradient.zero_();
}

}  // namespace dis
