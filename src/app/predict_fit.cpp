#include "predict_fit.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <set>
#include <utility>

#include "config_options.h"
#include "dis/config/fields.h"
#include "dis/core/clock.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/log.h"
#include "dis/eval/evaluate.h"
#include "dis/eval/seen_pairs.h"
#include "dis/eval/seen_tasks.h"
#include "dis/train/checkpoint.h"
#include "dis/train/fit.h"
#include "dis/train/plan.h"
#include "dis/train/run_content.h"
#include "dis/train/trainer.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

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
SeenPairsPointer refuse_seen(const fs::path& run, const std::vector<ArcTask>& tasks, bool allowed) {
  const auto scored = scored_tasks(tasks);
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
  return {.config = std::move(config), .goes_on = true};
}

/// The tasks, into the folder of a new fit. Returns what the trained network saw, if it is known.
SeenPairsPointer bring_tasks(const PredictOptions& options, const FitStart& start) {
  const auto tasks = asked_tasks(options, start.config.data.max_grid);
  // Of chunks all tasks were looked at before.
  auto seen = refuse_seen(options.run, tasks, start.allow_seen || options.chunk >= 0);
  write_fit_tasks(options.fit_run(), start.config, tasks);
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
                                          .go_on = go_on(),
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
    auto plan = plan_training(session_.config, session_.model->shape(), session_.data->epoch_length(), rows, narrow);
    if (session_.config.eval.rank != CandidateRank::votes) plan.evaluation_flops *= 2.0;  // all rows once more
    const auto end = time.end_of_fit(plan, made - before, now - start);
    const auto rate = static_cast<double>(made - before) / (now - start);
    // One number for all ranks, whose clocks and starts are not the same.
    const auto room = std::max(
        made, static_cast<std::int64_t>(shared(static_cast<double>(TimeShare::updates_until(end, now, made, rate)))));
    if (room < steps) {
      log_info("the time limit has room for " + std::to_string(room) + " of " + std::to_string(steps) + " updates");
      steps = room;
    }
    if (room > made) train_until(end);
  }

 private:
  std::string go_on() const {
    if (!options_.go_on.empty()) return options_.go_on;
    return "dis predict --output " + options_.output + " --run-dir " + options_.fit_run().string() + " --resume";
  }

  /// Rank 0's number, whole ones up to 2^53 exactly.
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

}  // namespace

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

void refuse_seen_tasks(const PredictOptions& options, const FitStart& start, const std::vector<ArcTask>& tasks) {
  refuse_seen(options.run, tasks, start.allow_seen);
}

std::vector<ArcTask> asked_tasks(const PredictOptions& options, std::int64_t max_grid) {
  const fs::path input = options.input;
  if (!fs::exists(input)) throw UserError("--input: '" + input.string() + "' does not exist");
  auto tasks = fs::is_directory(input) ? read_arc_folder(input, fs::weakly_canonical(input).filename().string()).tasks
                                       : read_arc_tasks(input);
  if (options.chunk < 0) return tasks;
  std::erase_if(tasks, [&](const ArcTask& task) { return largest_side(task) > max_grid || !has_tests(task); });
  if (tasks.empty()) {
    throw UserError("no task of '" + input.string() + "' has a test input and grids of at most " +
                    std::to_string(max_grid) +
                    " rows and columns, the data.max_grid that the network was trained with");
  }
  if (std::ssize(tasks) < options.chunks) {
    throw UserError("--chunks: expected at most " + std::to_string(tasks.size()) +
                    ", the tasks that the network can answer, found " + std::to_string(options.chunks));
  }
  std::vector<ArcTask> chunk;
  for (auto i = options.chunk; i < std::ssize(tasks); i += options.chunks) {
    chunk.push_back(std::move(tasks[static_cast<std::size_t>(i)]));
  }
  return chunk;
}

FitStart fit_start(const PredictOptions& options) {
  if (options.resume) return resumed_fit(options);
  const auto run = options.fit_run();
  const auto trained = run_config(options.run, asked_settings(options));
  const auto weights = scored_weights(find_checkpoint(options.run, options.checkpoint), trained.eval.ema).file;
  auto fit = fit_config(trained, weights, run);
  if (!fs::exists(run / "config.json")) return {std::move(fit), trained.eval.allow_seen_tasks, false};
  if (find_place().restart > 0 && is_fit(run)) {
    auto there = run_config(run, {});
    const auto steps = std::exchange(there.train.steps, fit.train.steps);  // a time limit may have lowered it
    if (there == fit && same_fit_tasks(run, asked_tasks(options, fit.data.max_grid))) {
      fit.train.steps = steps;
      return {.config = std::move(fit), .goes_on = true};
    }
  }
  throw UserError("'" + run.string() + "', the run folder of the fit, exists already: " +
                  (is_fit(run) ? "go on with --resume (without --run, --input and --config), or " : "") +
                  "name another with --run-dir");
}

void fit_to_tasks(const PredictOptions& options, const FitStart& start, const std::shared_ptr<const Ranks>& ranks,
                  const std::optional<TimeShare>& time) {
  bool brought = false;
  try {
    SeenPairsPointer seen;
    if (!start.goes_on && ranks->first()) {
      seen = bring_tasks(options, start);
      brought = true;
    }
    ranks->barrier();  // they are there
    Fit fit(options, start, ranks, std::move(seen));
    if (time) {
      fit.train_within(*time);
    } else {
      fit.train_until(0.0);
    }
  } catch (const UserError&) {
    const auto run = options.fit_run();
    std::error_code ignored;
    if (brought && !fs::exists(run / "config.json")) {
      fs::remove_all(fit_tasks(run), ignored);
      fs::remove(run, ignored);  // unless there is more in it
    }
    throw;
  }
}

}  // namespace dis
