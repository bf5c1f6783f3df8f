#include "dis/eval/predict.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "dis/core/error.h"
#include "dis/core/log.h"
#include "dis/core/memory.h"
#include "dis/core/progress.h"
#include "dis/core/signals.h"
#include "dis/data/arc/arc_data.h"
#include "dis/data/identifiers.h"
#include "dis/data/open_data.h"
#include "dis/eval/votes/arc_voting.h"
#include "dis/eval/votes/submission.h"
#include "dis/model/weights_file.h"
#include "dis/train/metrics.h"
#include "dis/train/optimiser.h"
#include "dis/train/schedule.h"
#include "dis/train/session.h"
#include "dis/train/training_loop.h"

namespace dis {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// The tasks that the network's field can hold, and the others.
struct BySize {
  std::vector<ArcTask> fit, too_large;
};

BySize by_size(const std::vector<ArcTask>& tasks, std::int64_t side) {
  BySize result;
  for (const auto& task : tasks) {
    const bool fits = std::ranges::all_of(task.pairs, [&](const ArcPair& pair) {
      const auto holds = [&](const Grid& grid) { return grid.rows <= side && grid.columns <= side; };
      return holds(pair.input) && (!pair.output || holds(*pair.output));
    });
    (fits ? result.fit : result.too_large).push_back(task);
  }
  const auto limit = "a grid of more than " + std::to_string(side) +
                     " rows or columns, the data.max_grid that the network was trained with";
  if (result.fit.empty()) throw UserError("every task has " + limit + "; use a network for larger grids");
  if (!result.too_large.empty()) {
    log_warn(std::to_string(result.too_large.size()) + " of " + std::to_string(tasks.size()) + " tasks (" +
             result.too_large.front().id + " for one) have " + limit + ": they get no answer");
  }
  return result;
}

/// The run's network over the new tasks' puzzles.
Session session_for(const PredictRequest& request, const std::vector<ArcTask>& tasks) {
  RunConfig config = without_trajectories(request.config);  // none are known
  config.data.augmentations = config.predict.augmentations;
  const std::string all = "unseen";
  ArcPuzzles puzzles({{all, tasks}}, {.augmentations = config.data.augmentations,
                                      .seed = static_cast<std::uint32_t>(config.data.build_seed),
                                      .side = static_cast<int>(config.data.max_grid),
                                      .test_set = all});
  Session session{config, set_up_compute(config.compute), std::make_shared<const Ranks>(), nullptr, nullptr, nullptr};
  session.data = std::make_unique<ArcData>(std::move(puzzles), config.data.translations == TranslationKind::none
                                                                   ? TranslationKind::none
                                                                   : TranslationKind::fresh);
  session.targets = std::make_unique<TargetBuilder>(config.method, session.data->shape());
  session.model = std::make_unique<Backbone>(model_shape(config, session.data->shape(), *session.targets),
                                             static_cast<std::uint64_t>(config.run.seed), session.compute.device,
                                             session.compute.type);
  adopt_weights(request.weights, session.model->weights(), identifier_names(*session.data), request.identifiers);
  return session;
}

void fit_rows(Session& session) {
  RunConfig config = session.config;
  OptimConfig optim = config.optim;
  optim.puzzle_lr = config.predict.puzzle_lr;
  optim.warmup_steps = 0;
  optim.lr_min_ratio = 0.0;  // the rows settle
  optim.ema_rate = 0.0;
  if (!config.predict.train_network) optim.lr = 0.0;
  config.train.global_batch = config.predict.batch;
  config.train.micro_batch = 0;
  const auto batches = config.predict.steps > 0 ? batches_of(config.method, config.predict.steps) : 0;
  const auto updates = updates_per_batch(config.method);
  Optimiser optimiser(optim, batches * updates, session.model->weights());
  const auto seed = static_cast<std::uint64_t>(config.run.seed);
  TrainingLoop loop(config, *session.ranks, *session.data, session.targets->source(seed, *session.data), *session.model,
                    optimiser);
  Progress progress({.what = "fit", .unit = "updates", .total = batches * updates});
  for (std::int64_t batch = 1; batch <= batches; ++batch) {
    const auto records = loop.run(config.method.num_supervision);
    if (const auto bad = find_non_finite(records)) {
      throw UserError("fitting stopped: the loss is NaN or infinite at " + *bad +
                      "; try a lower predict.puzzle_lr or optim.lr, or compute.dtype=float32");
    }
    const auto metrics = summarise(records, config.method.num_supervision);
    char details[64];
    std::snprintf(details, sizeof details, "loss %.4f, exact %.3f", metrics.mean_loss(), metrics.final_exact());
    progress.update(batch * updates, details);
    if (stop_requested()) throw Stopped{stop_signal()};
  }
  progress.finish();
}

}  // namespace

PredictResult predict(const PredictRequest& request) {
  if (!kind_of(request.config.data).tasks) {
    throw UserError("dis predict needs a network trained on ARC, found data.kind = " +
                    to_string(request.config.data.kind));
  }
  if (test_inputs(request.tasks).empty()) {
    throw UserError("none of the " + std::to_string(request.tasks.size()) +
                    " tasks has a test input, so there is nothing to answer; add it under \"test\"");
  }
  const auto tasks = by_size(request.tasks, request.config.data.max_grid);
  const auto& settings = request.config.predict;
  auto session =
      with_memory_advice("building the puzzles' rows", try_half("predict.augmentations", settings.augmentations),
                         [&] { return session_for(request, tasks.fit); });
  PredictResult result;
  auto start = Clock::now();
  with_memory_advice("fitting " + std::to_string(settings.batch) + " lanes at once",
                     try_half("predict.batch", settings.batch), [&] { fit_rows(session); });
  result.fitting_seconds = seconds_since(start);

  start = Clock::now();
  const auto& data = data_as<ArcData>(session);
  auto election = plan_election(data.puzzles(), 0, 0, 0);
  for (const auto& task : tasks.too_large) {  // without votes, but with a place in the submission and in the score
    election.tasks.push_back(task);
    election.test_inputs += std::ranges::count(task.pairs, true, &ArcPair::test);
  }
  const auto& eval = session.config.eval;
  const auto book = with_memory_advice(
      "voting with " + std::to_string(eval.batch) + " rows at once", try_half("eval.batch", eval.batch),
      [&] { return vote(session, data, election, {.eval = eval, .interruptible = true}); });
  result.voting_seconds = seconds_since(start);
  result.score = score_arc(election.tasks, book, {.seed = static_cast<std::uint64_t>(session.config.run.seed)});
  // The demonstrations were fitted, so they count as trained.
  auto keys = data.trained_pairs().keys;
  if (request.seen_pairs) {
    const auto& trained = request.seen_pairs->pairs.keys();
    keys.insert(keys.end(), trained.begin(), trained.end());
  }
  const auto split = split_seen(election.tasks, TrainedPairs(std::move(keys)));
  result.seen = split.pairs;
  result.seen_tasks = split.seen;
  if (!split.seen.empty()) {
    result.unseen = score_arc(split.unseen, book, {.vote_counts = {}, .seed = result.score.settings.seed});
  }
  result.tasks = election.tasks;
  result.attempts = best_grids(book);
  return result;
}

}  // namespace dis
