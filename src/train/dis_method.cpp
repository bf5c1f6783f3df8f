// DIS: each step is taught its own frame (method section 3).
//
// Lane i stands at supervision step s = (tick + phase_i) mod N + 1; in `lockstep` every phase is 0, in `staggered`
// phase_i = floor(i N / B), so that at every tick a share of the lanes takes new samples. Which sample: number
// k = (tick + phase_i) div N of lane i is example k B + i of the training stream. All of it is a function of the tick,
// so a run can stop and go on between any two.
#include <torch/torch.h>

#include "dis/model/loss_of.h"
#include "dis/model/supervision_step.h"
#include "dis/ops/cross_entropy.h"
#include "dis/ops/reference.h"
#include "dis/train/lane_method.h"
#include "dis/train/schedule.h"
#include "lane_copies.h"

namespace dis {
namespace {

class DisMethod : public LaneMethod {
 public:
  DisMethod(const RunConfig& config, LaneRange own, Backbone& model, const TargetGenerator* live)
      : method_(config.method),
        clock_{config.train.global_batch, method_.num_supervision, method_.lanes == Lanes::staggered},
        draws_(trained_draws(method_, static_cast<std::uint64_t>(config.run.seed))),
        model_(model),
        live_(live) {
    const auto N = method_.num_supervision;
    auto steps = at::empty({N, own.count}, at::kInt), scale = at::empty({N, own.count}, at::kDouble);
    for (std::int64_t tick = 0; tick < N; ++tick) {
      for (std::int64_t lane = 0; lane < own.count; ++lane) {
        const auto s = clock_.step(tick, own.first + lane);
        steps.data_ptr<std::int32_t>()[tick * own.count + lane] = s;
        scale.data_ptr<double>()[tick * own.count + lane] = step_weight(method_.step_weights, s, N) /
                                                            static_cast<double>(clock_.lanes) /
                                                            static_cast<double>(ticks_per_update());
      }
    }
    step_table_ = steps.to(model_.device());
    scale_table_ = scale.to(model_.device());
  }

  std::vector<LaneField> fields() const override {
    using L = LaneTensors;
    const bool kept = method_.lanes == Lanes::staggered;  // in lockstep batches end with all samples
    std::vector<LaneField> fields = {{"y", &L::y, LaneRow::state, at::kFloat, kept},
                                     {"z", &L::z, LaneRow::state, at::kFloat, kept},
                                     {"tokens", &L::tokens, LaneRow::cells, at::kInt, kept},
                                     {"inputs", &L::inputs, LaneRow::cells},
                                     {"labels", &L::labels, LaneRow::cells},
                                     {"ids", &L::ids},
                                     {"steps", &L::steps},
                                     {"target", &L::target, LaneRow::cells},
                                     {"scale", &L::scale, LaneRow::number, at::kDouble},
                                     {"loss", &L::loss, LaneRow::number, at::kDouble},
                                     {"predictions", &L::predictions, LaneRow::cells},
                                     {"correct", &L::correct}};
    if (draws_.any()) fields.push_back({"sample", &L::sample, LaneRow::number, at::kLong});
    if (live_ == nullptr) fields.push_back({"frames", &L::frames, LaneRow::frames});
    if (method_.objective == Objective::dual) {
      fields.push_back({"target_before", &L::target_before, LaneRow::cells});
    }
    return fields;
  }

  LaneClock clock() const override { return clock_; }
  std::int64_t ticks_per_update() const override {
    return method_.update == Update::accumulated ? method_.num_supervision : 1;
  }

  void place(const LaneLoad& load, const LaneTensors& lanes) const override {
    copy_numbers(load.batch.inputs, lanes.inputs);
    copy_numbers(load.batch.labels, lanes.labels);
    copy_numbers(load.batch.puzzle_ids, lanes.ids);
    if (live_ == nullptr) copy_numbers(load.frames, lanes.frames);
    lanes.tokens.copy_(lanes.inputs);
    if (lanes.sample.defined()) lanes.sample.copy_(sample_numbers(load.first_sample, lanes.sample));
    const auto fresh = model_.initial_states(load.batch.lanes, draws_.with_keys(lanes.sample));
    lanes.y.copy_(fresh.y);
    lanes.z.copy_(fresh.z);
  }

  void begin_tick(std::int64_t tick, LaneRange, const LaneTensors& lanes) const override {
    const auto row = tick % method_.num_supervision;
    lanes.steps.copy_(step_table_[row]);
    lanes.scale.copy_(scale_table_[row]);
  }

  void prepare(const LaneTensors& lanes) const override {
    if (live_ != nullptr) return;  // when the readout before the step is known
    // Row of lane b's frame t_s in the frames of all lanes.
    const auto all = lanes.frames.flatten(0, 1);
    const auto each = lanes.frames.size(1);
    const auto row = at::arange(0, all.size(0), each, lanes.steps.options()) + lanes.steps;
    auto target = lanes.target, before = lanes.target_before;
    at::index_select_out(target, all, 0, row);
    if (before.defined()) at::index_select_out(before, all, 0, row - 1);
  }

  void supervise(std::size_t worker, const LaneTensors& lanes) const override {
    const auto loss = loss_of(method_);
    const auto answers = model_.shape().answers;
    const auto rows = model_.puzzle_embeddings(lanes.ids);
    // Autograd may keep the state until the backward pass, and must not take what other workers write to their lanes of
    // the same tensors meanwhile for a change of these: so under a version counter of its own.
    const States before{lanes.y.variable_data(), lanes.z.variable_data()};
    if (live_ != nullptr) make_targets(lanes, before.y);
    const auto draws = draws_.with_keys(lanes.sample);
    const auto step = supervision_step(model_, {lanes.tokens, rows, lanes.steps}, before,
                                       {.worker = worker, .draws = draws_.any() ? &draws : nullptr});
    const auto post = cross_entropy(step.logits.detach(), lanes.target, lanes.scale, loss, answers, lanes.labels);
    torch::autograd::variable_list roots{step.logits}, gradients{post.dlogits};
    lanes.loss.copy_(post.loss);
    if (lanes.target_before.defined()) {
      // The state before the step is detached, so this term trains the readout alone; at s = 1 it reads y_init.
      const auto logits_before = model_.readout(before.y, worker);
      const auto pre = cross_entropy(logits_before.detach(), lanes.target_before, lanes.scale, loss, answers);
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

  void finish(const LaneTensors& lanes) const override {
    if (method_.feedback == Feedback::prediction) lanes.tokens.copy_(lanes.predictions);
  }

  std::vector<std::int64_t> in_the_middle(std::int64_t tick, LaneRange own) const override {
    std::vector<std::int64_t> lanes;
    for (std::int64_t lane = 0; lane < own.count; ++lane) {
      if (clock_.step(tick, own.first + lane) != 1) lanes.push_back(lane);
    }
    return lanes;
  }

 private:
  /// Targets of lanes from what the network answers before the step, in the state y [B, S, D].
  void make_targets(const LaneTensors& lanes, const at::Tensor& y) const {
    const at::NoGradGuard no_grad;
    const auto cells = model_.readout(y).slice(1, model_.shape().config.puzzle_emb_len);  // [B, L, V]
    const auto log_p = reference::log_probabilities(cells, loss_of(method_));             // [B, L, V]
    const auto label = lanes.labels.clamp_min(0).to(at::kLong).unsqueeze(-1);
    const NetworkView view{lanes.inputs, lanes.labels, lanes.steps, log_p.gather(-1, label).squeeze(-1)};
    lanes.target.copy_(live_->frame(view, lanes.steps));
    if (lanes.target_before.defined()) lanes.target_before.copy_(live_->frame(view, lanes.steps - 1));
  }

  MethodConfig method_;
  LaneClock clock_;
  StateDraws draws_;
  Backbone& model_;
  const TargetGenerator* live_;
  at::Tensor step_table_, scale_table_;  // [N, B]: steps and scale of the ticks 0..N-1; later ones repeat them
};

}  // namespace

std::unique_ptr<LaneMethod> dis_method(const RunConfig& config, LaneRange own, Backbone& model,
                                       const TargetGenerator* live) {
  return std::make_unique<DisMethod>(config, own, model, live);
}

}  // namespace dis
