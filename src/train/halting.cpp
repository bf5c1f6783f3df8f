#include "dis/train/halting.h"

#include <ATen/record_function.h>
#include <torch/torch.h>

#include "dis/core/random.h"
#include "dis/model/supervision_step.h"
#include "dis/model/weights_file.h"
#include "dis/ops/cross_entropy.h"
#include "lane_copies.h"

namespace dis {
namespace {

constexpr double kHaltingWeight = 0.5;  // of the heads' losses beside the labels'

/// Binary cross-entropy of logits, per element.
at::Tensor bce(const at::Tensor& logits, const at::Tensor& target) {
  return at::binary_cross_entropy_with_logits(logits, target, {}, {}, at::Reduction::None);
}

/// Lanes that begin anew take `theirs`.
void replace(at::Tensor own, const at::Tensor& fresh, const at::Tensor& theirs) {
  auto shape = std::vector<std::int64_t>(static_cast<std::size_t>(own.dim()), 1);
  shape[0] = -1;
  own.copy_(at::where(fresh.view(shape), theirs, own));
}

}  // namespace

HaltingLanes HaltingLanes::narrow(std::int64_t first, std::int64_t count) const {
  const auto part = [&](const at::Tensor& x) { return x.defined() ? x.narrow(0, first, count) : x; };
  return {part(inputs),         part(labels),       part(ids),   part(next_inputs),
          part(next_labels),    part(next_ids),     part(steps), part(halted),
          part(floor),          part(scale),        part(y),     part(z),
          part(loss),           part(halting_loss), part(q),     part(correct),
          part(puzzle_gradient)};
}

at::Tensor continue_target(const at::Tensor& next_q, const at::Tensor& last) {
  return at::where(last, next_q.select(1, 0), next_q.amax(1)).sigmoid();
}

HaltingLoop::HaltingLoop(const RunConfig& config, const Ranks& ranks, const TrainingStream& stream, Backbone& model,
                         Optimiser& optimiser)
    : method_(config.method),
      seed_(static_cast<std::uint64_t>(config.run.seed)),
      ranks_(ranks),
      own_{config.train.global_batch / ranks.size() * ranks.rank(), config.train.global_batch / ranks.size()},
      rounds_(config, model, own_.count),
      // A clock of one step: every tick offers a row to every lane.
      loader_(
          {config.train.global_batch, 1, false}, own_, seed_, stream,
          [](std::uint64_t, const Batch&) { return std::vector<std::int32_t>(); }, loader_threads(model.device())),
      model_(model),
      optimiser_(optimiser),
      graph_(config.compute.cuda_graph, model.device()),
      fresh_(model.initial_states(1)) {
  const auto lanes = own_.count;
  const auto integers = at::TensorOptions().dtype(at::kInt).device(model_.device());
  for (auto* x : {&now_.inputs, &now_.labels, &now_.next_inputs, &now_.next_labels}) {
    *x = at::zeros({lanes, model_.shape().length}, integers);
  }
  for (auto* x : {&now_.ids, &now_.next_ids, &now_.steps, &now_.floor, &now_.correct})
    *x = at::zeros({lanes}, integers);
  now_.halted = at::ones({lanes}, integers);  // all begin
  for (auto* x : {&now_.loss, &now_.halting_loss}) *x = at::zeros({lanes}, integers.dtype(at::kDouble));
  now_.q = at::zeros({lanes, 2}, integers.dtype(at::kDouble));
  now_.scale = at::full({lanes}, 1.0 / static_cast<double>(config.train.global_batch), integers.dtype(at::kDouble));
  const auto states = model_.initial_states(lanes);
  now_.y = states.y;
  now_.z = states.z;
  const auto& puzzle = model_.weights().master().puzzle;
  if (puzzle.defined()) now_.puzzle_gradient = at::zeros({lanes, puzzle.size(1)}, puzzle.options());
}

void HaltingLoop::begin_tick() {
  for (const auto& load : loader_.take(tick_)) {
    const auto lanes = now_.narrow(load.first_lane - own_.first, load.batch.lanes);
    copy_numbers(load.batch.inputs, lanes.next_inputs);
    copy_numbers(load.batch.labels, lanes.next_labels);
    copy_numbers(load.batch.puzzle_ids, lanes.next_ids);
  }
  std::vector<std::int32_t> floor(static_cast<std::size_t>(own_.count), 0);
  const auto N = static_cast<std::uint32_t>(method_.num_supervision);
  for (std::size_t lane = 0; lane < floor.size() && N > 1; ++lane) {
    Draws draws(seed_, Purpose::exploration, static_cast<std::uint64_t>(tick_),
                static_cast<std::uint64_t>(own_.first) + lane);
    if (draws.uniform() < method_.halt_exploration) floor[lane] = 2 + static_cast<std::int32_t>(draws.below(N - 1));
  }
  copy_numbers(floor, now_.floor);
  optimiser_.prepare();
}

void HaltingLoop::supervise_lanes(std::size_t worker, const HaltingLanes& lanes) const {
  const auto rows = model_.puzzle_rows(lanes.ids);
  // Under a version counter of its own, as in SupervisionLoop::supervise_lanes.
  const States before{lanes.y.variable_data(), lanes.z.variable_data()};
  const StepInput in{lanes.inputs, rows, lanes.steps};
  const auto step = supervision_step(model_, in, before, {.worker = worker, .halting = true});
  const auto post = cross_entropy(step.logits.detach(), lanes.labels, lanes.scale, method_.loss == LossKind::stablemax,
                                  model_.shape().answers, lanes.labels);

  // The heads' losses and their gradients, by hand: d BCE / d logit = sigmoid - target.
  const auto known = step.halting.detach().to(at::kDouble);
  auto target = known.sigmoid();  // without gradient: TRM's continue head
  auto halt = target.select(1, 0);
  halt.copy_(post.correct == (lanes.labels >= 0).sum(-1));  // also a sample without any label counts as solved
  const States next{step.states.y.detach(), step.states.z.detach()};
  auto halting_loss = bce(known.select(1, 0), halt);
  if (method_.algorithm == Algorithm::hrm) {
    const at::NoGradGuard no_grad;
    const auto ahead = supervision_step(model_, in, next, {.worker = worker, .answer = false, .halting = true});
    target.select(1, 1).copy_(continue_target(ahead.halting.to(at::kDouble), lanes.steps >= method_.num_supervision));
    halting_loss = halting_loss + bce(known.select(1, 1), target.select(1, 1));
  }
  const auto dq = (known.sigmoid() - target) * (kHaltingWeight * lanes.scale).unsqueeze(1);
  torch::autograd::backward({step.logits, step.halting}, {post.dlogits, dq.to(step.halting.scalar_type())});

  if (rows.defined()) lanes.puzzle_gradient.copy_(rows.grad());
  lanes.loss.copy_(post.loss);
  lanes.halting_loss.copy_(halting_loss);
  lanes.q.copy_(known);
  lanes.correct.copy_(post.correct);
  lanes.y.copy_(next.y);
  lanes.z.copy_(next.z);
}

void HaltingLoop::supervise() {
  RECORD_USER_SCOPE("supervision step");  // for profilers
  const auto fresh = now_.halted != 0;
  replace(now_.inputs, fresh, now_.next_inputs);
  replace(now_.labels, fresh, now_.next_labels);
  replace(now_.ids, fresh, now_.next_ids);
  replace(now_.y, fresh, fresh_.y);
  replace(now_.z, fresh, fresh_.z);
  now_.steps.copy_(now_.steps * (1 - now_.halted) + 1);

  rounds_.run(
      [&](std::size_t worker, LaneRange lanes) { supervise_lanes(worker, now_.narrow(lanes.first, lanes.count)); });

  const auto wants = model_.halt_decision(now_.q) > 0.0;
  now_.halted.copy_((now_.steps >= method_.num_supervision) | (wants & (now_.steps >= now_.floor)));
}

void HaltingLoop::end_tick() {
  rounds_.sum_gradients(ranks_);
  if (!now_.puzzle_gradient.defined()) return optimiser_.apply({}, {});
  optimiser_.apply(ranks_.gather(now_.ids), ranks_.gather(now_.puzzle_gradient));
}

TickRecords HaltingLoop::run(std::int64_t ticks) {
  const auto found = at::empty({4, ticks, own_.count}, now_.loss.options());
  const auto counts = at::empty({4, ticks, own_.count}, now_.correct.options());
  for (std::int64_t i = 0; i < ticks; ++i, ++tick_) {
    begin_tick();
    graph_.run([&] { supervise(); });
    end_tick();
    found.select(1, i).copy_(at::stack({now_.loss, now_.halting_loss, now_.q.select(1, 0), now_.q.select(1, 1)}));
    counts.select(1, i).copy_(
        at::stack({now_.steps, now_.correct, (now_.labels >= 0).sum(-1).to(at::kInt), now_.halted}));
  }
  const auto size = static_cast<std::size_t>(ticks * own_.count);
  const auto list = [&]<class T>(const at::Tensor& all, std::size_t which, T) {
    const auto* begin = all.data_ptr<T>() + which * size;
    return std::vector<T>(begin, begin + size);
  };
  const auto reals = found.cpu(), integers = counts.cpu();
  constexpr std::int32_t kInteger = 0;
  return {own_.count,
          list(integers, 0, kInteger),
          list(reals, 0, 0.0),
          list(integers, 1, kInteger),
          list(integers, 2, kInteger),
          list(integers, 3, kInteger),
          list(reals, 1, 0.0),
          list(reals, 2, 0.0),
          list(reals, 3, 0.0)};
}

std::vector<std::pair<std::string, at::Tensor>> HaltingLoop::kept() const {
  return {{"lanes.y", now_.y},           {"lanes.z", now_.z},     {"lanes.inputs", now_.inputs},
          {"lanes.labels", now_.labels}, {"lanes.ids", now_.ids}, {"lanes.steps", now_.steps},
          {"lanes.halted", now_.halted}};
}

std::vector<std::pair<std::string, at::Tensor>> HaltingLoop::state() const {
  auto tensors = kept();
  for (auto& [name, tensor] : tensors) tensor = ranks_.gather(tensor);
  return tensors;
}

void HaltingLoop::begin_anew(std::int64_t tick) {
  tick_ = tick;
  now_.halted.fill_(1);
}

void HaltingLoop::restore(std::int64_t tick, const std::vector<std::pair<std::string, at::Tensor>>& state) {
  tick_ = tick;
  for (auto& [name, tensor] : kept()) {
    auto all = tensor.sizes().vec();
    all[0] *= ranks_.size();
    tensor.copy_(tensor_called(name, state, all, tensor.scalar_type(), "the checkpoint's trainer.safetensors")
                     .narrow(0, own_.first, own_.count));
  }
}

}  // namespace dis
