// The baselines with halting (method sections 6 and 7): TRM, and HRM with its second stack.
//
// At every tick each lane makes one supervision step towards its label, and the weights are updated. The halting head
// learns whether all labelled cells are right; a lane whose sample is done (q_halt > 0 of TRM, q_halt > q_continue of
// HRM, or s = N_sup) takes its row of the next tick's global batch with fresh y and z: example (tick) B + lane of the
// training stream. The rows that are offered to running lanes are skipped. With probability method.halt_exploration a
// lane may not halt before a step drawn from 2..N_sup, anew at every tick.
#include <torch/torch.h>

#include <numeric>

#include "dis/core/random.h"
#include "dis/model/loss_of.h"
#include "dis/model/supervision_step.h"
#include "dis/ops/cross_entropy.h"
#include "dis/train/lane_method.h"
#include "lane_copies.h"

namespace dis {
namespace {

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

class HaltingMethod : public LaneMethod {
 public:
  HaltingMethod(const RunConfig& config, Backbone& model)
      : method_(config.method),
        lanes_(config.train.global_batch),
        seed_(static_cast<std::uint64_t>(config.run.seed)),
        draws_(trained_draws(method_, seed_)),
        model_(model),
        fresh_(model.initial_states(1)) {}

  std::vector<LaneField> fields() const override {
    using L = LaneTensors;
    std::vector<LaneField> drawn;
    if (draws_.any()) {
      drawn = {{"sample", &L::sample, LaneRow::number, at::kLong, true},
               {"next_sample", &L::next_sample, LaneRow::number, at::kLong}};
    }
    drawn.insert(drawn.end(), {{"y", &L::y, LaneRow::state, at::kFloat, true},
                               {"z", &L::z, LaneRow::state, at::kFloat, true},
                               {"inputs", &L::inputs, LaneRow::cells, at::kInt, true},
                               {"labels", &L::labels, LaneRow::cells, at::kInt, true},
                               {"ids", &L::ids, LaneRow::number, at::kInt, true},
                               {"steps", &L::steps, LaneRow::number, at::kInt, true},
                               {"halted", &L::halted, LaneRow::number, at::kInt, true},
                               {"next_inputs", &L::next_inputs, LaneRow::cells},
                               {"next_labels", &L::next_labels, LaneRow::cells},
                               {"next_ids", &L::next_ids},
                               {"floor", &L::floor},
                               {"scale", &L::scale, LaneRow::number, at::kDouble},
                               {"loss", &L::loss, LaneRow::number, at::kDouble},
                               {"halting_loss", &L::halting_loss, LaneRow::number, at::kDouble},
                               {"q", &L::q, LaneRow::heads, at::kDouble},
                               {"correct", &L::correct}});
    return drawn;
  }

  // A clock of one step: every tick offers a row to every lane.
  LaneClock clock() const override { return {lanes_, 1, false}; }

  void begin(const LaneTensors& lanes) const override {
    lanes.halted.fill_(1);
    lanes.scale.fill_(1.0 / static_cast<double>(lanes_));
  }

  void place(const LaneLoad& load, const LaneTensors& lanes) const override {
    copy_numbers(load.batch.inputs, lanes.next_inputs);
    copy_numbers(load.batch.labels, lanes.next_labels);
    copy_numbers(load.batch.puzzle_ids, lanes.next_ids);
    if (lanes.next_sample.defined()) lanes.next_sample.copy_(sample_numbers(load.first_sample, lanes.next_sample));
  }

  void begin_tick(std::int64_t tick, LaneRange own, const LaneTensors& lanes) const override {
    std::vector<std::int32_t> floor(static_cast<std::size_t>(own.count), 0);
    const auto N = static_cast<std::uint32_t>(method_.num_supervision);
    for (std::size_t lane = 0; lane < floor.size() && N > 1; ++lane) {
      Draws draws(seed_, Purpose::exploration, static_cast<std::uint64_t>(tick),
                  static_cast<std::uint64_t>(own.first) + lane);
      if (draws.uniform() < method_.halt_exploration) floor[lane] = 2 + static_cast<std::int32_t>(draws.below(N - 1));
    }
    copy_numbers(floor, lanes.floor);
  }

  void prepare(const LaneTensors& lanes) const override {
    const auto fresh = lanes.halted != 0;
    replace(lanes.inputs, fresh, lanes.next_inputs);
    replace(lanes.labels, fresh, lanes.next_labels);
    replace(lanes.ids, fresh, lanes.next_ids);
    if (lanes.sample.defined()) replace(lanes.sample, fresh, lanes.next_sample);
    const auto begun = draws_.random_start ? random_states(draws_.with_keys(lanes.sample), {lanes.y, lanes.z}) : fresh_;
    replace(lanes.y, fresh, begun.y);
    replace(lanes.z, fresh, begun.z);
    lanes.steps.copy_(lanes.steps * (1 - lanes.halted) + 1);
  }

  void supervise(std::size_t worker, const LaneTensors& lanes) const override {
    const auto rows = model_.puzzle_embeddings(lanes.ids);
    // Under a version counter of its own, as in dis_method.cpp.
    const States before{lanes.y.variable_data(), lanes.z.variable_data()};
    const StepInput in{lanes.inputs, rows, lanes.steps};
    const auto draws = draws_.with_keys(lanes.sample);
    const auto* drawn = draws_.any() ? &draws : nullptr;
    const auto step = supervision_step(model_, in, before, {.worker = worker, .halting = true, .draws = drawn});
    const auto post = cross_entropy(step.logits.detach(), lanes.labels, lanes.scale, loss_of(method_),
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
      const auto ahead = supervision_step(model_, {in.tokens, in.puzzle, in.number + 1}, next,
                                          {.worker = worker, .answer = false, .halting = true, .draws = drawn});
      target.select(1, 1).copy_(continue_target(ahead.halting.to(at::kDouble), lanes.steps >= method_.num_supervision));
      halting_loss = halting_loss + bce(known.select(1, 1), target.select(1, 1));
    }
    const auto dq = (known.sigmoid() - target) * (method_.halting_weight * lanes.scale).unsqueeze(1);
    torch::autograd::backward({step.logits, step.halting}, {post.dlogits, dq.to(step.halting.scalar_type())});

    if (rows.defined()) lanes.puzzle_gradient.copy_(rows.grad());
    lanes.loss.copy_(post.loss);
    lanes.halting_loss.copy_(halting_loss);
    lanes.q.copy_(known);
    lanes.correct.copy_(post.correct);
    lanes.y.copy_(next.y);
    lanes.z.copy_(next.z);
  }

  void finish(const LaneTensors& lanes) const override {
    const auto wants = model_.halt_decision(lanes.q) > 0.0;
    lanes.halted.copy_((lanes.steps >= method_.num_supervision) | (wants & (lanes.steps >= lanes.floor)));
  }

  std::vector<std::int64_t> in_the_middle(std::int64_t, LaneRange own) const override {
    std::vector<std::int64_t> lanes(static_cast<std::size_t>(own.count));
    std::iota(lanes.begin(), lanes.end(), 0);  // halted says which are not
    return lanes;
  }

 private:
  MethodConfig method_;
  std::int64_t lanes_;  // of all ranks
  std::uint64_t seed_;
  StateDraws draws_;
  Backbone& model_;
  States fresh_;  // of one lane
};

}  // namespace

at::Tensor continue_target(const at::Tensor& next_q, const at::Tensor& last) {
  return at::where(last, next_q.select(1, 0), next_q.amax(1)).sigmoid();
}

std::unique_ptr<LaneMethod> halting_method(const RunConfig& config, Backbone& model) {
  return std::make_unique<HaltingMethod>(config, model);
}

}  // namespace dis
