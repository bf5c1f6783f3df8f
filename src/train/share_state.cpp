#include "share_state.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "dis/core/json.h"

namespace dis {
namespace {

Json describe(const RunState& state, const NamedTensors& lanes) {
  Json json = {{"updates", state.updates}, {"batches", state.batches},         {"samples", state.samples},
               {"seconds", state.seconds}, {"best_update", state.best_update}, {"evaluation_due", state.evaluation_due},
               {"lanes", Json::array()}};
  json["rollbacks"] = state.rollbacks;
  if (state.best_score) json["best_score"] = *state.best_score;
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
  const auto json =
      parse_json(ranks.exchange(ranks.first() ? describe(state, lanes).dump() : "")[0], "the first rank's state");
  state.updates = json["updates"];
  state.batches = json["batches"];
  state.samples = json["samples"];
  state.seconds = json["seconds"];
  state.best_update = json["best_update"];
  state.evaluation_due = json["evaluation_due"];
  state.rollbacks = json["rollbacks"];
  if (json.contains("best_score")) state.best_score = json["best_score"].get<double>();
  auto& weights = model.weights();
  for (const auto& tensor : {weights.flat(), weights.master().puzzle, weights.master().y_init, weights.master().z_init,
                             optimiser.m(), optimiser.v(), optimiser.ema()}) {
    if (tensor.defined()) ranks.broadcast(tensor.detach());
  }
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
