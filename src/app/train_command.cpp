// dis train
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "commands.h"
#include "config_options.h"
#include "dis/config/fields.h"
#include "dis/core/error.h"
#include "dis/core/json.h"
#include "dis/core/log.h"
#include "dis/data/shared_pairs.h"
#include "dis/eval/evaluate.h"
#include "dis/train/checkpoint.h"
#include "dis/train/plan.h"
#include "dis/train/trainer.h"
#include "joined_ranks.h"

namespace dis {
namespace {

struct TrainOptions {
  ConfigOptions config;
  std::string run;
  bool resume = false;
  bool dry_run = false;
  bool json = false;
};

RunConfig config_of(const TrainOptions& options) {
  if (!options.resume) return options.config.load();
  if (!options.config.file.empty()) {
    throw UserError("--resume goes on with the configuration in the run folder: leave out --config " +
                    options.config.file + " (or name a new --run-dir)");
  }
  for (const auto& text : options.config.set) {
    const auto path = text.substr(0, text.find('='));
    const auto* field = find_field(path);  // a wrong name is told below, with the nearest right one
    if (field != nullptr && !field->may_change) {
      throw UserError("--set " + text + ": " + path + " cannot change when a run goes on; what can: " +
                      changeable_fields() + (field->section == "eval" ? "; dis eval takes it" : ""));
    }
  }
  return run_config(options.run, options.config.set);
}

void print_plan(const TrainOptions& options) {
  const auto session = open_session(config_of(options));
  const auto& config = session.config;
  const bool narrow = session.compute.type == at::kBFloat16;
  const auto shape = model_shape(config, session.data->shape(), *session.targets);
  const auto plan =
      plan_training(config, shape, session.data->epoch_length(), evaluation_rows(session, config.eval), narrow);
  const auto shared = shared_pairs(*session.data);
  if (options.json) {
    auto json = to_json(plan);
    json["trained_test_pairs"] = to_json(shared);
    std::cout << json_text(json, 2) << "\n";
  } else {
    std::cout << plan_text(plan, assumed_cpu(at::get_num_threads(), narrow));
    if (shared.tested > 0) std::cout << "leak check                " << to_text(shared) << "\n";
  }
}

/// Whether the launcher has started the ranks anew after a failure, and this run is the one that failed.
bool begun_before_restart(const TrainOptions& options, const RunConfig& config, const Ranks& ranks) {
  return ranks.place().restart > 0 && std::filesystem::exists(std::filesystem::path(options.run) / "config.json") &&
         run_config(options.run, {}) == config;
}

void train_on(const TrainOptions& options, const RunConfig& config, const std::shared_ptr<const Ranks>& ranks) {
  check_shares(config, *ranks);
  auto session = make_session(config, ranks);
  if (session.config.train.eval_every > 0 && evaluation_rows(session, session.config.eval) == 0) {
    throw UserError("train.eval_every = " + std::to_string(session.config.train.eval_every) +
                    ", but the data have nothing to evaluate; set it to 0, or name a data.test_set");
  }
  TrainRequest request{options.run, options.resume || begun_before_restart(options, config, *ranks), {}};
  SeenPairsPointer seen;  // the run's folder has them once training has begun
  request.evaluate = [&](const Session& trained, std::int64_t updates) {
    auto eval = trained.config.eval;
    eval.decoder = Decoder::argmax;  // the quick one; `dis eval` runs both
    const ScoredWeights weights{{}, scores_average(trained.config)};
    EvaluationTarget target{std::filesystem::path(options.run) / "eval", std::to_string(updates), options.run,
                            weights.name(), true};
    if (!seen && ranks->first()) seen = seen_pairs_of_run(options.run, trained.config, &trained);
    target.seen_pairs = seen;
    target.while_training = true;
    // Of the two decoders of a run with both, `dis eval` adds the other one to the same file.
    auto quick = trained.config;
    quick.eval = eval;
    if (trained.config.eval.decoder != Decoder::both) {
      target.variant = variant_of(quick, trained.config, ResultKind::evaluation);
    }
    const auto evaluation = evaluate(trained, eval, target);
    log_info("update " + std::to_string(updates) + ": " + evaluation.summary);
    return evaluation.score;
  };
  train(session, request);
}

void run_training(const TrainOptions& options) {
  const auto config = config_of(options);
  const auto ranks = join_ranks(config);
  with_last_words(*ranks, [&] { train_on(options, config, ranks); });
}

}  // namespace

void add_train_command(CLI::App& app) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App* train = app.add_subcommand("train", "Train a network, or go on with a run");
  options->config.add_to(*train);
  train->add_option("--run-dir", options->run, "Run folder: made new, or the one to go on with")->type_name("DIR");
  train->add_flag("--resume", options->resume, "Go on with the run in --run-dir, from its latest checkpoint");
  train->add_flag("--dry-run", options->dry_run, "Only say what the run would cost: sizes, updates, memory, time");
  train->add_flag("--json", options->json, "With --dry-run: as JSON")->needs("--dry-run");
  train->footer(
      "Examples:\n  dis train --config configs/nqueens/quickstart.json --run-dir runs/first\n"
      "  dis train --run-dir runs/first --resume");
  train->callback([options, train] {
    if (options->dry_run) return print_plan(*options);
    if (train->count("--run-dir") == 0) throw CLI::RequiredError("--run-dir");
    run_training(*options);
  });
}

}  // namespace dis
