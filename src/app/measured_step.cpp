#include "measured_step.h"

#include <ATen/ATen.h>

#include "bench_timing.h"
#include "dis/ops/adam.h"
#include "dis/ops/cross_entropy.h"
#include "dis/ops/embed.h"
#include "dis/ops/fused.h"
#include "dis/ops/matmul.h"
#include "dis/ops/sign_sgd.h"

namespace dis {
namespace {

class MeasuredStep {
 public:
  MeasuredStep(const StepShape& shape, const Compute& compute, std::int64_t repeat)
      : s_(shape), compute_(compute), repeat_(repeat), tokens_(shape.lanes * shape.positions) {}

  std::map<std::string, double> all() {
    embedding();
    products();
    attention_half();
    swiglu_half();
    loss();
    updates();
    return seconds_;
  }

 private:
  at::Tensor made_up(at::IntArrayRef shape, at::ScalarType type) const {
    return at::rand(shape, at::TensorOptions().device(compute_.device).dtype(type)) - 0.5;
  }
  at::Tensor activations(at::IntArrayRef shape) const { return made_up(shape, compute_.type); }
  at::Tensor numbers_below(std::int64_t end, at::IntArrayRef shape) const {
    return at::randint(end, shape, at::TensorOptions().device(compute_.device).dtype(at::kInt));
  }
  template <class F>
  void time(const char* name, F f) {
    seconds_[name] = median_seconds(compute_.device, repeat_, f);
  }

  /// y = x W^T with its two gradients.
  void linear(const char* name, std::int64_t in, std::int64_t out) {
    const auto x = activations({tokens_, in}), w = activations({out, in}), dy = activations({tokens_, out});
    const std::string base = name;
    time(name, [&] { matrix_product(x, w.t()); });
    time((base + " dx").c_str(), [&] { matrix_product(dy, w); });
    time((base + " dw").c_str(), [&] { matrix_product(dy.t(), x).to(at::kFloat); });
  }
  void products() {
    linear("qkv_proj", s_.width, 3 * s_.width);
    linear("o_proj", s_.width, s_.width);
    linear("gate_up_proj", s_.width, 2 * s_.inner);
    linear("down_proj", s_.inner, s_.width);
    linear("lm_head", s_.width, s_.vocabulary);
  }

  void embedding() {
    const auto puzzle_positions = std::min<std::int64_t>(16, s_.positions - 1),
               length = s_.positions - puzzle_positions;
    EmbedInputs in{.tokens = numbers_below(s_.vocabulary, {s_.lanes, length}),
                   .table = made_up({s_.vocabulary, s_.width}, at::kFloat),
                   .puzzle_rows = made_up({s_.lanes, s_.puzzle_numbers}, at::kFloat),
                   .steps = {},
                   .time = {},
                   .puzzle_positions = puzzle_positions};
    const auto dx = activations({s_.lanes, s_.positions, s_.width});
    time("embed", [&] { embed(in, compute_.type); });
    time("embed backward", [&] { embed_backward(in, dx); });
    const auto a = activations(dx.sizes()), b = activations(dx.sizes());
    time("inject y + x", [&] { add3(a, b, dx); });
    time("inject z", [&] { return a + b; });
    time("sum of gradients", [&] { return a + b; });
  }

  void attention_half() {
    const auto head = s_.width / s_.heads;
    const auto qkv = activations({s_.lanes, s_.positions, 3, s_.heads, head});
    const auto dout = activations({s_.lanes, s_.positions, s_.width});
    const auto tables = rotary_tables(s_.positions, head, 10000.0, compute_.device);
    const auto result = attention(qkv, tables);
    time("attention", [&] { attention(qkv, tables); });
    time("attention backward", [&] { attention_backward(dout, qkv, result, tables); });
    if (!compute_.device.is_cuda()) return;
    // There attention() starts with the kernel that rotates, and its backward pass ends with one.
    const auto& kernels = cuda_part()->kernels;
    const auto dq = activations({s_.lanes, s_.positions, s_.heads, head}), dk = at::empty_like(dq),
               dv = at::empty_like(dq);
    time("rotary", [&] { kernels.rotary(qkv, tables); });
    time("rotary backward", [&] { kernels.rotary_backward(dq, dk, dv, tables); });
    seconds_["attention"] -= seconds_["rotary"];
    seconds_["attention backward"] -= seconds_["rotary backward"];
  }

  void swiglu_half() {
    const auto gate_up = activations({tokens_, 2 * s_.inner}), dact = activations({tokens_, s_.inner});
    time("swiglu", [&] { swiglu(gate_up); });
    seconds_["swiglu, again for dw"] = seconds_["swiglu"];
    time("swiglu backward", [&] { swiglu_backward(gate_up, dact); });
    const auto a = activations({tokens_, s_.width}), b = activations({tokens_, s_.width});
    const auto norm = add_rms_norm(a, at::empty_like(b).copy_(b), 1e-5);
    time("residual + rms norm", [&] { add_rms_norm(a, b, 1e-5); });
    time("rms norm backward", [&] { rms_norm_backward(a, norm.y, norm.rstd); });
  }

  void loss() {
    const auto logits = activations({s_.lanes, s_.positions, s_.vocabulary});
    const auto cells = std::max<std::int64_t>(1, s_.positions - 16);
    const auto target = numbers_below(s_.vocabulary, {s_.lanes, cells});
    const auto scale = made_up({s_.lanes}, at::kDouble);
    time("cross entropy, gradient", [&] { cross_entropy(logits, target, scale, Loss{}, s_.vocabulary, target); });
  }

  void updates() {
    const auto n = s_.parameters();
    AdamBuffers buffers{made_up({n}, at::kFloat),
                        made_up({n}, at::kFloat),
                        made_up({n}, at::kFloat),
                        made_up({n}, at::kFloat).abs(),
                        {},
                        {}};
    if (compute_.type == at::kBFloat16) buffers.copy = activations({n});
    const auto scalars = adam_scalars({}, 100).to(compute_.device);
    time("adam", [&] { adam_update(buffers, AdamForm::adam_atan2, scalars); });
    const auto table = made_up({1024, s_.puzzle_numbers}, at::kFloat),
               rows = made_up({s_.lanes, s_.puzzle_numbers}, at::kFloat);
    const auto ids = numbers_below(1024, {s_.lanes}), rates = sign_sgd_rates(0.01, 0.1).to(compute_.device);
    time("sparse sign-SGD", [&] { sparse_sign_sgd(table, ids, rows, rates); });
  }

  StepShape s_;
  Compute compute_;
  std::int64_t repeat_, tokens_;
  std::map<std::string, double> seconds_;
};

}  // namespace

std::map<std::string, double> measure_operations(const StepShape& shape, const Compute& compute, std::int64_t repeat) {
  const at::NoGradGuard no_grad;
  return MeasuredStep(shape, compute, repeat).all();
}

}  // namespace dis
