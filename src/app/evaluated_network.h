// The network that a subcommand looks at: a checkpoint of a run, or weights from elsewhere.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "config_options.h"
#include "dis/eval/evaluate.h"
#include "dis/train/session.h"

namespace dis {

struct NetworkOptions {
  ConfigOptions config;
  std::string run;
  std::string checkpoint = "latest";
  std::string weights;
  std::string identifiers;
  std::string output;   ///< folder of the results, if the user names one
  std::string results;  ///< its name in a run, and with --weights
  ResultKind kind = ResultKind::evaluation;

  /// Adds --config, --set, --run, --checkpoint, --weights, --identifiers and --output. Results go to the folder
  /// `results_folder` of a run, and to one of that name with --weights, unless --output names another.
  void add_to(CLI::App& app, const std::string& results_folder);
  /// UserError: --run together with --config.
  void check() const;
  std::filesystem::path results_folder() const;
  /// The configuration of the run, or that of --config, with --set applied. Evaluation needs no trajectories.
  RunConfig load() const;
};

/// A network to look at, and where its results go: <run>/<results>, or --output.
struct EvaluatedNetwork {
  Session session;
  EvaluationTarget target;
};

/// Makes data and network and reads the weights. UserError as of make_session and the readers of weights; tasks that
/// training saw (eval.allow_seen_tasks); results that would replace what is read.
EvaluatedNetwork open_network(const NetworkOptions& options, const RunConfig& config,
                              const std::shared_ptr<const Ranks>& ranks);

}  // namespace dis
