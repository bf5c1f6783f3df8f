// What is drawn for the states of a network's lanes: where they start, and the noise on their way.
//
// EqR (arXiv 2605.21488) trains with both, PTRM (arXiv 2605.19943) adds noise to networks that never saw any; the
// settings are method.start, method.path_noise and eval.noise (docs/method.md, section 9). y and z have RMS 1 in every
// position, so a scale of noise is a noise-to-state ratio.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "dis/config/config.h"
#include "dis/ops/state_draws.h"

namespace dis {

/// A number for each of the two states.
struct StateScales {
  double answer = 0.0, latent = 0.0;
  bool any() const { return answer != 0.0 || latent != 0.0; }
};

struct StateDraws {
  std::uint64_t seed = 0;
  bool random_start = false;
  StateScales start;   ///< standard deviations of random starts
  StateScales steps;   ///< of the noise before each supervision step
  StateScales passes;  ///< of the noise after each pass, to the state that it renewed
  at::Tensor keys;     ///< int64 [B]: a number for each lane's sample or rollout; needed where anything is drawn

  bool any() const { return random_start || steps.any() || passes.any(); }
  /// The same for other lanes.
  StateDraws with_keys(const at::Tensor& other) const;
};

/// As the network is trained.
StateDraws trained_draws(const MethodConfig& method, std::uint64_t seed);
/// As it is evaluated: with the noise and the start of `eval`, where they say so.
StateDraws evaluated_draws(const MethodConfig& method, const EvalConfig& eval, std::uint64_t seed);

/// y and z [B, S, D] to start from, in place of the network's own, which give shape and type.
struct States;
States random_states(const StateDraws& draws, const States& like);

/// x [B, S, D] with noise; gradients pass to x. Before a step, s `number` int32 [B]: place = kBeforeStep; after pass p
/// = 0, 1, ...: place = p.
inline constexpr std::int64_t kBeforeStep = -1;
enum class WhichState { answer, latent };
at::Tensor with_noise(const StateDraws& draws, const at::Tensor& x, const at::Tensor& number, std::int64_t place,
                      WhichState which);

}  // namespace dis
