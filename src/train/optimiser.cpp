#include "dis/train/optimiser.h"

#include <ATen/ATen.h>

#include "dis/ops/muon.h"
#include "dis/ops/sign_sgd.h"
#include "dis/train/schedule.h"

namespace dis {
namespace {

AdamForm form_of(OptimiserKind kind) {
  switch (kind) {
    case OptimiserKind::adamw:
    case OptimiserKind::muon:  // of what is left to Adam
      return AdamForm::adamw;
    case OptimiserKind::adam_atan2_trm:
      return AdamForm::adam_atan2_trm;
    case OptimiserKind::adam_atan2:
      break;
  }
  return AdamForm::adam_atan2;
}

bool takes_muon(const OptimConfig& config, const WeightSpec& spec) {
  if (config.name != OptimiserKind::muon || spec.shape.size() != 2) return false;
  return config.muon_embeddings || spec.name.find(".layers.") != std::string::npos;
}

at::Tensor part(const at::Tensor& flat, std::int64_t first, std::int64_t count) {
  return !flat.defined() || flat.numel() == count ? flat : flat.narrow(0, first, count);
}

}  // namespace

std::vector<OptimisedWeight> optimised_weights(const OptimConfig& config, const std::vector<WeightSpec>& table) {
  std::vector<OptimisedWeight> weights;
  std::int64_t second = 0;
  for (const auto& spec : table) {
    // The heads that DIS does not train have no moments: they are neither updated nor decayed.
    if (spec.kind != WeightKind::parameter) continue;
    const auto count = spec.count();
    const bool muon = takes_muon(config, spec);
    weights.push_back({spec.name, spec.shape, spec.offset, count, muon, second});
    if (!muon) second += count;
  }
  return weights;
}

std::int64_t optimiser_numbers(const std::vector<OptimisedWeight>& weights) {
  std::int64_t numbers = 0;
  for (const auto& weight : weights) numbers += weight.muon ? weight.count : 2 * weight.count;
  return numbers;
}

Optimiser::Optimiser(const OptimConfig& config, std::int64_t total_updates, Weights& weights)
    : config_(config),
      total_updates_(total_updates),
      weights_(weights),
      parts_(optimised_weights(config, weights.table())) {
  m_ = at::zeros({weights.parameters()}, weights.flat().options());
  v_ = at::zeros({optimiser_numbers(parts_) - weights.parameters()}, weights.flat().options());
  const auto of_muon = config.name == OptimiserKind::muon ? kMuonScalars : 0;
  rates_ = at::zeros({kSignSgdRates + kAdamScalars + of_muon}, weights.flat().options());
  if (config.ema_rate > 0.0) ema_ = weights.flat().clone();
}

double Optimiser::last_rate() const {
  return updates_ == 0 ? 0.0 : config_.lr * network_rate_factor(config_, updates_, total_updates_);
}

void Optimiser::restart_ema() {
  if (ema_.defined()) ema_.copy_(weights_.flat());
}

std::vector<std::pair<std::string, at::Tensor>> Optimiser::state() const {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& weight : parts_) {
    tensors.emplace_back((weight.muon ? "muon.m." : "adam.m.") + weight.name,
                         part(m_, weight.first, weight.count).view(weight.shape));
  }
  for (const auto& weight : parts_) {
    if (weight.muon) continue;
    tensors.emplace_back("adam.v." + weight.name, part(v_, weight.second, weight.count).view(weight.shape));
  }
  return tensors;
}

void Optimiser::prepare() {
  ++updates_;
  const double factor = learning_rate_factor(config_, updates_, total_updates_);
  const double network = network_rate_factor(config_, updates_, total_updates_);
  const AdamSettings adam{form_of(config_.name), config_.lr * network, config_.weight_decay, config_.beta1,
                          config_.beta2,         config_.adamw_eps,    config_.ema_rate};
  std::vector<at::Tensor> parts = {sign_sgd_rates(config_.puzzle_lr * factor, config_.puzzle_weight_decay),
                                   adam_scalars(adam, updates_)};
  if (config_.name == OptimiserKind::muon) parts.push_back(muon_scalars(config_.muon_lr * network, config_.muon_decay));
  const auto rates = at::cat(parts);
  rates_.copy_(rates_.is_cuda() ? rates.pin_memory() : rates, true);
}

void Optimiser::apply_adam() const {
  const auto form = form_of(config_.name);
  const auto scalars = rates_.narrow(0, kSignSgdRates, kAdamScalars);
  for (std::size_t i = 0; i < parts_.size();) {
    const auto begin = i;
    std::int64_t count = 0;  // of neighbours, all at once
    for (; i < parts_.size() && parts_[i].muon == parts_[begin].muon; ++i) count += parts_[i].count;
    if (parts_[begin].muon) continue;
    const auto own = [&](const at::Tensor& x) { return part(x, parts_[begin].first, count); };
    adam_update({own(weights_.flat()), own(weights_.gradient()), own(m_), part(v_, parts_[begin].second, count),
                 own(ema_), own(weights_.compute_copy())},
                form, scalars);
  }
}

void Optimiser::apply_muon() const {
  if (config_.name != OptimiserKind::muon) return;
  const auto scalars = rates_.narrow(0, kSignSgdRates + kAdamScalars, kMuonScalars);
  for (const auto& weight : parts_) {
    if (!weight.muon) continue;
    const auto own = [&](const at::Tensor& x) { return part(x, weight.first, weight.count); };
    const auto p = own(weights_.flat());
    muon_update(p.view(weight.shape), own(weights_.gradient()).view(weight.shape), own(m_).view(weight.shape), config_,
                scalars);
    auto ema = own(ema_), copy = own(weights_.compute_copy());
    if (ema.defined()) ema.lerp_(p, 1.0 - config_.ema_rate);
    if (copy.defined()) copy.copy_(p);
  }
}

void Optimiser::apply(const at::Tensor& ids, const at::Tensor& puzzle_gradient) {
  if (puzzle_gradient.defined()) {
    sparse_sign_sgd(weights_.master().puzzle, ids, puzzle_gradient, rates_.narrow(0, 0, kSignSgdRates));
  }
  apply_adam();
  apply_muon();
  auto gradient = weights_.gradient();
  gradient.zero_();
}

}  // namespace dis
