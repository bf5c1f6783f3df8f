// Cases of the baselines with halting: recorded training of TRM, and recorded steps of HRM whose weights stay.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "dis/model/loss_of.h"
#include "dis/ops/cross_entropy.h"
#include "dis/train/training_loop.h"
#include "golden_case.h"
#include "settings.h"

namespace dis::golden {
namespace {

/// The loop on the case's batches, one tick at a time.
struct HaltingRun {
  HaltingRun(const Case& golden, const OptimConfig& optim, std::int64_t total_updates)
      : model(golden.network()), stream(golden), optimiser(optim, total_updates, model.weights()) {
    read_method(golden.json(), config.method);
    config.method.algorithm = model.shape().hierarchical ? Algorithm::hrm : Algorithm::trm;
    config.method.num_supervision = model.shape().supervision;
    config.method.halt_exploration = 0.0;
    config.train.global_batch = golden.at("inputs").size(1);
    loop = std::make_unique<TrainingLoop>(config, alone, stream, TargetSource(), model, optimiser);
  }

  at::Tensor state(const std::string& name) const {
    for (const auto& [own, tensor] : loop->state()) {
      if (own == "lanes." + name) return tensor.clone();
    }
    return {};
  }

  RunConfig config;
  Backbone model;
  RecordedStream stream;
  Optimiser optimiser;
  Ranks alone;
  std::unique_ptr<TrainingLoop> loop;
};

template <class T>
at::Tensor tensor(const std::vector<T>& values) {
  return at::tensor(values, at::kDouble);
}

void expect_same(const std::string& what, const at::Tensor& got, const at::Tensor& want) {
  EXPECT_TRUE(got.cpu().to(at::kLong).flatten().equal(want.to(at::kLong).flatten())) << what << ": " << got << want;
}

/// Weights that learn: [steps, B] of everything, then the final weights.
void check_trained(const Case& golden, const std::string& run) {
  SCOPED_TRACE(run);
  const auto& hyper = golden.json().at("hyper");
  HaltingRun training(golden, optimiser_of(hyper, run), hyper.at("total_steps").get<std::int64_t>());
  const auto tolerance = golden.tolerance("losses_and_q");
  for (std::int64_t tick = 0; tick < golden.at("inputs").size(0); ++tick) {
    const auto records = training.loop->run(1);
    const auto want = [&](const std::string& name) { return golden.at(run + "/" + name)[tick]; };
    const auto lanes = static_cast<double>(records.lanes);
    expect_close("lm_loss", tensor(records.loss).sum() / lanes, want("lm_loss"), tolerance);
    expect_close("q_halt_loss", tensor(records.halting_loss).sum() / lanes, want("q_halt_loss"), tolerance);
    expect_close("q_halt", tensor(records.q_halt), want("q_halt"), tolerance);
    expect_close("q_continue", tensor(records.q_continue), want("q_continue"), tolerance);
    expect_same("halted", tensor(records.halted), want("halted"));
    expect_same("steps", tensor(records.step), want("steps"));
    expect_same("identifiers", training.state("ids"), want("puzzle_identifiers"));
    expect_close("lr", tensor(std::vector{training.optimiser.last_rate()}), want("lr"), {1e-9, 1e-6});
  }
  for (const auto& spec : training.model.weights().table()) {
    const auto name = run + "/final/" + spec.name;
    if (spec.name.ends_with("_init")) continue;
    expect_close(name, *training.model.weights().find(spec.name), golden.at(name), golden.tolerance("final_weights"));
  }
}

/// Gradient of the puzzle rows [B, E] in the first step, of the loss and both heads' losses; `continue_target` [B].
at::Tensor first_puzzle_gradient(const Case& golden, const Loss& taught, const at::Tensor& continue_target) {
  const auto model = golden.network();
  const auto tokens = golden.tokens("inputs")[0], labels = golden.tokens("labels")[0];
  const auto lanes = tokens.size(0);
  const auto rows = model.puzzle_embeddings(golden.tokens("puzzle_identifiers")[0]);
  const auto x = model.input(tokens, rows, at::full({lanes}, 1, tokens.options()));
  const auto after = model.latent_reasoning(x, model.initial_states(lanes));
  const auto logits = model.readout(after.y), q = model.halting(after.y);
  const auto share = 1.0 / static_cast<double>(lanes);
  const auto scale = at::full({lanes}, share, tokens.options().dtype(at::kDouble));
  const auto loss = cross_entropy(logits.detach(), labels, scale, taught, model.shape().answers);
  const auto solved = ((loss.predictions == labels) | (labels < 0)).all(-1);
  const auto bce = [&](std::int64_t head, const at::Tensor& target) {
    return at::binary_cross_entropy_with_logits(q.select(1, head), target.to(at::kFloat), {}, {}, at::Reduction::Sum);
  };
  const auto heads = 0.5 * share * (bce(0, solved) + bce(1, continue_target.to(device())));
  torch::autograd::backward({logits, heads}, {loss.dlogits, at::ones_like(heads)});
  return rows.grad();
}

/// Weights that stay: states, readouts and heads after every step, and the gradients of the first.
void check_steps(const Case& golden) {
  OptimConfig frozen;
  frozen.lr = frozen.puzzle_lr = 0.0;
  frozen.beta1 = 0.0;  // the first moment is the gradient
  frozen.warmup_steps = 0;
  HaltingRun run(golden, frozen, 1);
  const auto tolerance = golden.tolerance();
  for (std::int64_t s = 1; golden.has("step" + std::to_string(s) + "/logits"); ++s) {
    const auto step = "step" + std::to_string(s) + "/";
    SCOPED_TRACE(step);
    const auto want = [&](const std::string& name) { return golden.at(step + name); };
    auto loose = tolerance;
    loose.absolute = golden.json()
                         .at("tolerance")
                         .at("states_and_logits_absolute_per_step")
                         .at(static_cast<std::size_t>(s - 1))
                         .get<double>();
    const auto records = run.loop->run(1);
    const States after{run.state("y"), run.state("z")};
    expect_close("z_H", after.y, want("z_H"), loose);
    expect_close("z_L", after.z, want("z_L"), loose);
    const at::NoGradGuard no_grad;
    const auto logits = run.model.readout(after.y).slice(1, run.model.shape().config.puzzle_emb_len);
    expect_close("logits", logits, want("logits"), loose);
    expect_close("q_halt", tensor(records.q_halt), want("q_halt"), loose);
    expect_close("q_continue", tensor(records.q_continue), want("q_continue"), loose);
    expect_close("lm_loss", tensor(records.loss).sum(), want("lm_loss"), loose);
    expect_close("heads", tensor(records.halting_loss).sum(), want("q_halt_loss") + want("q_continue_loss"), loose);
    expect_same("halted", tensor(records.halted), want("halted"));
    expect_same("steps", tensor(records.step), want("steps"));

    const auto ids = run.state("ids").to(at::kInt);
    const auto x = run.model.input(run.state("inputs"), run.model.puzzle_embeddings(ids), run.state("steps"));
    const auto next = run.model.halting(run.model.latent_reasoning(x, after).y);
    expect_close("next_q_halt", next.select(1, 0), want("next_q_halt"), loose);
    expect_close("next_q_continue", next.select(1, 1), want("next_q_continue"), loose);
    const auto last = run.state("steps") >= run.model.shape().supervision;
    expect_close("target_q_continue", continue_target(next, last), want("target_q_continue"), loose);
    if (s > 1) continue;
    {
      const at::AutoGradMode with_gradient(true);
      expect_close("grad/puzzle_rows",
                   first_puzzle_gradient(golden, loss_of(run.config.method), want("target_q_continue")),
                   golden.at("grad/puzzle_rows"), tolerance);
    }
    for (const auto& spec : run.model.weights().table()) {
      if (spec.kind == WeightKind::buffer) continue;
      expect_close("grad/" + spec.name, part_of(run.optimiser.m(), spec), golden.at("grad/" + spec.name), tolerance);
    }
  }
}

/// Fails for what the loop cannot do; it updates after every step towards the label, and no draw makes a lane go on.
void expect_halting_settings(const Case& golden, const Names& honoured) {
  auto settings = honoured;
  settings.insert({"config", "loss", "update", "time", "puzzle_positions"});
  expect_no_other_settings(golden.json(), settings);
  expect_network_settings(golden);
  const auto& config = golden.json().at("config");
  expect_if_stated(config, "halt_exploration_prob", 0.0);
  // Only HRM's continue head is taught.
  expect_if_stated(config, "no_ACT_continue", !golden.shape().hierarchical);
  MethodConfig method;
  read_method(golden.json(), method);
  EXPECT_EQ(method.update, Update::per_step) << "update: the loops with halting know no other";
}

}  // namespace

void check_halting(const Case& golden) {
  if (golden.has("step1/logits")) {
    expect_halting_settings(golden, {});
    return check_steps(golden);
  }
  expect_halting_settings(golden, {"hyper", "optimisers"});
  expect_optimiser_settings(golden);
  const auto& runs = golden.json().at("optimisers");
  ASSERT_FALSE(runs.empty());
  for (const auto& [name, meaning] : runs.items()) check_trained(golden, name);
}

}  // namespace dis::golden
