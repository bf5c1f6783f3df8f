// dis predict
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>

#include "commands.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/log.h"
#include "dis/core/progress.h"
#include "dis/core/signals.h"
#include "dis/data/identifiers.h"
#include "dis/eval/predict.h"
#include "dis/eval/seen_tasks.h"
#include "dis/eval/votes/submission.h"
#include "dis/train/checkpoint.h"
#include "dis/train/run_content.h"
#include "dis/train/session.h"
#include "outputs.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

struct PredictOptions {
  std::string run;
  std::string checkpoint = "latest";
  std::string input;
  std::string output;
  std::vector<std::string> set;
  bool json = false;
};

constexpr const char* kChallenges = "_challenges.json";
constexpr const char* kSolutions = "_solutions.json";  // lies beside it

/// Of a file or of the files in a folder.
std::vector<ArcTask> read_tasks(const fs::path& input) {
  if (!fs::exists(input)) throw UserError("--input: '" + input.string() + "' does not exist");
  if (fs::is_directory(input)) {
    return read_arc_folder(input, fs::weakly_canonical(input).filename().string()).tasks;
  }
  return read_arc_tasks(input);
}

void try_submission(const PredictOptions& options) {
  const auto place = fs::absolute(options.output).parent_path();
  if (!fs::is_directory(place)) {
    throw UserError("--output: the folder '" + place.string() + "' does not exist; make it first");
  }
  auto inputs = run_inputs(options.run);
  inputs.emplace_back(options.input);
  if (auto name = options.input; name.ends_with(kChallenges)) {
    inputs.emplace_back(name.replace(name.size() - std::string(kChallenges).size(), std::string::npos, kSolutions));
  }
  refuse_input(options.output, "--output", inputs);
  try_file(options.output);
}

/// Those whose answers are all known.
std::vector<ArcTask> scored_tasks(const std::vector<ArcTask>& tasks) {
  std::vector<ArcTask> scored;
  for (const auto& task : tasks) {
    const bool known = std::ranges::all_of(task.pairs, [](const ArcPair& pair) { return pair.output.has_value(); });
    if (known) scored.push_back(task);
  }
  return scored;
}

/// Scores of tasks whose answers training saw are refused, unless forced.
std::string seen_before(const fs::path& run, const PredictRequest& request) {
  const auto seen = read_seen_tasks(run);
  if (!seen) return "";
  const std::set<std::string> names(seen->begin(), seen->end());
  std::vector<std::string> scored;
  for (const auto& task : scored_tasks(request.tasks)) scored.push_back(task.id);
  return warn_of_seen_tasks(scored, {[&](const std::string& task) { return names.contains(task); }},
                            request.config.eval.allow_seen_tasks);
}

void run_prediction(const PredictOptions& options) {
  require_one_process("dis predict");
  PredictRequest request;
  request.config = run_config(options.run, options.set);
  request.tasks = read_tasks(options.input);
  try_submission(options);  // before the work, not after it
  auto warning = seen_before(options.run, request);
  request.seen_pairs = seen_pairs_of_run(options.run, run_config(options.run, {}), nullptr);
  if (request.seen_pairs) {
    refuse_mostly_seen(scored_tasks(request.tasks), *request.seen_pairs, request.config.eval.allow_seen_tasks);
  }
  if (!warning.empty()) log_warn(warning);
  request.weights = scored_weights(find_checkpoint(options.run, options.checkpoint), request.config.eval.ema).file;
  request.identifiers = read_identifiers(fs::path(options.run) / "identifiers.json");
  catch_stop_signals();
  const auto result = predict(request);
  write_submission(options.output, result.tasks, result.attempts);
  const auto by_content = result.seen.warning(!request.seen_pairs || request.seen_pairs->certain);
  if (!by_content.empty()) log_warn(by_content);
  add_warning(warning, by_content);

  if (options.json) {
    Json json = {{"submission", options.output},
                 {"tasks", result.tasks.size()},
                 {"fitting_seconds", result.fitting_seconds},
                 {"voting_seconds", result.voting_seconds},
                 {"score", to_json(result.score)}};
    if (!result.seen_tasks.empty()) {
      json["unseen"] = {{"left_out", result.seen_tasks}, {"score", to_json(result.unseen)}};
    }
    if (!warning.empty()) json["warning"] = warning;
    std::cout << json_text(json, 2) << "\n";
    return;
  }
  std::cout << result.tasks.size() << " tasks: rows fitted in " << format_duration(result.fitting_seconds)
            << ", votes counted in " << format_duration(result.voting_seconds) << "\n";
  if (result.score.tasks > 0) std::cout << report_text(result.score);
  if (!result.seen_tasks.empty()) {
    std::cout << "unseen (without the " << result.seen_tasks.size() << " tasks whose answers training saw)\n"
              << report_text(result.unseen);
  }
  std::cout << "written to " << options.output << "\n";
}

}  // namespace

void add_predict_command(CLI::App& app) {
  auto options = std::make_shared<PredictOptions>();
  CLI::App* predict = app.add_subcommand("predict", "Answer ARC tasks that training never saw");
  predict->add_option("--run", options->run, "Run folder of the trained network")->required()->type_name("DIR");
  predict->add_option("--checkpoint", options->checkpoint, "Checkpoint: an update number, latest or best")
      ->capture_default_str();
  predict
      ->add_option("--input", options->input,
                   "A file of one task or of many (challenges), or a folder of such files; answers it holds are scored")
      ->required()
      ->type_name("PATH");
  predict->add_option("--output", options->output, "The submission")->required()->type_name("FILE");
  predict->add_option("--set", options->set, "Changes one field, as in --set predict.steps=600; may be repeated")
      ->type_name("FIELD=VALUE")
      ->allow_extra_args(false);
  predict->add_flag("--json", options->json, "Print times and scores as JSON");
  predict->footer("Example:\n  dis predict --run runs/mini --input task.json --output submission.json");
  predict->callback([options] { run_prediction(*options); });
}

}  // namespace dis
