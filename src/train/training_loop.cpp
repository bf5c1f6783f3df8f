#include "dis/train/training_loop.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <algorithm>

#include "dis/model/weights_file.h"
#include "lane_copies.h"
#include "tick_recorder.h"

namespace dis {
namespace {

LaneRange lanes_of(const RunConfig& config, const Ranks& ranks) {
  const auto count = config.train.global_batch / ranks.size();
  return {count * ranks.rank(), count};
}

std::unique_ptr<LaneMethod> method_of(const RunConfig& config, LaneRange own, Backbone& model,
                                      const TargetGenerator* live) {
  return config.method.algorithm == Algorithm::dis ? dis_method(config, own, model, live)
                                                   : halting_method(config, model);
}

/// Targets are drawn ahead for methods that have a place for them.
FrameSource if_wanted(const std::vector<LaneField>& fields, FrameSource frames) {
  if (std::ranges::any_of(fields, [](const LaneField& field) { return field.row == LaneRow::frames; })) return frames;
  return [](std::uint64_t, const Batch&) { return std::vector<std::int32_t>(); };
}

std::vector<LaneField> all_fields(const LaneMethod& method, const Backbone& model) {
  auto fields = method.fields();
  if (model.weights().master().puzzle.defined()) {
    fields.push_back({"puzzle_gradient", &LaneTensors::puzzle_gradient, LaneRow::puzzle, at::kFloat});
  }
  return fields;
}

}  // namespace

TrainingLoop::TrainingLoop(const RunConfig& config, const Ranks& ranks, const TrainingStream& stream,
                           TargetSource targets, Backbone& model, Optimiser& optimiser)
    : ranks_(ranks),
      own_(lanes_of(config, ranks)),
      model_(model),
      optimiser_(optimiser),
      rounds_(config, model, own_.count),
      method_(method_of(config, own_, model, targets.live)),
      ticks_per_update_(method_->ticks_per_update()),
      fields_(all_fields(*method_, model)),
      loader_(method_->clock(), own_, static_cast<std::uint64_t>(config.run.seed), stream,
              if_wanted(fields_, std::move(targets.frames)), loader_threads(model.device())),
      graph_(config.compute.cuda_graph, model.device()) {
  const auto options = at::TensorOptions().device(model.device()).dtype(model.weights().compute_type());
  now_ = allocate_lanes(fields_, model.shape(), own_.count, options);
  if (now_.puzzle_gradient.defined()) {
    puzzle_ids_ = at::zeros({ticks_per_update_, own_.count}, now_.ids.options());
    puzzle_gradients_ =
        at::zeros({ticks_per_update_, own_.count, now_.puzzle_gradient.size(1)}, now_.puzzle_gradient.options());
  }
  method_->begin(now_);
}

void TrainingLoop::refill() {
  for (const auto& load : filled_ ? loader_.take(tick_) : loader_.take_all(tick_)) {
    method_->place(load, narrow_lanes(fields_, now_, load.first_lane - own_.first, load.batch.lanes));
  }
  filled_ = true;
}

void TrainingLoop::supervise() {
  RECORD_USER_SCOPE("supervision step");  // for profilers
  method_->prepare(now_);
  rounds_.run([&](std::size_t worker, LaneRange lanes) {
    method_->supervise(worker, narrow_lanes(fields_, now_, lanes.first, lanes.count));
  });
  method_->finish(now_);
}

void TrainingLoop::end_tick() {
  if (puzzle_ids_.defined()) {
    const auto slot = tick_ % ticks_per_update_;
    puzzle_ids_[slot].copy_(now_.ids);
    puzzle_gradients_[slot].copy_(now_.puzzle_gradient);
  }
  if (!updates_now()) return;
  rounds_.sum_gradients(ranks_);
  if (!puzzle_ids_.defined()) return optimiser_.apply({}, {});
  // Slot by slot, each with the lanes of all ranks in their order.
  const auto everywhere = [&](const at::Tensor& x) {
    const auto all = ranks_.gather(x);  // [ranks slots, own lanes, ..]
    if (x.size(0) == 1) return all.flatten(0, 1);
    return all.unflatten(0, {ranks_.size(), x.size(0)}).transpose(0, 1).flatten(0, 2).contiguous();
  };
  optimiser_.apply(everywhere(puzzle_ids_), everywhere(puzzle_gradients_));
}

TickRecords TrainingLoop::run(std::int64_t ticks) {
  TickRecorder recorder(ticks, own_.count, now_);
  for (std::int64_t i = 0; i < ticks; ++i, ++tick_) {
    refill();
    method_->begin_tick(tick_, own_, now_);
    if (updates_now()) optimiser_.prepare();
    graph_.run([&] { supervise(); });
    end_tick();
    recorder.add(i, now_);
  }
  return recorder.records();
}

std::vector<std::pair<std::string, at::Tensor>> TrainingLoop::state() const {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& field : fields_) {
    if (field.kept && filled_)
      tensors.emplace_back("lanes." + std::string(field.name), ranks_.gather(now_.*field.tensor));
  }
  return tensors;
}

void TrainingLoop::begin_anew(std::int64_t tick) {
  tick_ = tick;
  filled_ = false;
  method_->begin(now_);
}

void TrainingLoop::restore(std::int64_t tick, const std::vector<std::pair<std::string, at::Tensor>>& state) {
  begin_anew(tick);
  if (tick == 0 || std::ranges::none_of(fields_, &LaneField::kept)) return;
  refill();
  const auto middle = at::tensor(method_->in_the_middle(tick, own_), at::kLong).to(model_.device());
  for (const auto& field : fields_) {
    if (!field.kept) continue;
    auto& to = now_.*field.tensor;
    auto all = to.sizes().vec();
    all[0] *= ranks_.size();
    const auto& stored = tensor_called("lanes." + std::string(field.name), state, all, to.scalar_type(),
                                       "the checkpoint's trainer.safetensors");
    const auto own = stored.narrow(0, own_.first, own_.count).to(to.device());
    to.index_copy_(0, middle, own.index_select(0, middle));
  }
}

}  // namespace dis
