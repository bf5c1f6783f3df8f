// Attention: on the CPU our own kernel, on a GPU one of LibTorch's, else composed of products.
#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <map>
#include <mutex>
#include <tuple>

#include "activations.h"
#include "cpu/attention.h"
#include "cpu_call.h"
#include "cuda_call.h"
#include "dis/core/error.h"
#include "dis/core/log.h"
#include "dis/ops/fused.h"

namespace dis {
namespace {

/// Rotates (or, with sin negated, undoes the rotation of) x [B, S, H, h].
at::Tensor rotate(const at::Tensor& x, const RotaryTables& rotary, double direction) {
  const auto c = rotary.cos.to(wide(x)).unsqueeze(1);
  const auto s = rotary.sin.to(wide(x)).unsqueeze(1) * direction;
  const auto halves = x.to(wide(x)).chunk(2, -1);
  return at::cat({halves[0] * c - halves[1] * s, halves[1] * c + halves[0] * s}, -1).to(x.scalar_type());
}

/// Rotates q and k of qkv [B, S, 3, H, h] in place where the CPU's kernels do not take it.
void rotate_packed(const at::Tensor& qkv, const RotaryTables& rotary) {
  if (const auto* cuda = cuda_kernels(qkv)) return cuda->rotary(qkv, rotary);
  for (std::int64_t part = 0; part < 2; ++part) {
    auto view = qkv.select(2, part);
    view.copy_(rotate(view, rotary, 1.0));
  }
}

/// Queries, keys and values [B, H, S, h]: views of qkv [B, S, 3, H, h].
struct Heads {
  explicit Heads(const at::Tensor& qkv)
      : q(qkv.select(2, 0).transpose(1, 2)), k(qkv.select(2, 1).transpose(1, 2)), v(qkv.select(2, 2).transpose(1, 2)) {}
  std::int64_t positions() const { return q.size(2); }
  at::Tensor q, k, v;
};

/// One way to compute attention: out [B, H, S, h] and its lse; dq, dk, dv from those.
struct Method {
  Attention (*forward)(const Heads& in);
  std::tuple<at::Tensor, at::Tensor, at::Tensor> (*backward)(const at::Tensor& dout, const Heads& in,
                                                             const Attention& forward);
};

Attention composed_forward(const Heads& in) {
  const auto scores = at::matmul(in.q, in.k.transpose(-2, -1)) / std::sqrt(static_cast<double>(in.q.size(3)));
  const auto lse = at::logsumexp(scores.to(wide(scores)), -1);
  return {at::matmul(at::softmax(scores, -1), in.v), lse};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> composed_backward(const at::Tensor& dout, const Heads& in,
                                                                 const Attention& forward) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(in.q.size(3)));
  const auto type = wide(in.q);
  const auto p = (at::matmul(in.q, in.k.transpose(-2, -1)).to(type) * scale - forward.lse.unsqueeze(-1)).exp();
  const auto delta = (dout.to(type) * forward.out.to(type)).sum(-1, true);
  const auto ds = (p * (at::matmul(dout, in.v.transpose(-2, -1)).to(type) - delta) * scale).to(in.q.scalar_type());
  return {at::matmul(ds, in.k), at::matmul(ds.transpose(-2, -1), in.q),
          at::matmul(p.to(in.q.scalar_type()).transpose(-2, -1), dout)};
}

/// Without dropout the state of its generator is never read.
at::Tensor no_generator(const Heads& in) { return at::zeros({2}, in.q.options().dtype(at::kLong)); }

Attention flash_forward(const Heads& in) {
  const auto result = at::_scaled_dot_product_flash_attention(in.q, in.k, in.v);
  return {std::get<0>(result), std::get<1>(result)};
}

/// LibTorch's flash sums in a fixed order only where deterministic algorithms are demanded. Where it shall merely warn
/// (Compute does not want other operations to throw) it takes the other way: while this object lives it is demanded.
class FixedOrder {
 public:
  explicit FixedOrder(bool wanted) : wanted_(wanted) { demand(true); }
  ~FixedOrder() { demand(false); }
  FixedOrder(const FixedOrder&) = delete;
  FixedOrder& operator=(const FixedOrder&) = delete;

 private:
  void demand(bool demanded) const {
    if (wanted_) at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/!demanded);
  }
  bool wanted_;
};

std::tuple<at::Tensor, at::Tensor, at::Tensor> flash_backward(const at::Tensor& dout, const Heads& in,
                                                              const Attention& forward) {
  const auto generator = no_generator(in);
  const FixedOrder fixed(at::globalContext().deterministicAlgorithms());
  return at::_scaled_dot_product_flash_attention_backward(dout, in.q, in.k, in.v, forward.out, forward.lse, {}, {},
                                                          in.positions(), in.positions(), 0.0, false, generator,
                                                          generator);
}

Attention cudnn_forward(const Heads& in) {
  const auto result = at::_scaled_dot_product_cudnn_attention(in.q, in.k, in.v, {}, /*compute_log_sumexp=*/true);
  return {std::get<0>(result), std::get<1>(result)};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> cudnn_backward(const at::Tensor& dout, const Heads& in,
                                                              const Attention& forward) {
  const auto generator = no_generator(in);
  return at::_scaled_dot_product_cudnn_attention_backward(dout, in.q, in.k, in.v, forward.out, forward.lse, generator,
                                                          generator, {}, {}, {}, in.positions(), in.positions(), 0.0,
                                                          false);
}

constexpr Method kComposed{composed_forward, composed_backward}, kFlash{flash_forward, flash_backward},
    kCudnn{cudnn_forward, cudnn_backward};

double relative_error(const at::Tensor& x, const at::Tensor& exact) {
  return ((x - exact).to(at::kFloat).norm() / exact.to(at::kFloat).norm()).item<double>();
}

/// Whether cuDNN agrees with FlashAttention on this device for this shape, forward and backward: some of its versions
/// were wrong where S is no multiple of 128. Two bfloat16 results differ by about 2^-8.
bool cudnn_agrees(const at::Tensor& like) {
  constexpr double kAllowed = 0.02;
  auto shape = like.sizes().vec();
  shape[0] = 2;
  const auto numbers = at::arange(2 * like.numel() / like.size(0), like.options().dtype(at::kFloat));
  const auto qkv = (numbers * 0.7).sin().view(shape).to(like.scalar_type());
  const Heads in(qkv);
  try {
    const auto flash = flash_forward(in), cudnn = cudnn_forward(in);
    const auto [fq, fk, fv] = flash_backward(flash.out, in, flash);
    const auto [cq, ck, cv] = cudnn_backward(flash.out, in, cudnn);
    return relative_error(cudnn.out, flash.out) < kAllowed && relative_error(cq, fq) < kAllowed &&
           relative_error(ck, fk) < kAllowed && relative_error(cv, fv) < kAllowed;
  } catch (const c10::Error&) {
    return false;  // cuDNN does not take it
  }
}

/// compute.attention = automatic: cuDNN where it is faster and right, which is tried once for each shape.
bool prefers_cudnn(const at::Tensor& qkv) {
  constexpr int kHopper = 9, kFirstVersion = 91501;
  if (at::globalContext().deterministicAlgorithms()) return false;  // its backward pass does not repeat bit for bit
  static std::mutex mutex;
  static std::map<std::array<std::int64_t, 3>, bool> answers;
  const std::lock_guard lock(mutex);
  const auto [entry, fresh] = answers.try_emplace({qkv.size(1), qkv.size(3), qkv.size(4)}, false);
  if (!fresh) return entry->second;
  const auto device = cuda_part()->devices().at(static_cast<std::size_t>(qkv.get_device()));
  if (device.major < kHopper || at::globalContext().versionCuDNN() < kFirstVersion) return false;
  entry->second = cudnn_agrees(qkv);
  if (!entry->second) log_warn("cuDNN's attention is not used: on this device it differs from FlashAttention");
  return entry->second;
}

/// The way for this qkv outside of the CPU's own kernel. LibTorch's fused ones never hold the S x S probabilities; they
/// take bfloat16 on a GPU, and heads of 8, 16, .. 256.
Method method_for(const at::Tensor& qkv) {
  const bool fits =
      cuda_kernels(qkv) != nullptr && qkv.scalar_type() == at::kBFloat16 && qkv.size(4) % 8 == 0 && qkv.size(4) <= 256;
  const auto wanted = attention_kernel();
  if (!fits || wanted == AttentionKernel::composed) return kComposed;
  const bool cudnn = wanted == AttentionKernel::cudnn || (wanted == AttentionKernel::automatic && prefers_cudnn(qkv));
  return cudnn ? kCudnn : kFlash;
}

}  // namespace

RotaryTables rotary_tables(std::int64_t positions, std::int64_t head, double theta, at::Device device) {
  ensure(head % 2 == 0, "rotary_tables", "an even head size");
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  // In float32 throughout, as the official code computes them.
  const auto frequency = at::pow(theta, -at::arange(0, head, 2, options) / static_cast<double>(head));
  const auto angle = at::outer(at::arange(positions, options), frequency);
  return {angle.cos(), angle.sin()};
}

Attention attention(at::Tensor qkv, const RotaryTables& rotary) {
  check_activations(qkv, 5, "attention");
  const auto batch = qkv.size(0), positions = qkv.size(1), heads = qkv.size(3), head = qkv.size(4);
  ensure(qkv.dim() == 5 && qkv.size(2) == 3 && rotary.cos.size(0) >= positions && rotary.cos.size(1) * 2 == head,
         "attention", "qkv [B, S, 3, H, h] and tables [>= S, h / 2]");
  if (on_cpu_kernels(qkv)) {
    Attention result{at::empty({batch, positions, heads * head}, qkv.options()),
                     at::empty({batch, heads, positions}, qkv.options().dtype(at::kFloat))};
    with_element_type(qkv, [&]<class T>(T) {
      for_rows(batch * heads, positions * positions * 4, [&](std::int64_t begin, std::int64_t end) {
        cpu::attention_kernels<T>().forward({pointer<T>(qkv), pointer<T>(result.out), pointer<float>(result.lse)},
                                            {pointer<float>(rotary.cos), pointer<float>(rotary.sin)},
                                            {positions, heads, head}, {begin, end});
      });
    });
    return result;
  }
  rotate_packed(qkv, rotary);
  auto result = method_for(qkv).forward(Heads(qkv));
  result.out = result.out.transpose(1, 2).reshape({batch, positions, heads * head});
  return result;
}

at::Tensor attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const Attention& forward,
                              const RotaryTables& rotary) {
  check_activations(dout, 3, "attention_backward");
  check_activations(qkv, 5, "attention_backward");
  const auto batch = qkv.size(0), positions = qkv.size(1), heads = qkv.size(3), head = qkv.size(4);
  if (on_cpu_kernels(qkv)) {
    auto gradient = at::empty_like(qkv);
    with_element_type(qkv, [&]<class T>(T) {
      for_rows(batch * heads, positions * positions * 8, [&](std::int64_t begin, std::int64_t end) {
        cpu::attention_kernels<T>().backward({pointer<T>(dout), pointer<T>(forward.out), pointer<T>(qkv),
                                              pointer<float>(forward.lse), pointer<T>(gradient)},
                                             {pointer<float>(rotary.cos), pointer<float>(rotary.sin)},
                                             {positions, heads, head}, {begin, end});
      });
    });
    return gradient;
  }
  const auto by_head = [&](const at::Tensor& x) { return x.view({batch, positions, heads, head}).transpose(1, 2); };
  auto [dq, dk, dv] = method_for(qkv).backward(by_head(dout), Heads(qkv), {by_head(forward.out), forward.lse});
  const auto back = [](const at::Tensor& x) { return x.transpose(1, 2).contiguous(); };  // [B, S, H, h]
  dq = back(dq);
  dk = back(dk);
  dv = back(dv);
  if (const auto* cuda = cuda_kernels(qkv)) return cuda->rotary_backward(dq, dk, dv, rotary);
  return at::stack({rotate(dq, rotary, -1.0), rotate(dk, rotary, -1.0), dv}, 2);
}

}  // namespace dis
