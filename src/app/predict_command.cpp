// dis predict: a training run on the demonstrations of new tasks (predict_fit.h), then the vote of their puzzles.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "commands.h"
#include "dis/core/clock.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/progress.h"
#include "dis/core/signals.h"
#include "dis/eval/evaluate.h"
#include "dis/eval/votes/submission.h"
#include "evaluated_network.h"
#include "joined_ranks.h"
#include "outputs.h"
#include "predict_fit.h"
#include "predict_time.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

constexpr const char* kChallenges = "_challenges.json";
constexpr const char* kSolutions = "_solutions.json";  // lies beside it

void try_submission(const PredictOptions& options) {
  if (options.output.empty()) throw UserError("--output: expected a file, found an empty name");
  const auto place = fs::absolute(options.output).parent_path();
  if (fs::absolute(options.output).lexically_normal() == fs::absolute(options.fit_run()).lexically_normal()) {
    throw UserError("--output and --run-dir are both '" + options.output + "'; name another file or folder");
  }
  if (!fs::is_directory(place)) {
    throw UserError("--output: the folder '" + place.string() + "' does not exist; make it first");
  }
  std::vector<fs::path> inputs;
  for (const auto& run : {fs::path(options.run), options.fit_run()}) {
    if (run.empty()) continue;
    const auto own = run_inputs(run);
    inputs.insert(inputs.end(), own.begin(), own.end());
  }
  inputs.emplace_back(options.input);
  if (auto name = options.input; name.ends_with(kChallenges)) {
    inputs.emplace_back(name.replace(name.size() - std::string(kChallenges).size(), std::string::npos, kSolutions));
  }
  refuse_input(options.output, "--output", inputs);
  try_file(options.output);
}

Evaluation answer(const PredictOptions& options, const RunConfig& config, const std::shared_ptr<const Ranks>& ranks,
                  double deadline) {
  NetworkOptions network;
  network.run = options.fit_run().string();
  network.results = "eval";
  auto [session, target] = open_network(network, config, ranks);
  target.interruptible = true;
  target.deadline = deadline;
  target.partial = options.output;
  catch_stop_signals();
  return evaluate(session, session.config.eval, target);
}

void print_result(const PredictOptions& options, const Evaluation& evaluation, double fitting, double voting) {
  const auto submission = fs::path(evaluation.file).replace_extension().string() + "_submission.json";
  const auto text = read_text(submission);
  write_or_keep(options.output, text);
  const auto tasks = parse_json(text, submission).size();
  if (options.json) {
    Json json = {{"submission", options.output},
                 {"run_dir", options.fit_run().string()},
                 {"tasks", tasks},
                 {"fitting_seconds", fitting},
                 {"voting_seconds", voting}};
    json.update(evaluation.json);
    std::cout << json_text(json, 2) << "\n";
    return;
  }
  std::cout << tasks << (tasks == 1 ? " task" : " tasks") << ": fitted in " << format_duration(fitting)
            << ", votes counted in " << format_duration(voting) << "\n";
  if (evaluation.json.at("arc").at("tasks") > 0) std::cout << evaluation.report;
  std::cout << "written to " << options.output << "; the fit is in " << options.fit_run().string() << "\n";
}

void run_prediction(const PredictOptions& options) {
  std::optional<TimeShare> time;
  if (!options.time_limit.empty()) time.emplace(parse_duration(options.time_limit), steady_seconds());
  if (find_place().rank == 0) try_submission(options);  // before the work, not after it
  const auto start = fit_start(options);
  const auto ranks = join_ranks(start.config);
  with_last_words(*ranks, [&] {
    check_shares(start.config, *ranks);
    const double began = steady_seconds();
    fit_to_tasks(options, start, ranks, time);
    const double fitted = steady_seconds();
    const auto fit_settings = run_config(options.fit_run(), {});  // with the updates that there was time for
    const auto evaluation = answer(options, fit_settings, ranks, time ? time->end_of_vote() : 0.0);
    if (ranks->first()) print_result(options, evaluation, fitted - began, steady_seconds() - fitted);
  });
}

/// Submissions of several runs in one.
void merge_submissions(const PredictOptions& options) {
  const std::vector<fs::path> files(options.merge.begin(), options.merge.end());
  refuse_input(options.output, "--output", files);
  const auto merged = merged_submissions(files);
  write_or_keep(options.output, json_file_text(merged, -1));
  std::cout << merged.size() << " tasks of " << files.size() << " submissions written to " << options.output << "\n";
}

void check_options(const PredictOptions& options) {
  if (!options.merge.empty()) {
    if (options.resume || !options.run.empty() || !options.input.empty()) {
      throw CLI::ExcludesError("--merge", "--run, --input and --resume");
    }
    return;
  }
  if (!options.resume && (options.run.empty() || options.input.empty())) {
    throw CLI::RequiredError("--run and --input, unless --resume goes on with a fit,");
  }
  if (options.resume && (!options.run.empty() || !options.input.empty() || !options.preset.empty())) {
    throw CLI::ExcludesError("--resume", "--run, --input and --config: the run folder of the fit has them");
  }
}

}  // namespace

void add_predict_command(CLI::App& app) {
  auto options = std::make_shared<PredictOptions>();
  CLI::App* predict = app.add_subcommand("predict", "Fit a network to ARC tasks that it never saw, and answer them");
  predict->add_option("--run", options->run, "Run folder of the trained network")->type_name("DIR");
  predict->add_option("--checkpoint", options->checkpoint, "Checkpoint: an update number, latest or best")
      ->capture_default_str();
  predict
      ->add_option("--input", options->input,
                   "A file of one task or of many (challenges), or a folder of such files; answers it holds are scored")
      ->type_name("PATH");
  predict->add_option("--output", options->output, "The submission")->required()->type_name("FILE");
  predict->add_option("--config", options->preset, "Settings of the fit: predict/rows.json, nvarc.json, trelis.json")
      ->type_name("FILE");
  predict->add_option("--set", options->set, "Changes one field, as in --set predict.steps=600; may be repeated")
      ->type_name("FIELD=VALUE")
      ->allow_extra_args(false);
  predict->add_option("--run-dir", options->fit, "Run folder of the fit; default: beside the submission, NAME_run")
      ->type_name("DIR");
  predict->add_option("--merge", options->merge, "Only join these submissions, of different tasks, into --output")
      ->type_name("FILE ...");
  predict->add_flag("--resume", options->resume, "Go on with the fit or the vote in this run folder");
  predict
      ->add_option("--time-limit", options->time_limit,
                   "End within this time, as 11h30m or 90s, with what could be fitted and voted")
      ->type_name("TIME");
  predict->add_flag("--json", options->json, "Print times and scores as JSON");
  predict->footer(
      "Examples:\n  dis predict --run runs/mini --input task.json --output submission.json\n"
      "  dis predict --output submission.json --resume          # after Ctrl-C or a crash\n"
      "  dis predict --run runs/arc2 --input tasks.json --output submission.json --config predict/trelis.json "
      "--time-limit 11h30m");
  predict->callback([options] {
    check_options(*options);
    if (!options->merge.empty()) return merge_submissions(*options);
    run_prediction(*options);
  });
}

}  // namespace dis
