// dis analyze
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "commands.h"
#include "dis/analysis/analysis.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/log.h"
#include "dis/core/signals.h"
#include "evaluated_network.h"
#include "joined_ranks.h"

namespace dis {
namespace {

struct AnalyzeOptions {
  NetworkOptions network;
  bool json = false;
};

/// What is analysed need not be what the network had to find out.
void note_seen_answers(EvaluatedNetwork& network) {
  auto& warning = network.target.seen_tasks;
  if (const auto& trained = network.target.seen_pairs) {
    add_warning(warning, count_seen(network.session.data->tested_pairs(), trained->pairs).finding(trained->certain));
  }
  if (!warning.empty()) log_warn(warning);
}

void run_analysis(const AnalyzeOptions& options) {
  require_one_process("dis analyze");
  const auto config = options.network.load();
  const auto trained =
      options.network.run.empty() ? options.network.config.load() : run_config(options.network.run, {});
  try_folder(options.network.results_folder());
  const auto ranks = join_ranks(config);
  auto network = open_network(options.network, config, ranks);
  note_seen_answers(network);
  catch_stop_signals();
  const auto analysis = analyze(network.session, trained.method == config.method);
  auto json = to_json(analysis, network.session, network.target);
  if (!network.target.variant.settings.empty()) json["settings"] = network.target.variant.settings;
  ensure_folder(network.target.folder);
  const auto file = network.target.folder / (network.target.name + network.target.variant.name + ".json");
  write_or_keep(file, json_file_text(json));
  if (options.json) {
    std::cout << json_text(json, 2) << "\n";
  } else {
    if (!network.target.seen_tasks.empty()) std::cout << "warning: " << network.target.seen_tasks << "\n";
    std::cout << report_text(analysis, network.session) << "written to " << file.string() << "\n";
  }
}

}  // namespace

void add_analyze_command(CLI::App& app) {
  auto options = std::make_shared<AnalyzeOptions>();
  CLI::App* command =
      app.add_subcommand("analyze", "What each supervision step improves, and which passes are dead compute");
  options->network.kind = ResultKind::analysis;
  options->network.add_to(*command, "analysis");
  command->add_flag("--json", options->json, "Print the file instead of tables");
  command->footer(
      "Examples:\n  dis analyze --run runs/first\n"
      "  dis analyze --run runs/first --set analyze.removals=18 --set analyze.latent_share=1");
  command->callback([options] {
    if (options->network.run.empty() == options->network.weights.empty()) {
      throw CLI::RequiredError("exactly one of --run and --weights");
    }
    options->network.check();
    run_analysis(*options);
  });
}

}  // namespace dis
