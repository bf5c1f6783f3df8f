#include "dis/train/supervision.h"

#include <ATen/record_function.h>
#include <torch/torch.h>

#include "dis/model/supervision_step.h"
#include "dis/model/weights_file.h"
#include "dis/ops/cross_entropy.h"
#include "dis/train/schedule.h"
#include "lane_copies.h"

namespace dis {

LaneTensors LaneTensors::narrow(std::int64_t first, std::int64_t count) const {
  const auto part = [&](const at::Tensor& x) { return x.defined() ? x.narrow(0, first, count) : x; };
  return {part(inputs),        part(tokens),         part(labels), part(ids), part(steps), part(target),
          part(target_before), part(scale),          part(y),      part(z),   part(loss),  part(predictions),
          part(correct),       part(puzzle_gradient)};
}

SupervisionLoop::SupervisionLoop(const RunConfig& config, const Ranks& ranks, const TrainingStream& stream,
                                 FrameSource frames, Backbone& model, Optimiser& optimiser)
    : method_(config.method),
      ranks_(ranks),
      own_{config.train.global_batch / ranks.size() * ranks.rank(), config.train.global_batch / ranks.size()},
      lanes_(own_.count),
      rounds_(config, model, lanes_),
      clock_{config.train.global_batch, method_.num_supervision, method_.lanes == Lanes::staggered},
      loader_(clock_, own_, static_cast<std::uint64_t>(config.run.seed), stream, std::move(frames),
              loader_threads(model.device())),
      model_(model),
      optimiser_(optimiser),
      graph_(config.compute.cuda_graph, model.device()) {
  allocate();
}

void SupervisionLoop::allocate() {
  const auto N = method_.num_supervision, length = model_.shape().length;
  const bool accumulate = method_.update == Update::accumulated;
  const auto integers = at::TensorOptions().dtype(at::kInt).device(model_.device());
  const auto states = model_.initial_states(lanes_);
  const auto& puzzle = model_.weights().master().puzzle;
  now_.inputs = at::zeros({lanes_, length}, integers);
  for (auto* x : {&now_.tokens, &now_.labels, &now_.target, &now_.predictions}) *x = at::zeros_like(now_.inputs);
  if (method_.objective == Objective::dual) now_.target_before = at::zeros_like(now_.inputs);
  for (auto* x : {&now_.ids, &now_.steps, &now_.correct}) *x = at::zeros({lanes_}, integers);
  for (auto* x : {&now_.scale, &now_.loss}) *x = at::zeros({lanes_}, integers.dtype(at::kDouble));
  now_.y = states.y;
  now_.z = states.z;
  frames_ = at::zeros({lanes_, N + 1, length}, integers);
  if (puzzle.defined()) {
    const auto slots = accumulate ? N : 1;
    now_.puzzle_gradient = at::zeros({lanes_, puzzle.size(1)}, puzzle.options());
    puzzle_ids_ = at::zeros({slots, lanes_}, integers);
    puzzle_gradients_ = at::zeros({slots, lanes_, puzzle.size(1)}, puzzle.options());
  }

  auto steps = at::empty({N, lanes_}, at::kInt), scale = at::empty({N, lanes_}, at::kDouble);
  for (std::int64_t tick = 0; tick < N; ++tick) {
    for (std::int64_t lane = 0; lane < lanes_; ++lane) {
      const auto s = clock_.step(tick, own_.first + lane);
      steps.data_ptr<std::int32_t>()[tick * lanes_ + lane] = s;
      scale.data_ptr<double>()[tick * lanes_ + lane] = step_weight(method_.step_weights, s, N) /
                                                       static_cast<double>(clock_.lanes) /
                                                       (accumulate ? static_cast<double>(N) : 1.0);
    }
  }
  step_table_ = steps.to(model_.device());
  scale_table_ = scale.to(model_.device());
}

void SupervisionLoop::place(const LaneLoad& load) {
  const auto n = load.batch.lanes, first = load.first_lane - own_.first;
  const auto lanes = now_.narrow(first, n);
  copy_numbers(load.batch.inputs, lanes.inputs);
  copy_numbers(load.batch.labels, lanes.labels);
  copy_numbers(load.batch.puzzle_ids, lanes.ids);
  copy_numbers(load.frames, frames_.narrow(0, first, n));
  lanes.tokens.copy_(lanes.inputs);
  const auto fresh = model_.initial_states(n);
  lanes.y.copy_(fresh.y);
  lanes.z.copy_(fresh.z);
}

void SupervisionLoop::refill() {
  for (const auto& load : filled_ ? loader_.take(tick_) : loader_.take_all(tick_)) place(load);
  filled_ = true;
}

bool SupervisionLoop::updates_now() const {
  return method_.update == Update::per_step || (tick_ + 1) % method_.num_supervision == 0;
}

void SupervisionLoop::begin_tick() {
  const auto row = tick_ % method_.num_supervision;
  now_.steps.copy_(step_table_[row]);
  now_.scale.copy_(scale_table_[row]);
  if (updates_now()) optimiser_.prepare();
}

void SupervisionLoop::supervise_lanes(std::size_t worker, LaneTensors lanes) const {
  const bool stablemax = method_.loss == LossKind::stablemax;
  const auto answers = model_.shape().answers;
  const auto rows = model_.puzzle_rows(lanes.ids);
  // Autograd may keep the state until the backward pass, and must not take what other workers write to their lanes of
  // the same tensors meanwhile for a change of these: so under a version counter of its own.
  const States before{lanes.y.variable_data(), lanes.z.variable_data()};
  const auto step = supervision_step(model_, {lanes.tokens, rows, lanes.steps}, before, {.worker = worker});
  const auto post = cross_entropy(step.logits.detach(), lanes.target, lanes.scale, stablemax, answers, lanes.labels);
  torch::autograd::variable_list roots{step.logits}, gradients{post.dlogits};
  lanes.loss.copy_(post.loss);
  if (lanes.target_before.defined()) {
    // The state before the step is detached, so this term trains the readout alone; at s = 1 it reads y_init.
    const auto logits_before = model_.readout(before.y, worker);
    const auto pre = cross_entropy(logits_before.detach(), lanes.target_before, lanes.scale, stablemax, answers);
    roots.push_back(logits_before);
    gradients.push_back(pre.dlogits);
    lanes.loss.add_(pre.loss);
  }
  torch::autograd::backward(roots, gradients);
  if (rows.defined()) lanes.puzzle_gradient.copy_(rows.grad());
  lanes.predictions.copy_(post.predictions);
  lanes.correct.copy_(post.correct);
  lanes.y.copy_(step.states.y.detach());
  lanes.z.copy_(step.states.z.detach());
}

void SupervisionLoop::supervise() {
  RECORD_USER_SCOPE("supervision step");  // for profilers
  const auto N = method_.num_supervision;
  // Row of lane b's frame t_s in the frames of all lanes.
  const auto all = frames_.flatten(0, 1);
  const auto row = at::arange(0, lanes_ * (N + 1), N + 1, now_.steps.options()) + now_.steps;
  at::index_select_out(now_.target, all, 0, row);
  if (now_.target_before.defined()) at::index_select_out(now_.target_before, all, 0, row - 1);

  rounds_.run(
      [&](std::size_t worker, LaneRange lanes) { supervise_lanes(worker, now_.narrow(lanes.first, lanes.count)); });
}

void SupervisionLoop::end_tick() {
  const auto slot = method_.update == Update::accumulated ? tick_ % method_.num_supervision : 0;
  if (puzzle_ids_.defined()) {
    puzzle_ids_[slot].copy_(now_.ids);
    puzzle_gradients_[slot].copy_(now_.puzzle_gradient);
  }
  if (method_.feedback == Feedback::prediction) now_.tokens.copy_(now_.predictions);
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

TickRecords SupervisionLoop::run(std::int64_t ticks) {
  TickRecords records;
  records.lanes = lanes_;
  const auto found = at::empty({ticks, lanes_}, now_.loss.options());
  const auto counts = at::empty({2, ticks, lanes_}, now_.correct.options());
  for (std::int64_t i = 0; i < ticks; ++i, ++tick_) {
    refill();
    for (std::int64_t lane = 0; lane < lanes_; ++lane) records.step.push_back(clock_.step(tick_, own_.first + lane));
    begin_tick();
    graph_.run([&] { supervise(); });
    end_tick();
    found[i].copy_(now_.loss);
    counts[0][i].copy_(now_.correct);
    counts[1][i].copy_((now_.labels >= 0).sum(-1));
  }
  const auto loss = found.cpu();
  const auto numbers = counts.cpu();
  const auto size = static_cast<std::size_t>(ticks * lanes_);
  records.loss.assign(loss.data_ptr<double>(), loss.data_ptr<double>() + size);
  records.correct.assign(numbers.data_ptr<std::int32_t>(), numbers.data_ptr<std::int32_t>() + size);
  records.cells.assign(numbers.data_ptr<std::int32_t>() + size, numbers.data_ptr<std::int32_t>() + 2 * size);
  return records;
}

std::vector<std::pair<std::string, at::Tensor>> SupervisionLoop::state() const {
  if (method_.lanes == Lanes::lockstep || !filled_) return {};
  return {{"lanes.y", ranks_.gather(now_.y)},
          {"lanes.z", ranks_.gather(now_.z)},
          {"lanes.tokens", ranks_.gather(now_.tokens)}};
}

void SupervisionLoop::begin_anew(std::int64_t tick) {
  tick_ = tick;
  filled_ = false;
}

void SupervisionLoop::restore(std::int64_t tick, const std::vector<std::pair<std::string, at::Tensor>>& state) {
  begin_anew(tick);
  if (method_.lanes == Lanes::lockstep || tick == 0) return;
  refill();
  // Lanes in the middle of a sample go on with what the network had made of it.
  const auto in_the_middle = (step_table_[tick_ % method_.num_supervision] != 1).nonzero().squeeze(-1);
  const auto put_back = [&](const std::string& name, at::Tensor& to) {
    auto all = to.sizes().vec();
    all[0] = clock_.lanes;
    const auto& stored = tensor_called(name, state, all, to.scalar_type(), "the checkpoint's trainer.safetensors");
    const auto own = stored.narrow(0, own_.first, lanes_).to(to.device());
    to.index_copy_(0, in_the_middle, own.index_select(0, in_the_middle));
  };
  put_back("lanes.y", now_.y);
  put_back("lanes.z", now_.z);
  put_back("lanes.tokens", now_.tokens);
}

}  // namespace dis
