#include <ATen/ATen.h>

#include <cmath>

#include "dis/model/reference.h"
#include "dis/ops/reference.h"

namespace dis::reference {
namespace {

/// x W^T in the type of x.
at::Tensor times(const at::Tensor& x, const at::Tensor& weight) { return at::linear(x, weight.to(x.scalar_type())); }

/// rms(h + f): what every half ends with.
at::Tensor rms_of_sum(const at::Tensor& h, const at::Tensor& f, const ModelShape& shape) {
  return rms_norm(h + f, shape.config.rms_norm_eps);
}

/// W_down (silu(gate) up), with gate and up from W_gate_up h.
at::Tensor feed_forward(const at::Tensor& h, const HalfWeights& w) { return times(swiglu(times(h, w[0])), w[1]); }

/// The time row of each lane, [B, D]: of the learned table, or sinusoids of t = s / N; undefined: none.
at::Tensor time_rows(const Network& net, const at::Tensor& s) {
  if (net.shape.time == TimeEmbedding::none) return {};
  if (net.shape.time == TimeEmbedding::integer) return net.weights.time.index_select(0, s);
  const auto half = net.shape.config.hidden_size / 2;
  const auto i = at::arange(half, s.options().dtype(at::kDouble)) / static_cast<double>(half);
  const auto t = s.to(at::kDouble) / static_cast<double>(net.shape.supervision);
  const auto angle = at::outer(1000.0 * t, at::pow(10000.0, -i));
  const double size = std::sqrt(2.0 / static_cast<double>(net.shape.config.hidden_size));
  return at::cat({angle.sin(), angle.cos()}, 1) * size;
}

}  // namespace

// x = sqrt(D) (concat(puzzle row, token rows) + time row)
at::Tensor input(const Network& net, const StepInput& in) {
  const auto& config = net.shape.config;
  const auto numbers = config.puzzle_emb_len * config.hidden_size;
  auto rows = at::zeros({in.tokens.size(0), numbers}, net.weights.embed_tokens.options().requires_grad(false));
  if (in.puzzle.defined()) rows = at::constant_pad_nd(in.puzzle, {0, numbers - in.puzzle.size(1)});
  return embed(in.tokens, net.weights.embed_tokens, rows, time_rows(net, in.number), net.type);
}

// h <- rms(h + W_o attn(rotary(q), rotary(k), v)), q, k, v = W_qkv h
at::Tensor attention_half(const HalfCall& c) {
  const auto qkv = times(c.h, c.master[0]).unflatten(2, {3, c.shape.config.num_heads, c.shape.head()});
  return rms_of_sum(c.h, times(attention(qkv, c.rotary.cos, c.rotary.sin), c.master[1]), c.shape);
}

// The same with a SwiGLU over the positions in place of attention: of h^T [B, D, S].
at::Tensor position_swiglu_half(const HalfCall& c) {
  const auto turned = c.h.transpose(1, 2);
  return rms_of_sum(turned, feed_forward(turned, c.master), c.shape).transpose(1, 2);
}

// h <- rms(h + W_down (silu(gate) up)), gate, up = W_gate_up h
at::Tensor swiglu_half(const HalfCall& c) { return rms_of_sum(c.h, feed_forward(c.h, c.master), c.shape); }

// a = silu(gate) up; c_i = w_0 a_{i-1} + w_1 a_i + b for each of its numbers, with a_{-1} = 0; h <- rms(h + W_down
// silu(c)) (URM, arXiv 2512.14693)
at::Tensor conv_swiglu(const at::Tensor& h, const HalfWeights& weights) {
  const auto a = swiglu(times(h, weights[0]));
  const auto previous = at::constant_pad_nd(a, {0, 0, 1, -1});
  const auto w = weights[1].to(a.scalar_type()), b = weights[2].to(a.scalar_type());  // [I, 1, 2], [I]
  const auto c = w.select(2, 0).squeeze(1) * previous + w.select(2, 1).squeeze(1) * a + b;
  return times(at::silu(c), weights[3]);
}

at::Tensor conv_swiglu_half(const HalfCall& c) { return rms_of_sum(c.h, conv_swiglu(c.h, c.master), c.shape); }

at::Tensor stack(const Network& net, at::Tensor h, const std::vector<BlockWeights>& blocks) {
  const auto halves = halves_of(net.shape.config);
  for (const auto& block : blocks) {
    for (std::size_t i = 0; i < halves.size(); ++i) {
      h = halves[i].reference({net.shape, net.rotary, h, block[i], block[i]});
    }
  }
  return h;
}

// z <- f_L(z + (y + x)), n times; y <- f_H(y + z); T times. TRM: f_H = f_L. One state: y <- f(y + x), T n times. Of
// each the damped form, and noise. The last passes carry gradient: of TRM those of the last cycle, of HRM two.
States latent_reasoning(const Network& net, const at::Tensor& x, States s, const PassNoiseOf& noise) {
  const auto& config = net.shape.config;
  const bool one = config.states == StateCount::one;
  const auto n = config.L_cycles, cycle = passes_of_cycle(config), passes = passes_of_step(config);
  const auto usual = net.shape.hierarchical ? 2 : cycle;
  const auto with_gradient = config.gradient_passes > 0 ? config.gradient_passes : usual;
  for (std::int64_t pass = 0; pass < passes; ++pass) {
    if (pass == passes - with_gradient) s = {s.y.detach(), s.z.detach()};
    const bool latent = !one && pass % cycle < n;
    auto& h = latent ? s.z : s.y;
    const auto next = latent ? stack(net, s.z + (s.y + x), net.weights.blocks)
                             : stack(net, s.y + (one ? x : s.z), net.weights.answer_blocks);
    const auto a = net.shape.damping;
    h = a == 1.0 ? next : (1.0 - a) * h + a * next;
    if (noise) h = h + noise(h, pass, latent ? WhichState::latent : WhichState::answer);
  }
  return s;
}

at::Tensor readout(const Network& net, const at::Tensor& y) { return times(y, net.weights.lm_head); }

at::Tensor halting(const Network& net, const at::Tensor& y) {
  return times(y.select(1, 0), net.weights.q_head) + net.weights.q_head_bias.to(y.scalar_type());
}

StepOutput supervision_step(const Network& net, const StepInput& in, const States& before) {
  const auto after = latent_reasoning(net, input(net, in), before);
  return {after, readout(net, after.y), halting(net, after.y)};
}

}  // namespace dis::reference
