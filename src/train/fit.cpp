#include "dis/train/fit.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "dis/config/fields.h"
#include "dis/core/error.h"
#include "dis/core/json.h"
#include "dis/data/open_data.h"
#include "dis/train/session.h"
#include "run_folder.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTasks = "tasks";    // folder in the run
constexpr const char* kSubset = "unseen";  // set in this folder
constexpr std::int64_t kCheckpoints = 10;

/// The settings of the fit, and those of `predict` that they are taken from.
constexpr std::pair<const char*, const char*> kTaken[] = {{"train.steps", "predict.steps"},
                                                          {"train.global_batch", "predict.batch"},
                                                          {"data.augmentations", "predict.augmentations"},
                                                          {"optim.rows_first", "predict.rows_first"},
                                                          {"optim.lr", "predict.lr"},
                                                          {"optim.puzzle_lr", "predict.puzzle_lr"},
                                                          {"optim.warmup_steps", "predict.warmup_steps"},
                                                          {"optim.lr_min_ratio", "predict.lr_min_ratio"},
                                                          {"optim.ema_rate", "predict.ema_rate"},
                                                          {"method.num_supervision", "predict.num_supervision"},
                                                          {"model.H_cycles", "predict.H_cycles"},
                                                          {"model.L_cycles", "predict.L_cycles"}};

void take(RunConfig& fit, const char* to, const char* from) {
  const auto value = find_field(from)->get(fit);
  const auto* field = find_field(to);
  const bool as_trained =  // 0 stands for it
      field->section == "method" || field->section == "model" || field->path == "optim.lr";
  if (!as_trained || value != 0) field->set(*field, fit, value);
}

/// Those with test inputs.
std::vector<ArcTask> asked_tasks(const std::vector<ArcTask>& tasks) {
  std::vector<ArcTask> asked;
  std::ranges::copy_if(tasks, std::back_inserter(asked), has_tests);
  return asked;
}

void check_steps(const RunConfig& fit, const RunConfig& trained) {
  const auto wanted = fit.method.num_supervision, known = trained.method.num_supervision;
  if (fit.method.time != TimeEmbedding::integer || wanted == known) return;
  throw UserError("predict.num_supervision = " + std::to_string(wanted) +
                  ": the network's learned step table (method.time = integer) is for " + std::to_string(known) +
                  " supervision steps; expected 0 or " + std::to_string(known));
}

}  // namespace

RunConfig fit_config(const RunConfig& trained, const fs::path& weights, const fs::path& run) {
  if (!kind_of(trained.data).tasks) {
    throw UserError("dis predict needs a network trained on ARC, found data.kind = " + to_string(trained.data.kind));
  }
  const auto place = fit_tasks(run).string();
  if (utf8_name(place) != place) {
    throw UserError("the run folder of the fit, '" + run.string() +
                    "', has a path that is not UTF-8, which its config.json cannot hold; name another with --run-dir");
  }
  const auto& predict = trained.predict;
  RunConfig fit = without_trajectories(trained);  // none are known
  fit.run.name = "Fitted to unseen tasks: " + trained.run.name;
  fit.data.path = place;
  fit.data.subsets = fit.data.test_set = kSubset;
  if (fit.data.translations == TranslationKind::frozen) fit.data.translations = TranslationKind::fresh;
  for (const auto& [to, from] : kTaken) take(fit, to, from);
  // Of shorter steps all of them.
  fit.model.gradient_passes = std::min(fit.model.gradient_passes, passes_of_step(fit.model));
  // Muon's rate keeps its proportion to Adam's.
  fit.optim.muon_lr = trained.optim.lr > 0.0 ? trained.optim.muon_lr * fit.optim.lr / trained.optim.lr : fit.optim.lr;
  fit.train.init_from = fs::absolute(weights).string();
  if (fit.train.micro_batch > predict.batch) fit.train.micro_batch = 0;
  fit.train.checkpoint_every = (predict.steps + kCheckpoints - 1) / kCheckpoints;
  fit.train.eval_every = 0;
  fit.train.keep_best = false;
  fit.eval.tasks = 0;
  fit.eval.allow_seen_tasks = true;  // refused before the fit or not at all: an answer is asked for, the score says it
  check_steps(fit, trained);
  check_config(fit, "the fit");
  return fit;
}

void write_fit_tasks(const fs::path& run, const RunConfig& fit, const std::vector<ArcTask>& tasks) {
  const ArcSubset asked{kSubset, asked_tasks(tasks)};
  if (asked.tasks.empty()) {
    throw UserError("none of the " + std::to_string(tasks.size()) +
                    " tasks has a test input, so there is nothing to answer; add it under \"test\"");
  }
  const auto side = fit.data.max_grid;
  if (std::ranges::none_of(asked.tasks, [&](const ArcTask& task) { return largest_side(task) <= side; })) {
    throw UserError("every task has a grid of more than " + std::to_string(side) +
                    " rows or columns, the data.max_grid that the network was trained with; use a network for larger "
                    "grids");
  }
  const RunFolder begun(run, false);  // nothing that a new run would spoil
  write_arc_subset(run / kTasks, asked);
}

bool same_fit_tasks(const fs::path& run, const std::vector<ArcTask>& tasks) {
  return read_arc_subset(run / kTasks, kSubset).tasks == asked_tasks(tasks);
}

std::string fit_setting(const std::string& field) {
  for (const auto& [to, from] : kTaken) {
    if (field == to) return from;
  }
  return "";
}

fs::path fit_tasks(const fs::path& run) { return fs::absolute(run / kTasks); }

bool is_fit(const fs::path& run) { return fs::is_directory(run / kTasks); }

}  // namespace dis
