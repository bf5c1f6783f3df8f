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
#include "ranked.h"
#include "subject.h"

namespace dis {
namespace {

struct AnalyzeOptions {
  SubjectOptions subject;
  bool json = false;
};

/// What is analysed need not be what the network had to find out.
void note_seen_answers(Subject& subject) {
  auto& warning = subject.target.seen_tasks;
  if (const auto& trained = subject.target.seen_pairs) {
    add_warning(warning, count_seen(subject.session.data->tested_pairs(), trained->pairs).finding(trained->certain));
  }
  if (!warning.empty()) log_warn(warning);
}

void run_analysis(const AnalyzeOptions& options) {
  require_one_process("dis analyze");
  const auto config = options.subject.load();
  const auto trained =
      options.subject.run.empty() ? options.subject.config.load() : run_config(options.subject.run, {});
  try_folder(options.subject.results_folder());
  const auto ranks = join_ranks(config);
  auto subject = open_subject(options.subject, config, ranks);
  note_seen_answers(subject);
  catch_stop_signals();
  const auto analysis = analyze(subject.session, trained.method == config.method);
  auto json = to_json(analysis, subject.session, subject.target);
  if (!subject.target.variant.settings.empty()) json["settings"] = subject.target.variant.settings;
  ensure_folder(subject.target.folder);
  const auto file = subject.target.folder / (subject.target.name + subject.target.variant.name + ".json");
  write_or_keep(file, json_file_text(json));
  if (options.json) {
    std::cout << json_text(json, 2) << "\n";
  } else {
    if (!subject.target.seen_tasks.empty()) std::cout << "warning: " << subject.target.seen_tasks << "\n";
    std::cout << report_text(analysis, subject.session) << "written to " << file.string() << "\n";
  }
}

}  // namespace

void add_analyze_command(CLI::App& app) {
  auto options = std::make_shared<AnalyzeOptions>();
  CLI::App* command =
      app.add_subcommand("analyze", "What each supervision step improves, and which passes are dead compute");
  options->subject.kind = ResultKind::analysis;
  options->subject.add_to(*command, "analysis");
  command->add_flag("--json", options->json, "Print the file instead of tables");
  command->footer(
      "Examples:\n  dis analyze --run runs/first\n"
      "  dis analyze --run runs/first --set analyze.removals=18 --set analyze.latent_share=1");
  command->callback([options] {
    if (options->subject.run.empty() == options->subject.weights.empty()) {
      throw CLI::RequiredError("exactly one of --run and --weights");
    }
    options->subject.check();
    run_analysis(*options);
  });
}

}  // namespace dis
