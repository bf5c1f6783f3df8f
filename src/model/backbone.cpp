#include "dis/model/backbone.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "dis/model/linear.h"
#include "dis/model/reference.h"
#include "dis/ops/embed.h"
#include "dis/ops/kernel_choice.h"

namespace dis {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

/// A tensor that a function may lack: autograd takes an absent argument, but not an undefined tensor.
std::optional<at::Tensor> if_defined(const at::Tensor& x) { return x.defined() ? std::optional(x) : std::nullopt; }

/// ops/embed.h under autograd, which looks for tensors among the arguments: those that may learn stand beside `in`.
class Embed : public Function<Embed> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& /*table*/,
                            const std::optional<at::Tensor>& /*rows*/, const std::optional<at::Tensor>& /*time*/,
                            const EmbedInputs& in, at::ScalarType type) {
    ctx->save_for_backward({in.table, in.puzzle_rows, in.time, in.tokens, in.steps});
    ctx->saved_data["positions"] = in.puzzle_positions;
    // Not needs_input_grad(2): it does not count absent arguments, so the time table's number depends on the rows.
    ctx->saved_data["time_learned"] = in.time.defined() && in.time.requires_grad();
    return embed(in, type);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto s = ctx->get_saved_variables();
    const auto g = embed_backward({s[3], s[0], s[1], s[4], s[2], ctx->saved_data["positions"].toInt()}, grads[0]);
    const bool time_learned = ctx->saved_data["time_learned"].toBool();
    return {g.table, g.puzzle_rows, time_learned ? g.time : at::Tensor(), {}, {}};
  }
};

/// a + (b + c) in one pass; one gradient for all three.
class Add3 : public Function<Add3> {
 public:
  static at::Tensor forward(AutogradContext*, const at::Tensor& a, const at::Tensor& b, const at::Tensor& c) {
    return add3(a, b, c);
  }
  static variable_list backward(AutogradContext*, variable_list grads) { return {grads[0], grads[0], grads[0]}; }
};

/// Sinusoids of t = s / N for s = 0..N + 1 (or as far as evaluation goes), [rows, D]: angles 1000 t 10000^(-2 i / D),
/// brought to the spread of the learned table (std 1 / sqrt(D)). The paper gives no formula for "continuous"; this is
/// the choice made here.
at::Tensor sinusoids(const ModelShape& shape, at::Device device) {
  const auto options = at::TensorOptions().dtype(at::kDouble).device(device);  // angles go up to 1000
  const auto half = shape.config.hidden_size / 2;
  const auto frequency = at::pow(10000.0, -at::arange(half, options) / static_cast<double>(half));
  const auto last = std::max(shape.supervision, shape.most_steps) + 1;
  const auto t = at::arange(last + 1, options) / static_cast<double>(shape.supervision);
  const auto angle = at::outer(t * 1000.0, frequency);
  const auto wave = at::cat({angle.sin(), angle.cos()}, 1);
  return (wave * std::sqrt(2.0 / static_cast<double>(shape.config.hidden_size))).to(at::kFloat);
}

}  // namespace

std::vector<Pass> passes_of_step(const ModelShape& shape) {
  const bool one = shape.config.states == StateCount::one;
  const auto cycle = passes_of_cycle(shape.config), count = passes_of_step(shape.config);
  const auto usual = shape.hierarchical ? 2 : cycle;
  const auto with_gradient = shape.config.gradient_passes > 0 ? shape.config.gradient_passes : usual;
  std::vector<Pass> passes;
  for (std::int64_t number = 0; number < count; ++number) {
    const auto place = number % cycle;
    passes.push_back(
        {number, !one && place < cycle - 1, place == 0, !one && place == cycle - 2, number >= count - with_gradient});
  }
  return passes;
}

Backbone::Backbone(const ModelShape& shape, std::uint64_t seed, at::Device device, at::ScalarType compute_type)
    : shape_(shape),
      order_(passes_of_step(shape)),
      halves_(halves_of(shape.config)),
      weights_(shape, seed, device, compute_type),
      rotary_(rotary_tables(shape.positions(), shape.head(), shape.config.rope_theta, device)) {
  if (shape.time == TimeEmbedding::continuous) sinusoids_ = sinusoids(shape, device);
}

reference::Network Backbone::plain(std::size_t worker) const {
  return {shape_, weights_.leaves(worker), rotary_, weights_.compute_type()};
}

States Backbone::initial_states(std::int64_t lanes) const {
  const auto spread = [&](const at::Tensor& row) {
    return row.to(weights_.compute_type()).expand({lanes, shape_.positions(), row.size(0)}).contiguous();
  };
  return {spread(weights_.master().y_init), spread(weights_.master().z_init)};
}

States Backbone::initial_states(std::int64_t lanes, const StateDraws& draws) const {
  const auto own = initial_states(lanes);
  return draws.random_start ? random_states(draws, own) : own;
}

at::Tensor Backbone::puzzle_embeddings(const at::Tensor& ids) const {
  const auto& table = weights_.master().puzzle;
  if (!table.defined()) return {};
  return table.index_select(0, ids).requires_grad_(at::GradMode::is_enabled());
}

at::Tensor Backbone::input(const at::Tensor& tokens, const at::Tensor& rows, const at::Tensor& steps,
                           std::size_t worker) const {
  if (!own_kernels()) return reference::input(plain(worker), {tokens, rows, steps});
  const bool timed = shape_.time != TimeEmbedding::none;
  const auto& leaves = weights_.leaves(worker);
  const auto& time = shape_.time == TimeEmbedding::integer ? leaves.time : sinusoids_;
  const EmbedInputs in{tokens,
                       leaves.embed_tokens,
                       rows,
                       timed ? steps : at::Tensor(),
                       timed ? time : at::Tensor(),
                       shape_.config.puzzle_emb_len};
  return Embed::apply(in.table, if_defined(in.puzzle_rows), if_defined(in.time), in, weights_.compute_type());
}

at::Tensor Backbone::stack(at::Tensor h, const std::vector<BlockWeights>& leaves,
                           const std::vector<BlockWeights>& compute) const {
  for (std::size_t layer = 0; layer < leaves.size(); ++layer) {
    for (std::size_t i = 0; i < halves_.size(); ++i) {
      h = apply(halves_[i], {shape_, rotary_, h, leaves[layer][i], compute[layer][i]});
    }
  }
  return h;
}

void Backbone::count_pass(std::int64_t lanes) const {
  passes_->forward += lanes;
  if (at::GradMode::is_enabled()) passes_->backward += lanes;
}

at::Tensor Backbone::latent_pass(const at::Tensor& x, const States& s, std::size_t worker) const {
  count_pass(x.size(0));
  return stack(Add3::apply(s.z, s.y, x), weights_.leaves(worker).blocks, weights_.compute().blocks);
}

at::Tensor Backbone::answer_pass(const States& s, std::size_t worker) const {
  count_pass(s.y.size(0));
  return stack(s.y + s.z, weights_.leaves(worker).answer_blocks, weights_.compute().answer_blocks);
}

States Backbone::latent_reasoning(const at::Tensor& x, States s, std::size_t worker, const PassObserver* observer,
                                  const PassNoise* noise) const {
  const bool trains = at::GradMode::is_enabled();
  const bool one = shape_.config.states == StateCount::one;
  for (const auto& pass : order_) {
    if (observer == nullptr || !observer->leaves_out || !observer->leaves_out(pass)) {
      const at::AutoGradMode mode(trains && pass.gradient);
      auto& state = pass.latent ? s.z : s.y;
      auto next = pass.latent ? latent_pass(x, s, worker) : answer_pass({s.y, one ? x : s.z}, worker);
      if (shape_.damping != 1.0) next = at::lerp(state, next, shape_.damping);
      if (noise != nullptr) {
        const auto which = pass.latent ? WhichState::latent : WhichState::answer;
        next = with_noise(noise->draws, next, noise->number, pass.number, which);
      }
      state = next;
    }
    if (observer != nullptr && observer->after) observer->after(pass, s);
  }
  return s;
}

at::Tensor Backbone::readout(const at::Tensor& y, std::size_t worker) const {
  return linear(y, weights_.leaves(worker).lm_head, weights_.compute().lm_head);
}

at::Tensor Backbone::halting(const at::Tensor& y, std::size_t worker) const {
  const auto first = y.select(1, 0);
  const auto& w = weights_.leaves(worker);
  return at::linear(first, w.q_head.to(first.scalar_type()), w.q_head_bias.to(first.scalar_type())).to(at::kFloat);
}

at::Tensor Backbone::halt_decision(const at::Tensor& q) const {
  const auto halt = q.select(1, 0);
  return shape_.hierarchical ? halt - q.select(1, 1) : halt;
}

}  // namespace dis
