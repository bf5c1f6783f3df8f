#include "dis/ops/kernel_costs.h"

#include <algorithm>

namespace dis {
namespace {

/// Collects costs; sizes as doubles, since their products pass 2^63 only in bytes that nobody has.
class Costs {
 public:
  explicit Costs(const StepShape& shape) : e_(static_cast<double>(shape.element_bytes)) {}

  void product(const std::string& name, std::int64_t calls, double rows, double in, double out) {
    add(name, calls, e_ * (rows * in + in * out + rows * out), 2.0 * rows * in * out, Arithmetic::product);
  }
  /// The gradient of a weight is float32.
  void weight_gradient(const std::string& name, std::int64_t calls, double rows, double in, double out) {
    add(name, calls, e_ * (rows * in + rows * out) + 4.0 * in * out, 2.0 * rows * in * out, Arithmetic::product);
  }
  /// `numbers` of the activations' type and `words` of four bytes are read or written.
  void pass(const std::string& name, std::int64_t calls, double numbers, double words, double flops) {
    add(name, calls, e_ * numbers + 4.0 * words, flops, Arithmetic::none);
  }
  void attention(Arithmetic pass, std::int64_t calls, double numbers, double words, double flops) {
    add(pass == Arithmetic::attention ? "attention" : "attention backward", calls, e_ * numbers + 4.0 * words, flops,
        pass);
  }
  std::vector<OperationCost> all;

 private:
  void add(const std::string& name, std::int64_t calls, double bytes, double flops, Arithmetic arithmetic) {
    if (calls > 0) all.push_back({name, calls, bytes, flops, arithmetic});
  }
  double e_;
};

}  // namespace

std::int64_t StepShape::parameters() const {
  return layers * (4 * width * width + 3 * width * inner) + vocabulary * width;
}

std::vector<OperationCost> step_costs(const StepShape& s) {
  const auto B = static_cast<double>(s.lanes), S = static_cast<double>(s.positions), D = static_cast<double>(s.width);
  const auto I = static_cast<double>(s.inner), V = static_cast<double>(s.vocabulary), H = static_cast<double>(s.heads);
  const double M = B * S;                                            // tokens
  const auto forward = s.cycles * (s.latent_passes + 1) * s.layers;  // blocks, forward
  const auto backward = (s.latent_passes + 1) * s.layers;            // blocks, backward
  const auto numbers = static_cast<double>(s.parameters());
  const double one_attention = 4.0 * B * S * S * D;

  Costs c(s);
  c.pass("embed", 1, M * D, M + B * static_cast<double>(s.puzzle_numbers), 2.0 * M * D);
  c.pass("inject y + x", s.cycles * s.latent_passes, 4.0 * M * D, 0.0, 2.0 * M * D);
  c.pass("inject z", s.cycles, 3.0 * M * D, 0.0, M * D);
  c.product("qkv_proj", forward, M, D, 3.0 * D);
  c.pass("rotary", forward, 4.0 * M * D, 0.0, 6.0 * M * D);
  c.attention(Arithmetic::attention, forward, 4.0 * M * D, B * H * S, one_attention);
  c.product("o_proj", forward, M, D, D);
  c.pass("residual + rms norm", 2 * forward, 3.0 * M * D, M, 5.0 * M * D);
  c.product("gate_up_proj", forward, M, D, 2.0 * I);
  c.pass("swiglu", forward, 3.0 * M * I, 0.0, 6.0 * M * I);
  c.product("down_proj", forward, M, I, D);
  c.product("lm_head", 1, M, D, V);
  c.pass("cross entropy, gradient", 1, 2.0 * M * V, 2.0 * M, 12.0 * M * V);

  c.product("lm_head dx", 1, M, V, D);
  c.weight_gradient("lm_head dw", 1, M, D, V);
  c.pass("rms norm backward", 2 * backward, 3.0 * M * D, M, 6.0 * M * D);
  c.product("down_proj dx", backward, M, D, I);
  c.pass("swiglu, again for dw", backward, 3.0 * M * I, 0.0, 6.0 * M * I);
  c.weight_gradient("down_proj dw", backward, M, I, D);
  c.pass("swiglu backward", backward, 5.0 * M * I, 0.0, 12.0 * M * I);
  c.product("gate_up_proj dx", backward, M, 2.0 * I, D);
  c.weight_gradient("gate_up_proj dw", backward, M, D, 2.0 * I);
  c.product("o_proj dx", backward, M, D, D);
  c.weight_gradient("o_proj dw", backward, M, D, D);
  c.attention(Arithmetic::attention_backward, backward, 8.0 * M * D, B * H * S, 2.0 * one_attention);
  c.pass("rotary backward", backward, 6.0 * M * D, 0.0, 6.0 * M * D);
  c.product("qkv_proj dx", backward, M, 3.0 * D, D);
  c.weight_gradient("qkv_proj dw", backward, M, D, 3.0 * D);
  c.pass("sum of gradients", s.latent_passes, 3.0 * M * D, 0.0, M * D);
  c.pass("embed backward", 1, M * D, (V + 1.0) * D, 2.0 * M * D);
  // p, m, v read and written, g read and cleared; the narrow copy written.
  c.pass("adam", 1, s.element_bytes < 4 ? numbers : 0.0, 8.0 * numbers, 20.0 * numbers);
  c.pass("sparse sign-SGD", 1, 0.0, 3.0 * B * static_cast<double>(s.puzzle_numbers),
         3.0 * B * static_cast<double>(s.puzzle_numbers));
  return c.all;
}

namespace {

/// The published count of the backward pass over ours.
constexpr double kPublishedOverOurs = 2.5 / 2.0;

AttentionSpeed published(double forward_tflops, double backward_tflops) {
  return {forward_tflops * 1e12, backward_tflops / kPublishedOverOurs * 1e12};
}

}  // namespace

AttentionSpeed hopper_flash(std::int64_t head) {
  if (head < 64) return published(160.0, 140.0);
  return head < 128 ? published(306.0, 238.0) : published(350.0, 260.0);
}

AttentionSpeed hopper_cudnn(std::int64_t head) {
  if (head < 64) return hopper_flash(head);
  return head < 128 ? published(373.0, 348.0) : published(574.0, 408.0);
}

double least_seconds(const OperationCost& cost, const DeviceSpeed& device) {
  double speed = 0.0;
  switch (cost.arithmetic) {
    case Arithmetic::none:
      return cost.bytes / device.bandwidth;
    case Arithmetic::product:
      speed = device.products;
      break;
    case Arithmetic::attention:
      speed = device.attention;
      break;
    case Arithmetic::attention_backward:
      speed = device.attention_backward;
      break;
  }
  return std::max(cost.bytes / device.bandwidth, cost.flops / speed);
}

}  // namespace dis
