#include "dis/train/trainer.h"

#include <ATen/Parallel.h>

#include <optional>

#include "agreement.h"
#include "dis/core/clock.h"
#include "dis/core/error.h"
#include "dis/core/log.h"
#include "dis/core/memory.h"
#include "dis/core/progress.h"
#include "dis/core/signals.h"
#include "dis/data/identifiers.h"
#include "dis/train/metrics.h"
#include "dis/train/plan.h"
#include "dis/train/schedule.h"
#include "dis/train/throughput.h"
#include "evaluations.h"
#include "initial_weights.h"
#include "run_checkpoints.h"
#include "run_folder.h"
#include "run_outputs.h"
#include "run_text.h"
#include "share_state.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

/// Against what the plan takes for the peak of this run's devices.
Throughput throughput_of(const Session& session) {
  const auto& shape = session.model->shape();
  const auto peak = session.compute.device.is_cuda()
                        ? assumed_gpu().peak
                        : assumed_cpu(at::get_num_threads(), session.compute.type == at::kBFloat16).peak;
  return {flops_per_sample(shape, passes_per_sample(shape)) * static_cast<double>(session.config.train.global_batch),
          peak * static_cast<double>(session.ranks->size())};
}

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
        evaluations_(session, request, optimiser_),
        checkpoints_(request.run, config_.train.keep_last, {ranks_, *session.model, optimiser_, loop_}),
        throughput_(throughput_of(session)) {}

  void open() {
    NamedTensors lanes;
    if (ranks_.first()) lanes = open_folder();
    ranks_.await_first();  // it may read a large data set to the end
    share_state(ranks_, state_, *session_.model, optimiser_, lanes);
    if (!ranks_.first()) restore_lanes(lanes);
    checkpoints_.found(state_);
    before_ = state_.updates;
  }

  Trained trained() const { return {before_, state_.updates}; }

  void work() {
    if (finished() && !state_.evaluation_due) {
      if (!checkpoints_.any()) save();  // of train.steps = 0
      log_info("the run is finished: " + std::to_string(state_.updates) +
               " updates; train.steps can be raised with --set");
      return;
    }
    catch_stop_signals();
    if (ranks_.first()) outputs_.emplace(request_.run, state_.updates + 1);
    if (state_.evaluation_due) {
      log_info("the evaluation after update " + std::to_string(state_.updates) + ", which was broken off");
      evaluate();
      save();
    }
    if (!state_.evaluation_due) make_batches();
    ranks_.barrier();  // rank 0 may hold the store: it leaves when all are done
    if (late_ && !finished()) {
      log_info("the time is up at update " + std::to_string(state_.updates) + " of " + std::to_string(updates_));
      return;
    }
    if (!finished() || state_.evaluation_due) {
      log_info(stopped_line(request_, state_, updates_));
      throw Stopped{ending_signal()};
    }
    log_info(closing_line(session_, request_, state_));
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
    if (request_.seen_before != nullptr) initial.seen_pairs = *request_.seen_before;
    folder_->settle(config_, *session_.data, initial.seen_tasks, initial.seen_pairs, state_.batches);
    log_to_file(request_.run / "log.txt");
    log_info(opening_line(session_, request_, state_, latest));
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

  /// To the last one, or until a signal stops it; the last one is in a checkpoint then.
  void make_batches() {
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
        stop = end_batch(own, *progress);
      } catch (const NonFinite& bad) {
        roll_back(bad.what);
        begin_progress();
      }
    }
    progress->finish();
  }

  TickRecords one_batch() {
    const auto& train = config_.train;
    const auto lanes = train.micro_batch > 0 ? train.micro_batch : train.global_batch;
    return with_memory_advice("training with " + std::to_string(lanes) + " lanes at once", smaller_batches(train),
                              [&] { return loop_.run(config_.method.num_supervision); });
  }

  /// Counters, records, evaluation and checkpoint after a batch. Whether training is to stop.
  bool end_batch(const TickRecords& own, Progress& progress) {
    state_.updates = optimiser_.updates();
    ++state_.batches;
    const auto seen =
        agree(ranks_, {find_non_finite(own).has_value(), stop_requested(), take_checkpoint_request(),
                       request_.deadline > 0.0 && steady_seconds() > request_.deadline, ended_samples(own)});
    late_ = seen.late && !seen.stop;
    state_.samples += seen.ended;
    throughput_.batch(seen.ended);
    if (state_.batches % config_.train.log_every == 0 || finished() || seen.non_finite) record(own);
    progress.update(state_.updates, progress_details(last_batch_, rates_));
    if (config_.dist.check_every > 0 && state_.batches % config_.dist.check_every == 0) check_ranks();
    state_.evaluation_due = evaluations_.due(state_.updates);
    if (seen.save) save_on_request();
    const bool best = state_.evaluation_due && !seen.stop && evaluate();
    const bool stop = seen.stop || late_ || state_.evaluation_due;
    const bool due = falls_due(config_.train.checkpoint_every, state_.updates, config_.method);
    if (due || best || checkpoints_.owes_evaluation() || stop || finished()) save();
    return stop;
  }

  void record(const TickRecords& own) {
    const auto records = gather(ranks_, own);
    if (const auto bad = find_non_finite(records)) throw NonFinite{"the loss is NaN or infinite at " + *bad};
    last_batch_ = summarise(records, config_.method.num_supervision);
    rates_ = throughput_.interval();
    if (!outputs_) return;
    outputs_->record(last_batch_, {state_.updates, state_.batches, state_.samples, optimiser_.last_rate()},
                     {rates_, peak_memory_mb(session_.compute.device), state_.seconds});
  }

  /// Back to the latest checkpoint, and on with the batch behind the present one: the data are those of the batches'
  /// numbers, so what lies between is left out. UserError: not asked for, no checkpoint, or too often.
  void roll_back(const std::string& problem) {
    constexpr std::int64_t kMostInARow = 3;
    if (config_.train.on_non_finite == OnNonFinite::stop || !checkpoints_.any()) {
      throw non_finite_error(request_, state_, problem);
    }
    if (state_.rollbacks == kMostInARow) {
      throw non_finite_error(request_, state_, problem + ", after three rollbacks in a row");
    }
    if (ranks_.first()) {
      const auto reached = state_.updates;
      const auto saved = checkpoints_.go_back(state_);
      log_warn(problem + ", in the batch that ended with update " + std::to_string(reached) +
               ": back to the checkpoint of update " + std::to_string(saved.updates) + ", without the batches " +
               std::to_string(saved.batches + 1) + " to " + std::to_string(state_.batches) + " (train.on_non_finite)");
      outputs_.reset();
      folder_->keep_metrics(saved.batches);
      outputs_.emplace(request_.run, saved.updates + 1);
      checkpoints_.keep_going_back(state_);
    }
    ranks_.await_first();
    NamedTensors lanes;  // those of the checkpoint are of samples that are left out
    share_state(ranks_, state_, *session_.model, optimiser_, lanes);
    restore_lanes({});
    checkpoints_.found(state_);
    throughput_.interval();  // begins one
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

  /// Whether this update is the best one so far, which is to be kept. A signal may leave the evaluation due.
  bool evaluate() {
    if (outputs_) outputs_->flush();  // it may take hours
    try {
      const auto score = throughput_.without([&] { return evaluations_.make(state_, [&] { save_on_request(); }); });
      if (outputs_ && score) outputs_->score(state_.updates, *score);
      return score && config_.train.keep_best && state_.best_update == state_.updates;
    } catch (const UserError&) {  // no memory, no room: what was trained is kept, and --resume begins here
      if (ranks_.size() == 1 && !checkpoints_.has(state_.updates)) save();
      throw;
    }
  }

  void save_on_request() {
    save();
    log_info("a signal asked for a checkpoint: written at update " + std::to_string(state_.updates) + ", going on");
  }

  void save() {
    if (outputs_) outputs_->sync();
    checkpoints_.save(state_);
  }

  Session& session_;
  const TrainRequest& request_;
  const RunConfig& config_;
  std::int64_t updates_;  ///< when all are made
  Optimiser optimiser_;
  const Ranks& ranks_;
  TrainingLoop loop_;
  Evaluations evaluations_;
  RunCheckpoints checkpoints_;
  Throughput throughput_;
  BatchMetrics last_batch_;  ///< that was recorded
  Rates rates_;
  std::optional<RunFolder> folder_;    ///< rank 0's
  std::optional<RunOutputs> outputs_;  ///< rank 0's, while it works
  RunState state_;
  std::int64_t before_ = 0;  ///< updates when it was opened
  bool late_ = false;        ///< the deadline has ended it
};

}  // namespace

Trained train(Session& session, const TrainRequest& request) {
  const auto lanes = session.config.train.global_batch;
  std::optional<Run> run;
  with_memory_advice("preparing " + std::to_string(lanes) + " lanes",
                     try_half(request.batch, lanes) + ", a smaller model, or more ranks", [&] {
                       run.emplace(session, request);
                       run->open();
                     });
  run->work();
  return run->trained();
}

}  // namespace dis
