#include "dis/train/supervision.h"

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <thread>

#include "dis/model/weights_file.h"
#include "dis/ops/cross_entropy.h"
#include "dis/train/schedule.h"

namespace dis {
namespace {

/// A copy on `device` of plain numbers.
at::Tensor to_tensor(const std::vector<std::int32_t>& values, at::IntArrayRef shape, at::Device device) {
  return torch::tensor(values, at::kInt).view(shape).to(device);
}

/// A GPU waits for its samples; on the CPU the cores have other work, and drawing is a small part of it.
std::size_t loader_threads(at::Device device) {
  return device.is_cpu() ? 1 : std::clamp<std::size_t>(std::thread::hardware_concurrency() / 2, 1, 8);
}

}  // namespace

SupervisionLoop::SupervisionLoop(const MethodConfig& method, const TrainConfig& train, std::uint64_t seed,
                                 const TrainingStream& stream, FrameSource frames, Backbone& model,
                                 Optimiser& optimiser)
    : method_(method),
      lanes_(train.global_batch),
      micro_batch_(train.micro_batch > 0 ? train.micro_batch : train.global_batch),
      clock_{lanes_, method.num_supervision, method.lanes == Lanes::staggered},
      loader_(clock_, seed, stream, std::move(frames), loader_threads(model.device())),
      model_(model),
      optimiser_(optimiser),
      steps_(static_cast<std::size_t>(train.global_batch)) {}

void SupervisionLoop::place(const LaneLoad& load) {
  const auto n = load.batch.lanes, length = load.batch.length, N = method_.num_supervision;
  const auto device = model_.device();
  const auto lanes = [&](const at::Tensor& all) { return all.narrow(0, load.first_lane, n); };
  lanes(inputs_).copy_(to_tensor(load.batch.inputs, {n, length}, device));
  lanes(labels_).copy_(to_tensor(load.batch.labels, {n, length}, device));
  lanes(frames_).copy_(to_tensor(load.frames, {n, N + 1, length}, device));
  lanes(ids_).copy_(to_tensor(load.batch.puzzle_ids, {n}, device));
  lanes(tokens_).copy_(lanes(inputs_));
  const auto fresh = model_.initial_states(n);
  lanes(states_.y).copy_(fresh.y);
  lanes(states_.z).copy_(fresh.z);
}

void SupervisionLoop::refill() {
  for (std::int64_t lane = 0; lane < lanes_; ++lane) {
    steps_[static_cast<std::size_t>(lane)] = clock_.step(tick_, lane);
  }
  if (!filled_) {
    const auto options = at::TensorOptions().dtype(at::kInt).device(model_.device());
    const auto length = model_.shape().length;
    inputs_ = at::empty({lanes_, length}, options);
    labels_ = at::empty_like(inputs_);
    tokens_ = at::empty_like(inputs_);
    frames_ = at::empty({lanes_, method_.num_supervision + 1, length}, options);
    ids_ = at::empty({lanes_}, options);
    states_ = model_.initial_states(lanes_);
  }
  for (const auto& load : filled_ ? loader_.take(tick_) : loader_.take_all(tick_)) place(load);
  filled_ = true;
}

SupervisionLoop::Piece SupervisionLoop::supervise_piece(std::size_t worker, const at::Tensor& tokens,
                                                        const at::Tensor& ids, const at::Tensor& steps,
                                                        const States& before, const at::Tensor& target,
                                                        const at::Tensor& target_before,
                                                        const at::Tensor& scale) const {
  const bool stablemax = method_.loss == LossKind::stablemax;
  const auto answers = model_.shape().answers;
  const auto puzzle_rows = model_.puzzle_rows(ids);
  const auto x = model_.input(tokens.contiguous(), puzzle_rows, steps, worker);
  const auto after = model_.latent_reasoning(x, before, worker);
  const auto logits = model_.readout(after.y, worker);
  const auto post = cross_entropy(logits.detach(), target, scale, stablemax, answers);
  torch::autograd::variable_list roots{logits}, gradients{post.dlogits};
  auto loss = post.loss;
  if (target_before.defined()) {
    // The state before the step is detached, so this term trains the readout alone; at s = 1 it reads y_init.
    const auto logits_before = model_.readout(before.y, worker);
    const auto pre = cross_entropy(logits_before.detach(), target_before, scale, stablemax, answers);
    roots.push_back(logits_before);
    gradients.push_back(pre.dlogits);
    loss = loss + pre.loss;
  }
  torch::autograd::backward(roots, gradients);
  return {loss,
          post.predictions,
          puzzle_rows.defined() ? puzzle_rows.grad() : at::Tensor(),
          {after.y.detach(), after.z.detach()}};
}

void SupervisionLoop::supervise() {
  const auto N = method_.num_supervision;
  const auto device = model_.device();
  const bool accumulate = method_.update == Update::accumulated;

  std::vector<double> weights(steps_.size());
  std::vector<std::int32_t> rows(steps_.size()), rows_before(steps_.size());  // of each lane's frames t_s, t_{s-1}
  for (std::size_t lane = 0; lane < steps_.size(); ++lane) {
    weights[lane] = step_weight(method_.step_weights, steps_[lane], N) / static_cast<double>(lanes_) /
                    (accumulate ? static_cast<double>(N) : 1.0);
    rows[lane] = static_cast<std::int32_t>(static_cast<std::int64_t>(lane) * (N + 1)) + steps_[lane];
    rows_before[lane] = rows[lane] - 1;
  }
  const auto scale = torch::tensor(weights, at::kDouble).to(device);
  const auto steps = to_tensor(steps_, {lanes_}, device);
  const auto flat_frames = frames_.flatten(0, 1);
  const auto target = flat_frames.index_select(0, to_tensor(rows, {lanes_}, device));
  const auto target_before = method_.objective == Objective::dual
                                 ? flat_frames.index_select(0, to_tensor(rows_before, {lanes_}, device))
                                 : at::Tensor();

  // Each micro-batch is split among workers, one thread each: threads that share the lanes scale better than threads
  // that share every operation. A GPU has one worker.
  const auto workers = device.is_cpu() ? std::min<std::int64_t>(at::get_num_threads(), micro_batch_) : 1;
  model_.weights().add_workers(static_cast<std::size_t>(workers));
  std::vector<at::Tensor> losses, predictions, row_gradients, ys, zs;
  for (std::int64_t begin = 0; begin < lanes_; begin += micro_batch_) {
    const auto size = std::min(micro_batch_, lanes_ - begin);
    const auto pieces = std::min(workers, size);
    std::vector<Piece> results(static_cast<std::size_t>(pieces));
    at::parallel_for(0, pieces, 1, [&](std::int64_t from, std::int64_t to) {
      for (auto piece = from; piece < to; ++piece) {
        const auto first = begin + size * piece / pieces, last = begin + size * (piece + 1) / pieces;
        const auto part = [&](const at::Tensor& x) { return x.defined() ? x.narrow(0, first, last - first) : x; };
        results[static_cast<std::size_t>(piece)] =
            supervise_piece(static_cast<std::size_t>(piece), part(tokens_), part(ids_), part(steps),
                            {part(states_.y), part(states_.z)}, part(target), part(target_before), part(scale));
      }
    });
    for (auto& r : results) {
      losses.push_back(r.loss);
      predictions.push_back(r.predictions);
      if (r.row_gradient.defined()) row_gradients.push_back(r.row_gradient);
      ys.push_back(r.after.y);
      zs.push_back(r.after.z);
    }
  }
  const auto join = [](const std::vector<at::Tensor>& parts) { return parts.size() == 1 ? parts[0] : at::cat(parts); };
  states_ = {join(ys), join(zs)};
  const auto predicted = join(predictions);
  if (!row_gradients.empty()) {
    puzzle_ids_.push_back(ids_.clone());
    puzzle_gradients_.push_back(join(row_gradients));
  }
  losses_.push_back(join(losses));
  corrects_.push_back(((predicted == labels_) & (labels_ >= 0)).sum(-1).to(at::kInt));

  model_.weights().collect_gradients();
  if (!accumulate || (tick_ + 1) % N == 0) {
    const bool puzzles = !puzzle_gradients_.empty();
    optimiser_.update(puzzles ? join(puzzle_ids_) : at::Tensor(), puzzles ? join(puzzle_gradients_) : at::Tensor());
    puzzle_ids_.clear();
    puzzle_gradients_.clear();
  }
  if (method_.feedback == Feedback::prediction) tokens_ = predicted;
}

TickRecords SupervisionLoop::run(std::int64_t ticks) {
  TickRecords records;
  records.lanes = lanes_;
  losses_.clear();
  corrects_.clear();
  std::vector<at::Tensor> cells;
  for (std::int64_t i = 0; i < ticks; ++i, ++tick_) {
    refill();
    records.step.insert(records.step.end(), steps_.begin(), steps_.end());
    cells.push_back((labels_ >= 0).sum(-1).to(at::kInt));
    supervise();
  }
  const auto loss = at::stack(losses_).cpu().contiguous();
  const auto counts = at::stack({at::stack(corrects_), at::stack(cells)}).cpu().contiguous();
  const auto size = static_cast<std::size_t>(ticks * lanes_);
  records.loss.assign(loss.data_ptr<double>(), loss.data_ptr<double>() + size);
  records.correct.assign(counts.data_ptr<std::int32_t>(), counts.data_ptr<std::int32_t>() + size);
  records.cells.assign(counts.data_ptr<std::int32_t>() + size, counts.data_ptr<std::int32_t>() + 2 * size);
  return records;
}

std::vector<std::pair<std::string, at::Tensor>> SupervisionLoop::state() const {
  if (method_.lanes == Lanes::lockstep || !filled_) return {};
  return {{"lanes.y", states_.y}, {"lanes.z", states_.z}, {"lanes.tokens", tokens_}};
}

void SupervisionLoop::restore(std::int64_t tick, const std::vector<std::pair<std::string, at::Tensor>>& state) {
  tick_ = tick;
  filled_ = false;
  if (method_.lanes == Lanes::lockstep || tick == 0) return;
  refill();
  // Lanes in the middle of a sample go on with what the network had made of it.
  const auto in_the_middle = (to_tensor(steps_, {lanes_}, model_.device()) != 1).nonzero().squeeze(-1);
  const auto put_back = [&](const std::string& name, at::Tensor& to) {
    const auto& stored =
        tensor_called(name, state, to.sizes(), to.scalar_type(), "the checkpoint's trainer.safetensors");
    to.index_copy_(0, in_the_middle, stored.to(to.device()).index_select(0, in_the_middle));
  };
  put_back("lanes.y", states_.y);
  put_back("lanes.z", states_.z);
  put_back("lanes.tokens", tokens_);
}

}  // namespace dis
