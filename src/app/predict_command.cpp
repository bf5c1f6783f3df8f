// dis predict: a training run on the demonstrations of new tasks (dis/train/fit.h), then the vote of their puzzles.
#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "commands.h"
#include "config_options.h"
#include "dis/core/clock.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/log.h"
#include "dis/core/progress.h"
#include "dis/core/signals.h"
#include "dis/eval/evaluate.h"
#include "dis/eval/seen_tasks.h"
#include "dis/eval/votes/submission.h"
#include "dis/train/checkpoint.h"
#include "dis/train/fit.h"
#include "dis/train/plan.h"
#include "dis/train/run_content.h"
#include "dis/train/session.h"
#include "dis/train/trainer.h"
#include "evaluated_network.h"
#include "joined_ranks.h"
#include "outputs.h"
#include "predict_time.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

struct PredictOptions {
  std::string run;
  std::string checkpoint = "latest";
  std::string input;
  std::string output;
  std::string preset;
  std::string fit;  ///< run folder of the fit
  std::string time_limit;
  std::vector<std::string> set;
  std::vector<std::string> merge;
  bool resume = false;
  bool json = false;

  /// Beside the submission, unless it is named.
  fs::path fit_run() const {
    if (!fit.empty()) return fit;
    const fs::path file = output;
    return file.parent_path() / (file.stem().string() + "_run");
  }
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

/// The settings of a file as those of --set.
std::vector<std::string> settings_of(const fs::path& preset) {
  const auto file = find_shipped(preset);
  const auto json = read_json(file);
  const auto wrong = [&](const std::string& found) {
    return UserError("'" + file.string() +
                     "': expected settings in sections, {\"predict\": {\"steps\": 1200}}, found " + found);
  };
  if (!json.is_object()) throw wrong(json.type_name());
  std::vector<std::string> settings;
  for (const auto& [section, fields] : json.items()) {
    if (section == "$schema" || section == "name") continue;
    if (!fields.is_object()) throw wrong(in_message(section));
    for (const auto& [field, value] : fields.items()) {
      settings.push_back(section + "." + field + "=" + (value.is_string() ? value.get<std::string>() : value.dump()));
    }
  }
  return settings;
}

/// The settings of the preset, then those of --set. UserError: one that the fit takes from `predict`.
std::vector<std::string> asked_settings(const PredictOptions& options) {
  auto settings = options.preset.empty() ? std::vector<std::string>() : settings_of(options.preset);
  settings.insert(settings.end(), options.set.begin(), options.set.end());
  for (const auto& text : settings) {
    if (const auto own = fit_setting(text.substr(0, text.find('='))); !own.empty()) {
      throw UserError("--set " + text + ": the fit takes this from " + own + "; set that");
    }
  }
  return settings;
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

/// Scores of tasks whose answers training saw are refused, unless forced. Returns what training saw, if it is known.
SeenPairsPointer refuse_seen(const fs::path& run, const RunConfig& trained, const std::vector<ArcTask>& tasks) {
  const auto scored = scored_tasks(tasks);
  const bool allowed = trained.eval.allow_seen_tasks;
  if (const auto seen = read_seen_tasks(run)) {
    const std::set<std::string> names(seen->begin(), seen->end());
    std::vector<std::string> ids;
    for (const auto& task : scored) ids.push_back(task.id);
    warn_of_seen_tasks(ids, {[&](const std::string& task) { return names.contains(task); }}, allowed);
  }
  auto pairs = seen_pairs_of_run(run, run_config(run, {}), nullptr);
  if (pairs) refuse_mostly_seen(scored, *pairs, allowed);
  return pairs;
}

/// The fit that a command is about.
struct FitStart {
  RunConfig config;
  bool goes_on = false;  ///< as asked for, or because the launcher has started the ranks anew after a failure
};

/// --resume.
FitStart resumed_fit(const PredictOptions& options) {
  const auto run = options.fit_run();
  if (!is_fit(run)) throw UserError("--resume: '" + run.string() + "' is no run folder that dis predict made");
  if (!fs::exists(run / "config.json")) {
    throw UserError("--resume: the fit in '" + run.string() +
                    "' was broken off before it began: give the whole command again, without --resume");
  }
  for (const auto& text : options.set) {
    if (!text.starts_with("predict.")) continue;
    throw UserError("--set " + text + ": these settings are those of the fit since it began, as train.steps");
  }
  auto config = run_config(run, options.set);
  config.data.path = fit_tasks(run).string();  // wherever the folder is by now
  return {std::move(config), true};
}

FitStart fit_start(const PredictOptions& options) {
  if (options.resume) return resumed_fit(options);
  const auto run = options.fit_run();
  const auto trained = run_config(options.run, asked_settings(options));
  const auto weights = scored_weights(find_checkpoint(options.run, options.checkpoint), trained.eval.ema).file;
  auto fit = fit_config(trained, weights, run);
  if (!fs::exists(run / "config.json")) return {std::move(fit), false};
  if (find_place().restart > 0 && is_fit(run)) {
    auto there = run_config(run, {});
    const auto steps = std::exchange(there.train.steps, fit.train.steps);  // a time limit may have lowered it
    if (there == fit && same_fit_tasks(run, read_tasks(options.input))) {
      fit.train.steps = steps;
      return {std::move(fit), true};
    }
  }
  throw UserError("'" + run.string() + "', the run folder of the fit, exists already: " +
                  (is_fit(run) ? "go on with --resume (without --run, --input and --config), or " : "") +
                  "name another with --run-dir");
}

/// The tasks, into the folder of a new fit. Returns what the trained network saw, if it is known.
SeenPairsPointer bring_tasks(const PredictOptions& options, const RunConfig& fit) {
  const auto tasks = read_tasks(options.input);
  auto seen = refuse_seen(options.run, run_config(options.run, asked_settings(options)), tasks);
  write_fit_tasks(options.fit_run(), fit, tasks);
  return seen;
}

/// A training run, by the deadline if there is one.
class Fit {
 public:
  Fit(const PredictOptions& options, const FitStart& start, const std::shared_ptr<const Ranks>& ranks,
      SeenPairsPointer seen)
      : options_(options),
        seen_(std::move(seen)),
        session_(make_session(start.config, ranks)),
        resume_(start.goes_on) {}

  Trained train_until(double deadline) {
    const auto trained = train(session_, {.run = options_.fit_run(),
                                          .resume = resume_,
                                          .go_on = "dis predict --output " + options_.output + " --run-dir " +
                                                   options_.fit_run().string() + " --resume",
                                          .deadline = deadline,
                                          .batch = "predict.batch",
                                          .seen_before = seen_ ? &seen_->pairs : nullptr});
    resume_ = true;
    return trained;
  }

  /// As many updates as the time has room for.
  void train_within(const TimeShare& time) {
    auto& steps = session_.config.train.steps;
    const bool narrow = session_.compute.type == at::kBFloat16;
    const double start = steady_seconds();
    const auto [before, made] = train_until(time.first_part(start));
    const double now = shared(steady_seconds() - start) + start;
    if (made >= steps || made == before) return;
    const auto rows = evaluation_rows(session_, session_.config.eval);
    const auto plan =
        plan_training(session_.config, session_.model->shape(), session_.data->epoch_length(), rows, narrow);
    const auto end = time.end_of_fit(plan, made - before, now - start);
    const auto rate = static_cast<double>(made - before) / (now - start);
    const auto room = std::max(made, TimeShare::updates_until(end, now, made, rate));
    if (room < steps) {
      log_info("the time limit has room for " + std::to_string(room) + " of " + std::to_string(steps) + " updates");
      steps = room;
    }
    if (room > made) train_until(end);
  }

 private:
  /// Rank 0's number.
  double shared(double number) const {
    const auto tensor = at::full({1}, number, at::kDouble);
    session_.ranks->broadcast(tensor);
    return tensor.item<double>();
  }

  const PredictOptions& options_;
  SeenPairsPointer seen_;
  Session session_;
  bool resume_;
};

struct FitMeans {
  SeenPairsPointer seen;
  std::optional<TimeShare> time;
};

/// A mistake that is found before the fit begins leaves nothing behind.
void fit_to_tasks(const PredictOptions& options, const FitStart& start, const std::shared_ptr<const Ranks>& ranks,
                  const FitMeans& means) {
  try {
    Fit fit(options, start, ranks, means.seen);
    if (means.time) {
      fit.train_within(*means.time);
    } else {
      fit.train_until(0.0);
    }
  } catch (const UserError&) {
    const auto run = options.fit_run();
    std::error_code ignored;
    if (ranks->first() && !start.goes_on && !fs::exists(run / "config.json")) {
      fs::remove_all(fit_tasks(run), ignored);
      fs::remove(run, ignored);  // unless there is more in it
    }
    throw;
  }
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
    SeenPairsPointer seen;
    if (!start.goes_on && ranks->first()) seen = bring_tasks(options, start.config);
    ranks->barrier();  // they are there
    const double began = steady_seconds();
    fit_to_tasks(options, start, ranks, {std::move(seen), time});
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
