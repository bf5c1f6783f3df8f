#include "dis/model/state_draws.h"

#include <torch/torch.h>

#include "dis/model/backbone.h"

namespace dis {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

class AddNoise : public Function<AddNoise> {
 public:
  static at::Tensor forward(AutogradContext*, const at::Tensor& x, const DrawKeys& keys, double scale) {
    return add_draws(x.contiguous(), keys, scale);
  }
  static variable_list backward(AutogradContext*, variable_list grads) { return {grads[0], {}, {}}; }
};

double of(const StateScales& scales, WhichState which) {
  return which == WhichState::answer ? scales.answer : scales.latent;
}

}  // namespace

StateDraws StateDraws::with_keys(const at::Tensor& other) const {
  auto draws = *this;
  draws.keys = other;
  return draws;
}

StateDraws trained_draws(const MethodConfig& method, std::uint64_t seed) {
  return {.seed = seed,
          .random_start = method.start == Start::random,
          .start = {method.start_scale_answer, method.start_scale_latent},
          .steps = {},
          .passes = {method.path_noise, method.path_noise},
          .keys = {}};
}

StateDraws evaluated_draws(const MethodConfig& method, const EvalConfig& eval, std::uint64_t seed) {
  auto draws = trained_draws(method, seed);
  if (eval.start != EvalStart::trained) draws.random_start = eval.start == EvalStart::random;
  if (eval.noise == 0.0) return draws;
  const StateScales noise{eval.noise_state == NoiseState::latent ? 0.0 : eval.noise,
                          eval.noise_state == NoiseState::answer ? 0.0 : eval.noise};
  (eval.noise_place == NoisePlace::step ? draws.steps : draws.passes) = noise;
  return draws;
}

States random_states(const StateDraws& draws, const States& like) {
  DrawKeys keys{draws.seed, Purpose::start, draws.keys,
                at::zeros({draws.keys.size(0)}, draws.keys.options().dtype(at::kInt)), 0};
  const auto drawn = [&](const at::Tensor& x, double scale, std::uint32_t place) {
    keys.place = place;
    return add_draws(at::zeros_like(x), keys, scale, DrawForm::truncated);
  };
  return {drawn(like.y, draws.start.answer, 0), drawn(like.z, draws.start.latent, 1)};
}

at::Tensor with_noise(const StateDraws& draws, const at::Tensor& x, const at::Tensor& number, std::int64_t place,
                      WhichState which) {
  const double scale = of(place == kBeforeStep ? draws.steps : draws.passes, which);
  if (scale == 0.0) return x;
  const auto code = 2 * (place - kBeforeStep) + (which == WhichState::latent ? 1 : 0);
  return AddNoise::apply(x, DrawKeys{draws.seed, Purpose::noise, draws.keys, number, static_cast<std::uint32_t>(code)},
                         scale);
}

}  // namespace dis
