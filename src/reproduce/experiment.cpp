#include "dis/reproduce/experiment.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "dis/core/error.h"
#include "dis/core/log.h"
#include "dis/eval/evaluate.h"
#include "dis/model/weights_file.h"
#include "dis/train/checkpoint.h"
#include "dis/train/plan.h"
#include "dis/train/schedule.h"
#include "dis/train/session.h"
#include "dis/train/trainer.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

fs::path evaluation_file(const Experiment& experiment, const fs::path& run) {
  return run / "eval" / (std::to_string(updates_of(experiment.config)) + ".json");
}

/// Threads have no part in what a run is.
RunConfig comparable(RunConfig config) {
  config.compute.threads = 0;
  return config;
}

/// Whether the run has been begun. UserError: with other settings.
bool begun(const Experiment& experiment, const fs::path& run) {
  if (!fs::exists(run / "config.json")) return false;
  if (comparable(run_config(run, {})) == comparable(experiment.config)) return true;
  throw UserError("'" + run.string() +
                  "' holds a run with other settings than this study's; remove it, or give the study another folder "
                  "with --out");
}

/// The moving average of the latest checkpoint, which rank 0 alone may be able to read, in the place of the weights.
void use_average(const fs::path& run, Backbone& model, const Ranks& ranks) {
  auto& weights = model.weights();
  if (ranks.first()) load_weights(*latest_checkpoint(run) / "ema.safetensors", weights);
  const at::NoGradGuard no_grad;
  ranks.broadcast(weights.flat());
  weights.refresh();
}

}  // namespace

void run_experiment(const Experiment& experiment, const fs::path& folder, const std::shared_ptr<const Ranks>& ranks) {
  const auto run = folder / experiment.name;
  const bool resume = begun(experiment, run);
  if (ranks->any(ranks->first() && fs::exists(evaluation_file(experiment, run)))) return;
  check_shares(experiment.config, *ranks);
  auto session = make_session(experiment.config, ranks);
  log_info(experiment.name + (resume ? ": going on" : ": begun"));
  TrainRequest request{run, resume, {}};
  const ScoredWeights weights{{}, scores_average(experiment.config)};
  const auto target = [&](std::int64_t updates) {
    EvaluationTarget to{run / "eval", std::to_string(updates), run.string(), weights.name(), true};
    if (ranks->first()) to.seen_pairs = seen_pairs_of_run(run, experiment.config, &session);
    return to;
  };
  request.evaluate = [&](const Session& trained, std::int64_t updates) {
    if (updates == updates_of(experiment.config)) return 0.0;  // below: its file says that all is done
    auto within = target(updates);
    within.while_training = true;
    return evaluate(trained, experiment.config.eval, within).score;
  };
  train(session, request);
  if (weights.averaged) use_average(run, *session.model, *ranks);
  const auto evaluation = evaluate(session, experiment.config.eval, target(updates_of(experiment.config)));
  log_info(experiment.name + ": " + evaluation.summary);
}

std::optional<Findings> findings_of(const Experiment& experiment, const fs::path& folder) {
  const auto run = folder / experiment.name;
  if (!begun(experiment, run) || !fs::exists(evaluation_file(experiment, run))) return std::nullopt;
  const auto state = read_json(*latest_checkpoint(run) / "state.json");
  return Findings{read_json(evaluation_file(experiment, run)), state.at("seconds").get<double>(),
                  state.value("device_seconds", state.at("seconds").get<double>()),
                  state.at("samples").get<std::int64_t>(), state.at("step").get<std::int64_t>()};
}

ModelShape network_shape(const RunConfig& config, std::int64_t length, std::int64_t vocabulary) {
  const DataShape data{vocabulary, length, 1};
  const auto taught = without_trajectories(config);
  return model_shape(taught, data, TargetBuilder(taught.method, data));
}

double training_flops(const RunConfig& config, std::int64_t length, std::int64_t vocabulary) {
  const auto shape = network_shape(config, length, vocabulary);
  return flops_per_sample(shape, passes_per_sample(shape)) *
         static_cast<double>(batches_of(config.method, config.train.steps) * config.train.global_batch);
}

RunConfig with_budget(RunConfig config, double flops, std::int64_t length, std::int64_t vocabulary) {
  config.train.steps = 1;  // one batch
  const double each = training_flops(config, length, vocabulary);
  const auto batches = std::max<std::int64_t>(1, std::llround(flops / each));
  config.train.steps = batches * updates_per_batch(config.method);
  return config;
}

}  // namespace dis
