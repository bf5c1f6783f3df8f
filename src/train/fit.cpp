#include "dis/train/fit.h"

#include <algorithm>
#include <iterator>

#include "dis/core/error.h"
#include "dis/core/json.h"
#include "dis/data/open_data.h"
#include "dis/train/session.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTasks = "tasks";    // folder in the run
constexpr const char* kSubset = "unseen";  // set in this folder
constexpr std::int64_t kCheckpoints = 10;

bool fits(const ArcTask& task, std::int64_t side) {
  const auto holds = [&](const Grid& grid) { return grid.rows <= side && grid.columns <= side; };
  return std::ranges::all_of(
      task.pairs, [&](const ArcPair& pair) { return holds(pair.input) && (!pair.output || holds(*pair.output)); });
}

/// 0: as the network was trained.
void replace(std::int64_t& field, std::int64_t wanted) {
  if (wanted > 0) field = wanted;
}

}  // namespace

RunConfig fit_config(const RunConfig& trained, const fs::path& weights, const fs::path& run) {
  if (!kind_of(trained.data).tasks) {
    throw UserError("dis predict needs a network trained on ARC, found data.kind = " + to_string(trained.data.kind));
  }
  const auto place = fs::absolute(run / kTasks).string();
  if (utf8_name(place) != place) {
    throw UserError("the run folder of the fit, '" + run.string() +
                    "', has a path that is not UTF-8, which its config.json cannot hold; name another with --run-dir");
  }
  const auto& predict = trained.predict;
  RunConfig fit = without_trajectories(trained);  // none are known
  fit.run.name = "Fitted to unseen tasks: " + trained.run.name;
  fit.data.path = place;
  fit.data.subsets = fit.data.test_set = kSubset;
  fit.data.augmentations = predict.augmentations;
  if (fit.data.translations == TranslationKind::frozen) fit.data.translations = TranslationKind::fresh;
  fit.train.init_from = fs::absolute(weights).string();
  fit.train.steps = predict.steps;
  fit.train.global_batch = predict.batch;
  if (fit.train.micro_batch > predict.batch) fit.train.micro_batch = 0;
  fit.train.checkpoint_every = (predict.steps + kCheckpoints - 1) / kCheckpoints;
  fit.train.eval_every = 0;
  fit.train.keep_best = false;
  fit.optim.rows_first = predict.rows_first;
  fit.optim.lr = predict.lr;
  fit.optim.puzzle_lr = predict.puzzle_lr;
  fit.optim.warmup_steps = predict.warmup_steps;
  fit.optim.lr_min_ratio = predict.lr_min_ratio;
  fit.optim.ema_rate = predict.ema_rate;
  fit.eval.tasks = 0;
  fit.eval.allow_seen_tasks = true;  // refused before the fit or not at all: an answer is asked for, the score says it
  replace(fit.method.num_supervision, predict.num_supervision);
  replace(fit.model.H_cycles, predict.H_cycles);
  replace(fit.model.L_cycles, predict.L_cycles);
  if (fit.method.time == TimeEmbedding::integer && fit.method.num_supervision > trained.method.num_supervision) {
    throw UserError("predict.num_supervision = " + std::to_string(fit.method.num_supervision) +
                    ": the network's learned step table (method.time = integer) has no row beyond its " +
                    std::to_string(trained.method.num_supervision) + " supervision steps; expected at most those");
  }
  check_config(fit, "the fit");
  return fit;
}

void write_fit_tasks(const fs::path& run, const RunConfig& fit, const std::vector<ArcTask>& tasks) {
  ArcSubset asked{kSubset, {}};
  std::ranges::copy_if(tasks, std::back_inserter(asked.tasks),
                       [](const ArcTask& task) { return std::ranges::any_of(task.pairs, &ArcPair::test); });
  if (asked.tasks.empty()) {
    throw UserError("none of the " + std::to_string(tasks.size()) +
                    " tasks has a test input, so there is nothing to answer; add it under \"test\"");
  }
  const auto side = fit.data.max_grid;
  if (std::ranges::none_of(asked.tasks, [&](const ArcTask& task) { return fits(task, side); })) {
    throw UserError("every task has a grid of more than " + std::to_string(side) +
                    " rows or columns, the data.max_grid that the network was trained with; use a network for larger "
                    "grids");
  }
  write_arc_subset(run / kTasks, asked);
}

bool is_fit(const fs::path& run) { return fs::is_directory(run / kTasks); }

}  // namespace dis
