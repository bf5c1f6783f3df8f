#include "evaluated_network.h"

#include <filesystem>

#include "dis/core/error.h"
#include "dis/core/log.h"
#include "dis/data/arc/arc_data.h"
#include "dis/data/identifiers.h"
#include "dis/data/open_data.h"
#include "dis/eval/seen_pairs.h"
#include "dis/eval/seen_tasks.h"
#include "dis/model/weights_file.h"
#include "dis/train/checkpoint.h"
#include "dis/train/run_content.h"
#include "outputs.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

void refuse_mostly_seen(const Session& session, const EvaluationTarget& target) {
  if (!kind_of(session.config.data).tasks || !target.seen_pairs) return;
  std::vector<ArcTask> tasks;
  for (const auto& group : data_as<ArcData>(session).puzzles().groups()) {
    if (!group.test_pairs.empty()) tasks.push_back(group.task);
  }
  dis::refuse_mostly_seen(tasks, *target.seen_pairs, session.config.eval.allow_seen_tasks);
}

void warn_of_missing_rows(std::int64_t found, const Session& session) {
  const auto all = session.data->shape().identifiers;
  if (!session.config.model.puzzle_embedding || found == all) return;
  log_warn(std::to_string(all - found) + " of " + std::to_string(all) +
           " puzzle identifiers have no trained row; they get the mean of all rows");
}

/// How the data are other ones than the run's own, as far as the settings do not say it.
std::string other_data(const DataConfig& data, const DataConfig& own, const std::string& changed) {
  if (!changed.empty() || kind_of(data).tasks) return changed;
  const auto files = data.path + "|" + data.train_file + "|" + data.test_file;
  return files == own.path + "|" + own.train_file + "|" + own.test_file ? "" : files;
}

/// What of the content that is evaluated training saw, and what has changed since.
void note_content(const NetworkOptions& options, const RunConfig& trained, const Session& session,
                  EvaluationTarget& target) {
  const fs::path run = options.run;
  target.seen_pairs = seen_pairs_of_run(run, trained, &session);
  refuse_mostly_seen(session, target);
  // Tasks are compared name by name; boards and examples only with those that the run has itself.
  const bool own = session.config.data == trained.data && session.config.run.seed == trained.run.seed;
  const bool comparable = own || kind_of(session.config.data).tasks;
  const auto changed = comparable ? changed_content(run, *session.data) : std::string();
  target.variant =
      variant_of(session.config, trained, options.kind, other_data(session.config.data, trained.data, changed));
  if (changed.empty()) return;
  add_warning(target.seen_tasks,
              "the content of the data has changed since the run began, under the same names: " + changed);
}

/// A checkpoint of a run. Data other than the run's own may be asked for by --set data.*: then puzzle rows are found by
/// their identifiers.
EvaluatedNetwork open_run(const NetworkOptions& options, const RunConfig& config,
                          const std::shared_ptr<const Ranks>& ranks) {
  const auto trained = run_config(options.run, {});
  auto session = make_session(config, ranks);
  const auto folder = find_checkpoint(options.run, options.checkpoint);
  const auto weights = scored_weights(folder, session.config.eval.ema);
  EvaluationTarget target{options.results_folder(), folder.filename().string(), options.run, weights.name()};
  const auto identifiers = fs::path(options.run) / "identifiers.json";
  if (session.config.data == trained.data && same_identifiers(identifiers, *session.data)) {
    load_weights(weights.file, session.model->weights());
  } else {
    const auto theirs = read_identifiers(identifiers);
    warn_of_missing_rows(adopt_weights(weights.file, session.model->weights(), identifier_names(*session.data), theirs),
                         session);
  }
  if (kind_of(session.config.data).tasks) {
    const auto& puzzles = data_as<ArcData>(session).puzzles();
    target.seen_tasks = warn_of_seen_tasks(tested_tasks(puzzles), seen_by_run(options.run, puzzles),
                                           session.config.eval.allow_seen_tasks);
  }
  note_content(options, trained, session, target);
  return {std::move(session), std::move(target)};
}

/// The settings that results have plain names with: those of --config without --set.
RunConfig own_settings(ConfigOptions options) {
  options.set.clear();
  try {
    return options.load();
  } catch (const UserError&) {  // it only works with --set
    return {};
  }
}

/// Weights trained elsewhere, on the data of a configuration.
EvaluatedNetwork open_weights(const NetworkOptions& options, const RunConfig& config,
                              const std::shared_ptr<const Ranks>& ranks) {
  auto session = make_session(config, ranks);
  const fs::path file = options.weights;
  EvaluationTarget target{options.results_folder(), file.stem().string(), "", file.string()};
  target.variant = variant_of(config, own_settings(options.config), options.kind);
  std::vector<std::string> theirs;
  if (!options.identifiers.empty()) {
    theirs = read_identifiers(options.identifiers);
    if (kind_of(session.config.data).tasks) {
      const auto& puzzles = data_as<ArcData>(session).puzzles();
      target.seen_tasks = warn_of_seen_tasks(tested_tasks(puzzles), seen_by_names(theirs, puzzles),
                                             session.config.eval.allow_seen_tasks);
    }
  } else if (kind_of(session.config.data).tasks) {
    log_warn(
        "without --identifiers only the number of puzzle rows is compared: were these weights trained on other "
        "puzzles, or in another order, their scores mean nothing");
  }
  target.seen_pairs = seen_pairs_of_weights(session);
  refuse_mostly_seen(session, target);
  const auto found = adopt_weights(file, session.model->weights(), identifier_names(*session.data), theirs);
  if (found == 0 && session.config.model.puzzle_embedding) {
    throw UserError("weights file '" + file.string() + "' has another number of puzzle rows than these data have (" +
                    std::to_string(session.data->shape().identifiers) +
                    "); give the list that belongs to it with --identifiers");
  }
  warn_of_missing_rows(found, session);
  return {std::move(session), std::move(target)};
}

}  // namespace

void NetworkOptions::add_to(CLI::App& app, const std::string& results_folder) {
  results = results_folder;
  config.add_to(app);
  app.add_option("--run", run, "Run folder")->type_name("DIR");
  app.add_option("--checkpoint", checkpoint, "Checkpoint: an update number, latest or best")->capture_default_str();
  app.add_option("--weights", weights, "Weights from elsewhere, for the data and network of --config")
      ->type_name("FILE");
  app.add_option("--identifiers", identifiers, "identifiers.json that the weights were trained with")
      ->type_name("FILE")
      ->needs("--weights");
  app.add_option("--output", output,
                 "Folder of the results; default: " + results + " in the run folder, or here with --weights")
      ->type_name("DIR");
}

void NetworkOptions::check() const {
  if (!run.empty() && !config.file.empty()) {
    throw UserError("--run has its own configuration: leave out --config " + config.file);
  }
}

fs::path NetworkOptions::results_folder() const {
  if (!output.empty()) return output;
  return weights.empty() ? fs::path(run) / results : fs::path(results);
}

RunConfig NetworkOptions::load() const {
  return without_trajectories(weights.empty() ? run_config(run, config.set) : config.load());
}

EvaluatedNetwork open_network(const NetworkOptions& options, const RunConfig& config,
                              const std::shared_ptr<const Ranks>& ranks) {
  auto network = options.weights.empty() ? open_run(options, config, ranks) : open_weights(options, config, ranks);
  const auto& target = network.target;
  const auto inputs = options.weights.empty()
                          ? run_inputs(options.run)
                          : std::vector<fs::path>{options.weights, options.identifiers, options.config.file};
  for (const char* ending : {".json", "_tasks.csv", "_submission.json", "_candidates.json"}) {
    refuse_input(target.folder / (target.name + target.variant.name + ending), "the results", inputs);
  }
  return network;
}

}  // namespace dis
