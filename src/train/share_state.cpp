#include "share_state.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "dis/core/json.h"

namespace dis {
namespace {

Json describe(const RunState& state, const NamedTensors& lanes) {
  Json json = {{"state", to_json(state)}, {"lanes", Json::array()}};
  for (const auto& [name, tensor] : lanes) {
    json["lanes"].push_back(
        {{"name", name}, {"shape", tensor.sizes().vec()}, {"type", static_cast<int>(tensor.scalar_type())}});
  }
  return json;
}

}  // namespace

void share_state(const Ranks& ranks, RunState& state, Backbone& model, Optimiser& optimiser, NamedTensors& lanes) {
  if (ranks.size() == 1) return;
  const at::NoGradGuard no_grad;
  const std::string sender = "the first rank's state";
  const auto json = parse_json(ranks.exchange(ranks.first() ? describe(state, lanes).dump() : "")[0], sender);
  state = run_state_from(json["state"], sender);
  auto& weights = model.weights();
  for (const auto& tensor :
       {weights.flat(), weights.master().puzzle, weights.master().y_init, weights.master().z_init, optimiser.ema()}) {
    if (tensor.defined()) ranks.broadcast(tensor.detach());
  }
  for (const auto& buffer : optimiser.buffers()) ranks.broadcast(buffer);
  weights.refresh();
  optimiser.set_updates(state.updates);
  if (!ranks.first()) {
    lanes.clear();
    for (const auto& lane : json["lanes"]) {
      lanes.emplace_back(lane["name"].get<std::string>(),
                         at::empty(lane["shape"].get<std::vector<std::int64_t>>(),
                                   static_cast<at::ScalarType>(lane["type"].get<int>())));
    }
  }
  for (const auto& [name, tensor] : lanes) ranks.broadcast(tensor);
}

}  // namespace dis
