#include "dis/train/trainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>

#include "dis/core/clock.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/log.h"
#include "dis/core/memory.h"
#include "dis/core/progress.h"
#include "dis/core/signals.h"
#include "dis/data/identifiers.h"
#include "dis/train/checkpoint.h"
#include "dis/train/metrics.h"
#include "dis/train/optimiser.h"
#include "dis/train/plan.h"
#include "dis/train/schedule.h"
#include "dis/train/throughput.h"
#include "dis/train/training_loop.h"
#include "initial_weights.h"
#include "run_folder.h"
#include "run_outputs.h"
#include "share_state.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

std::string fixed(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

/// For memory that runs out in a batch.
std::string smaller_batches(const TrainConfig& train) {
  const auto now = train.micro_batch > 0 ? train.micro_batch : train.global_batch;
  if (now == 1) return "use a smaller model or shorter boards";
  return try_half("train.micro_batch", now) + " (the gradients are accumulated, so the result is the same)";
}

/// Against what the plan takes for the peak of this run's devices.
Throughput throughput_of(const Session& session) {
  const auto& shape = session.model->shape();
  const auto peak = session.compute.device.is_cuda()
                        ? assumed_gpu().peak
                        : assumed_cpu(at::get_num_threads(), session.compute.type == at::kBFloat16).peak;
  return {flops_per_sample(shape, passes_per_sample(shape)) * static_cast<double>(session.config.train.global_batch),
          peak * static_cast<double>(session.ranks->size())};
}

/// A loss, a weight or a moment is NaN or infinite: on every rank at once.
struct NonFinite {
  std::string what;
};

class Run {
 public:
  Run(Session& session, const TrainRequest& request)
      : session_(session),
        request_(request),
        config_(session.config),
        updates_(updates_of(config_)),
        optimiser_(config_.optim, updates_, session.model->weights()),
        ranks_(*session.ranks),
        loop_(config_, ranks_, *session.data,
              session.targets->source(static_cast<std::uint64_t>(config_.run.seed), *session.data), *session.model,
              optimiser_),
        throughput_(throughput_of(session)) {}

  void open() {
    NamedTensors lanes;
    if (ranks_.first()) lanes = open_folder();
    ranks_.await_first();  // it may read a large data set to the end
    share_state(ranks_, state_, *session_.model, optimiser_, lanes);
    if (!ranks_.first()) restore_lanes(lanes);
    saved_at_ = state_.batches > 0 ? state_.updates : -1;
  }

  void work() {
    if (finished() && !state_.evaluation_due) {
      log_info("the run is finished: " + std::to_string(state_.updates) +
               " updates; train.steps can be raised with --set");
      return;
    }
    catch_stop_signals();
    std::optional<RunOutputs> outputs;
    if (ranks_.first()) outputs.emplace(request_.run, state_.updates + 1);
    if (state_.evaluation_due) {
      log_info("the evaluation after update " + std::to_string(state_.updates) + ", which was broken off");
      evaluate(outputs);
      save(outputs);
    }
    if (!state_.evaluation_due) make_batches(outputs);
    ranks_.barrier();  // rank 0 may hold the store: it leaves when all are done
    if (!finished() || state_.evaluation_due) {
      log_info("stopped by a signal at update " + std::to_string(state_.updates) + " of " + std::to_string(updates_) +
               ", the checkpoint is written; go on with: dis train --run-dir " + request_.run.string() + " --resume");
      throw Stopped{stop_signal() != 0 ? stop_signal() : SIGTERM};  // of another rank, if not of this one
    }
    log_info(closing_line());
  }

 private:
  /// On rank 0. Returns the lanes of the checkpoint that the run goes on from.
  NamedTensors open_folder() {
    folder_.emplace(request_.run, request_.resume);
    InitialWeights initial;
    if (!request_.resume) initial = begin_with_weights();  // first, so that a mistake leaves no run folder behind
    folder_->enter(static_cast<bool>(request_.evaluate));
    folder_->keep_data(*session_.data);
    const auto latest = request_.resume ? latest_checkpoint(request_.run) : std::nullopt;
    NamedTensors lanes;
    if (latest) {
      state_ = load_checkpoint(*latest, *session_.model, optimiser_, lanes);
      restore_lanes(lanes);
    } else if (request_.resume) {
      initial = begin_with_weights();
    }
    folder_->settle(config_, *session_.data, initial.seen_tasks, initial.seen_pairs, state_.batches);
    log_to_file(request_.run / "log.txt");
    log_info(describe(latest));
    return lanes;
  }

  /// Those of train.init_from, if it is set.
  InitialWeights begin_with_weights() {
    if (config_.train.init_from.empty()) return {};
    auto initial = find_initial_weights(config_.train.init_from);
    adopt_weights(initial.file, session_.model->weights(), identifier_names(*session_.data), initial.identifiers);
    optimiser_.restart_ema();
    return initial;
  }

  bool finished() const { return state_.updates >= updates_; }

  /// The only place of the mean rate.
  std::string closing_line() const {
    return "trained " + std::to_string(state_.updates) + " updates on " + std::to_string(state_.samples) +
           " samples in " + format_duration(state_.seconds) + ", " +
           fixed(static_cast<double>(state_.samples) / state_.seconds, 1) + " samples/s on average; peak memory " +
           scaled(peak_memory_mb(session_.compute.device) * 1024.0 * 1024.0, "B") +
           "; weights: " + scored_weights(request_.run / "checkpoints" / "latest", config_.eval.ema).file.string();
  }

  /// To the last one, or until a signal stops it; the last one is in a checkpoint then.
  void make_batches(std::optional<RunOutputs>& outputs) {
    const double start = steady_seconds(), before = state_.seconds, device_before = state_.device_seconds;
    std::optional<Progress> progress;
    const auto begin_progress = [&] {
      progress.emplace(
          ProgressTask{.what = "train", .unit = "updates", .total = updates_, .done_before = state_.updates});
    };
    begin_progress();
    for (bool stop = false; !finished() && !stop;) {
      try {
        const auto own = one_batch();
        const double spent = steady_seconds() - start;
        state_.seconds = before + spent;
        state_.device_seconds = device_before + spent * static_cast<double>(ranks_.size());
        stop = end_batch(own, outputs, *progress);
      } catch (const NonFinite& bad) {
        roll_back(bad.what, outputs);
        begin_progress();
      }
    }
    progress->finish();
  }

  /// Counters, records, evaluation and checkpoint after a batch. Whether training is to stop.
  bool end_batch(const TickRecords& own, std::optional<RunOutputs>& outputs, Progress& progress) {
    state_.updates = optimiser_.updates();
    ++state_.batches;
    const auto seen =
        agree({find_non_finite(own).has_value(), stop_requested(), take_checkpoint_request(), ended_samples(own)});
    state_.samples += seen.ended;
    throughput_.batch(seen.ended);
    if (state_.batches % config_.train.log_every == 0 || finished() || seen.non_finite) {
      const auto records = gather(ranks_, own);
      if (const auto bad = find_non_finite(records)) throw NonFinite{"the loss is NaN or infinite at " + *bad};
      last_batch_ = summarise(records, config_.method.num_supervision);
      rates_ = throughput_.interval();
      if (outputs) {
        outputs->record(last_batch_, {state_.updates, state_.batches, state_.samples, optimiser_.last_rate()},
                        {rates_, peak_memory_mb(session_.compute.device), state_.seconds});
      }
    }
    progress.update(state_.updates, details());
    if (config_.dist.check_every > 0 && state_.batches % config_.dist.check_every == 0) check_ranks();
    state_.evaluation_due = evaluates() && due(config_.train.eval_every);
    if (seen.save) save_on_request(outputs);
    const bool best = state_.evaluation_due && !seen.stop && evaluate(outputs);
    const bool stop = seen.stop || state_.evaluation_due;
    if (due(config_.train.checkpoint_every) || best || evaluation_due_on_disk_ || stop || finished()) save(outputs);
    return stop;
  }

  /// What stands behind the count of the updates.
  std::string details() const {
    if (last_batch_.loss.empty()) return "";
    return "loss " + fixed(last_batch_.mean_loss(), 4) + ", exact " + fixed(last_batch_.final_exact(), 3) + ", " +
           fixed(rates_.samples_per_s, 1) + " samples/s";
  }

  /// Back to the latest checkpoint, and on with the batch behind the present one: the data are those of the batches'
  /// numbers, so what lies between is left out. UserError: not asked for, no checkpoint, or too often.
  void roll_back(const std::string& problem, std::optional<RunOutputs>& outputs) {
    constexpr std::int64_t kMostInARow = 3;
    if (config_.train.on_non_finite == OnNonFinite::stop || saved_at_ < 0) throw non_finite(problem);
    if (state_.rollbacks == kMostInARow) throw non_finite(problem + ", after three rollbacks in a row");
    const RunState reached = state_;
    NamedTensors lanes;  // of samples that are left out
    if (ranks_.first()) {
      state_ = load_checkpoint(*latest_checkpoint(request_.run), *session_.model, optimiser_, lanes);
      log_warn(problem + ", in the batch that ended with update " + std::to_string(reached.updates) +
               ": back to the checkpoint of update " + std::to_string(state_.updates) + ", without the batches " +
               std::to_string(state_.batches + 1) + " to " + std::to_string(reached.batches) +
               " (train.on_non_finite)");
      outputs.reset();
      folder_->keep_metrics(state_.batches);
      outputs.emplace(request_.run, state_.updates + 1);
      state_.batches = reached.batches;
      state_.seconds = reached.seconds;
      state_.device_seconds = reached.device_seconds;
      ++state_.rollbacks;
      update_checkpoint(request_.run, state_, config_.train.keep_last);
    }
    ranks_.await_first();
    share_state(ranks_, state_, *session_.model, optimiser_, lanes);
    restore_lanes({});
    saved_at_ = state_.updates;
    evaluation_due_on_disk_ = false;
    throughput_.interval();  // begins one
  }

  struct Seen {
    bool non_finite = false, stop = false, save = false;
    std::int64_t ended = 0;
  };

  /// Samples that the network was done with in these ticks.
  static std::int64_t ended_samples(const TickRecords& own) {
    if (!own.halting()) return own.lanes;
    return std::count(own.halted.begin(), own.halted.end(), 1);
  }

  /// What any rank has seen, and the samples of all.
  Seen agree(Seen own) const {
    if (ranks_.size() == 1) return own;
    const auto seen = at::zeros({4}, at::kLong);
    auto* number = seen.data_ptr<std::int64_t>();
    number[0] = own.non_finite ? 1 : 0;
    number[1] = own.stop ? 1 : 0;
    number[2] = own.save ? 1 : 0;
    number[3] = own.ended;
    ranks_.sum(seen);
    return {number[0] > 0, number[1] > 0, number[2] > 0, number[3]};
  }

  void check_ranks() const {
    const auto& weights = session_.model->weights();
    auto numbers = optimiser_.buffers();
    numbers.insert(numbers.begin(), {weights.flat(), weights.master().puzzle});
    require_same_bits(ranks_, "weights", numbers);
  }

  void restore_lanes(const NamedTensors& lanes) {
    const auto tick = state_.batches * config_.method.num_supervision;
    if (state_.rollbacks > 0) return loop_.begin_anew(tick);
    if (tick > 0) loop_.restore(tick, lanes);
  }

  std::string describe(const std::optional<fs::path>& latest) const {
    const auto& w = session_.model->weights();
    std::string text = "run " + request_.run.string() + ": " + std::to_string(w.block_parameters()) +
                       " parameters in the blocks, " + std::to_string(w.parameters()) + " trained in all, " +
                       (session_.compute.type == at::kBFloat16 ? "bfloat16" : "float32") + " on " +
                       session_.compute.device.str() + " with " + std::to_string(at::get_num_threads()) + " threads";
    if (ranks_.size() > 1) text += ", " + std::to_string(ranks_.size()) + " ranks";
    if (latest) text += ", going on from update " + std::to_string(state_.updates);
    if (request_.resume && !latest) text += ", from the start: there is no checkpoint yet";
    return text;
  }

  TickRecords one_batch() {
    const auto& train = config_.train;
    const auto lanes = train.micro_batch > 0 ? train.micro_batch : train.global_batch;
    return with_memory_advice("training with " + std::to_string(lanes) + " lanes at once", smaller_batches(train),
                              [&] { return loop_.run(config_.method.num_supervision); });
  }

  UserError non_finite(const std::string& problem) const {
    const auto latest = latest_checkpoint(request_.run);
    return UserError(
        "training stopped: " + problem + ", in the batch that ended with update " + std::to_string(state_.updates) +
        "; " +
        (latest ? "the last good checkpoint, " + latest->string() + ", is untouched" : "there was no checkpoint yet") +
        "; try a lower optim.lr, a longer optim.warmup_steps or compute.dtype=float32");
  }

  /// Whether a multiple of `every` updates lies in the batch that has just ended.
  bool due(std::int64_t every) const {
    return every > 0 && state_.updates / every != (state_.updates - updates_per_batch(config_.method)) / every;
  }

  /// The score of the weights that `dis eval` would take: the moving average where there is one and eval.ema is on.
  double evaluate_now() {
    if (!scores_average(config_)) return request_.evaluate(session_, state_.updates);
    const at::NoGradGuard no_grad;
    struct PutBack {
      Weights& weights;
      at::Tensor last;
      ~PutBack() { weights.assign(last); }
    };
    auto& weights = session_.model->weights();
    const PutBack put_back{weights, weights.flat().clone()};
    weights.assign(optimiser_.ema());
    return request_.evaluate(session_, state_.updates);
  }

  bool evaluates() const { return request_.evaluate && config_.train.eval_every > 0; }

  /// Whether this update is the best one so far, which is to be kept. A signal may leave the evaluation due.
  bool evaluate(std::optional<RunOutputs>& outputs) {
    state_.evaluation_due = evaluates();
    if (!state_.evaluation_due) return false;
    if (outputs) outputs->flush();  // it may take hours
    std::optional<double> score;
    while (!score) {
      try {
        score = throughput_.without([&] { return evaluate_now(); });
      } catch (const Stopped&) {
        return false;
      } catch (const CheckpointWanted&) {
        save_on_request(outputs);
      } catch (const UserError&) {  // no memory, no room: what was trained is kept, and --resume begins here
        if (ranks_.size() == 1 && saved_at_ != state_.updates) save(outputs);
        throw;
      }
    }
    state_.evaluation_due = false;
    if (outputs) outputs->score(state_.updates, *score);
    if (!config_.train.keep_best || (state_.best_score && *score <= *state_.best_score)) return false;
    state_.best_score = *score;
    state_.best_update = state_.updates;
    return true;
  }

  void save_on_request(std::optional<RunOutputs>& outputs) {
    save(outputs);
    log_info("a signal asked for a checkpoint: written at update " + std::to_string(state_.updates) + ", going on");
  }

  /// The checkpoint of this update; of one that is there already what may have changed since: the evaluation.
  void save(std::optional<RunOutputs>& outputs) {
    if (outputs) outputs->sync();
    if (saved_at_ != state_.updates) {
      checkpoint();
    } else {
      if (ranks_.first()) update_checkpoint(request_.run, state_, config_.train.keep_last);
      ranks_.await_first();
    }
    evaluation_due_on_disk_ = state_.evaluation_due;
  }

  void checkpoint() {
    auto all = optimiser_.buffers();
    all.push_back(session_.model->weights().flat());
    for (const auto& numbers : all) {
      if (!at::isfinite(numbers).all().item<bool>()) throw NonFinite{"a weight or a moment is NaN or infinite"};
    }
    state_.rollbacks = 0;
    const auto lanes = loop_.state();
    if (ranks_.first()) {
      save_checkpoint(request_.run, state_, *session_.model, optimiser_, lanes, config_.train.keep_last);
    }
    ranks_.await_first();
    saved_at_ = state_.updates;
  }

  Session& session_;
  const TrainRequest& request_;
  const RunConfig& config_;
  std::int64_t updates_;  ///< when all are made
  Optimiser optimiser_;
  const Ranks& ranks_;
  TrainingLoop loop_;
  Throughput throughput_;
  BatchMetrics last_batch_;  ///< that was recorded
  Rates rates_;
  std::optional<RunFolder> folder_;  ///< rank 0's
  RunState state_;
  std::int64_t saved_at_ = -1;
  bool evaluation_due_on_disk_ = false;  ///< in the checkpoint of this update
};

}  // namespace

void train(Session& session, const TrainRequest& request) {
  const auto lanes = session.config.train.global_batch;
  std::optional<Run> run;
  with_memory_advice("preparing " + std::to_string(lanes) + " lanes",
                     try_half("train.global_batch", lanes) + ", a smaller model, or more ranks", [&] {
                       run.emplace(session, request);
                       run->open();
                     });
  run->work();
}

}  // namespace dis
