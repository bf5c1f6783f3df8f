// Cases with recorded states and logits of several supervision steps, and the gradients of the first.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "dis/model/loss_of.h"
#include "dis/ops/cross_entropy.h"
#include "golden_case.h"
#include "settings.h"

namespace dis::golden {

void check_forward(const Case& golden) {
  expect_no_other_settings(golden.json(), {"config", "loss", "time", "puzzle_positions"});
  expect_network_settings(golden);
  MethodConfig method;
  read_method(golden.json(), method);
  auto model = golden.network();
  const auto lanes = golden.at("inputs").size(0);
  const auto tokens = golden.tokens("inputs");
  const auto labels = golden.tokens("labels");
  const auto ids = golden.tokens("puzzle_identifiers");
  const auto tolerance = golden.tolerance();
  const auto offset = model.shape().config.puzzle_emb_len;
  const auto scale = at::full({lanes}, 1.0 / static_cast<double>(lanes), tokens.options().dtype(at::kDouble));
  auto states = model.initial_states(lanes);
  const auto rows = model.puzzle_embeddings(ids);
  for (std::int64_t s = 1; golden.has("step" + std::to_string(s) + "/logits"); ++s) {
    const auto step = "step" + std::to_string(s) + "/";
    auto loose = tolerance;
    if (golden.json().at("tolerance").contains("states_and_logits_absolute_per_step")) {
      const auto& list = golden.json().at("tolerance").at("states_and_logits_absolute_per_step");
      loose.absolute = list.at(static_cast<std::size_t>(s - 1)).get<double>();
    }
    const auto x = model.input(tokens, rows, at::full({lanes}, s, tokens.options()));
    const auto after = model.latent_reasoning(x, states);
    const auto logits = model.readout(after.y);
    const auto q = model.halting(after.y);
    expect_close(step + "z_H", after.y, golden.at(step + "z_H"), loose);
    expect_close(step + "z_L", after.z, golden.at(step + "z_L"), loose);
    expect_close(step + "logits", logits.slice(1, offset), golden.at(step + "logits"), loose);
    if (golden.has(step + "q_halt")) expect_close(step + "q_halt", q.select(1, 0), golden.at(step + "q_halt"), loose);

    const auto stable = cross_entropy(logits.detach(), labels, {}, Loss{LossForm::stablemax}, model.shape().answers);
    const auto soft = cross_entropy(logits.detach(), labels, {}, Loss{LossForm::softmax}, model.shape().answers);
    expect_close(step + "lm_loss_stablemax", stable.loss.sum(), golden.at(step + "lm_loss_stablemax"), loose);
    expect_close(step + "lm_loss_softmax", soft.loss.sum(), golden.at(step + "lm_loss_softmax"), loose);
    const auto solved = ((stable.predictions == labels) | (labels < 0)).all(-1);
    const auto q_loss =
        at::binary_cross_entropy_with_logits(q.select(1, 0), solved.to(at::kFloat), {}, {}, at::Reduction::Sum);
    expect_close(step + "q_halt_loss", q_loss, golden.at(step + "q_halt_loss"), loose);
    if (s == 1) {
      const auto half = 0.5 * q_loss / static_cast<double>(lanes);
      const auto taught = cross_entropy(logits.detach(), labels, scale, loss_of(method), model.shape().answers);
      torch::autograd::backward({logits, half}, {taught.dlogits, at::ones_like(half)});
      if (rows.defined()) expect_close("grad/puzzle_rows", rows.grad(), golden.at("grad/puzzle_rows"), tolerance);
      for (const auto& spec : model.weights().table()) {
        if (spec.kind == WeightKind::buffer) continue;
        expect_close("grad/" + spec.name, part_of(model.weights().gradient(), spec), golden.at("grad/" + spec.name),
                     tolerance);
      }
    }
    states = {after.y.detach(), after.z.detach()};
  }
}

}  // namespace dis::golden
