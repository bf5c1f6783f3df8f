#include "dis/ops/fused.h"

#include <ATen/ATen.h>

#include <cmath>
#include <tuple>

#include "cpu/attention.h"
#include "cpu_call.h"
#include "cuda_call.h"
#include "dis/core/error.h"

namespace dis {
namespace {

at::ScalarType wide(const at::Tensor& x) { return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat; }

void check(const at::Tensor& x, std::int64_t dimensions, const char* operation) {
  ensure(x.defined() && x.is_contiguous() && x.is_floating_point() && x.dim() >= dimensions, operation,
         "a contiguous floating-point tensor of the stated shape");
}

/// Rotates (or, with sin negated, undoes the rotation of) x [B, S, H, h].
at::Tensor rotate(const at::Tensor& x, const RotaryTables& rotary, double direction) {
  const auto c = rotary.cos.to(wide(x)).unsqueeze(1);
  const auto s = rotary.sin.to(wide(x)).unsqueeze(1) * direction;
  const auto halves = x.to(wide(x)).chunk(2, -1);
  return at::cat({halves[0] * c - halves[1] * s, halves[1] * c + halves[0] * s}, -1).to(x.scalar_type());
}

/// Rotates q and k of qkv [B, S, 3, H, h] in place where the CPU's kernels do not take it.
void rotate_packed(const at::Tensor& qkv, const RotaryTables& rotary) {
  if constexpr (kCudaKernels) {
    if (on_cuda_kernels(qkv)) return cuda::rotary(qkv, rotary);
  }
  for (std::int64_t part = 0; part < 2; ++part) {
    auto view = qkv.select(2, part);
    view.copy_(rotate(view, rotary, 1.0));
  }
}

/// Whether LibTorch's FlashAttention takes this qkv [B, S, 3, H, h]: it never holds the S x S probabilities.
bool on_flash(const at::Tensor& qkv) {
  return on_cuda_kernels(qkv) && qkv.scalar_type() == at::kBFloat16 && qkv.size(4) % 8 == 0 && qkv.size(4) <= 256;
}

}  // namespace

RmsNorm add_rms_norm(const at::Tensor& a, const at::Tensor& b, double eps) {
  check(a, 1, "add_rms_norm");
  check(b, 1, "add_rms_norm");
  ensure(a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type(), "add_rms_norm", "a and b alike");
  if constexpr (kCudaKernels) {
    if (on_cuda_kernels(a)) return cuda::add_rms_norm(a, b, eps);
  }
  const auto width = a.size(-1);
  const auto rows = a.numel() / width;
  if (!on_cpu_kernels(a)) {
    const auto sum = a.to(wide(a)) + b.to(wide(a));
    const auto rstd = (sum.square().mean(-1, true) + eps).rsqrt();
    return {(sum * rstd).to(a.scalar_type()), rstd.flatten()};
  }
  RmsNorm result{b, at::empty({rows}, a.options().dtype(at::kFloat))};
  with_element_type(a, [&]<class T>(T) {
    for_rows(rows, width, [&](std::int64_t begin, std::int64_t end) {
      cpu::kernels<T>().add_rms_norm(pointer<T>(a) + begin * width, pointer<T>(b) + begin * width,
                                     pointer<T>(result.y) + begin * width, pointer<float>(result.rstd) + begin,
                                     end - begin, width, static_cast<float>(eps));
    });
  });
  return result;
}

at::Tensor rms_norm_backward(const at::Tensor& dy, const at::Tensor& y, const at::Tensor& rstd) {
  check(dy, 1, "rms_norm_backward");
  check(y, 1, "rms_norm_backward");
  const auto width = y.size(-1);
  const auto rows = y.numel() / width;
  ensure(dy.sizes() == y.sizes() && rstd.numel() == rows, "rms_norm_backward", "dy and y alike, rstd [rows]");
  if constexpr (kCudaKernels) {
    if (on_cuda_kernels(dy)) return cuda::rms_norm_backward(dy, y, rstd);
  }
  if (!on_cpu_kernels(dy)) {
    const auto d = dy.to(wide(dy));
    const auto n = y.to(wide(dy));
    const auto scale = rstd.view(y.sizes().slice(0, static_cast<std::size_t>(y.dim()) - 1)).unsqueeze(-1);
    return (scale * (d - n * (d * n).mean(-1, true))).to(dy.scalar_type());
  }
  auto dx = at::empty_like(dy);
  with_element_type(dy, [&]<class T>(T) {
    for_rows(rows, width, [&](std::int64_t begin, std::int64_t end) {
      cpu::kernels<T>().rms_norm_backward(pointer<T>(dy) + begin * width, pointer<T>(y) + begin * width,
                                          pointer<float>(rstd) + begin, pointer<T>(dx) + begin * width, end - begin,
                                          width);
    });
  });
  return dx;
}

RotaryTables rotary_tables(std::int64_t positions, std::int64_t head, double theta, at::Device device) {
  ensure(head % 2 == 0, "rotary_tables", "an even head size");
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  // In float32 throughout, as the official code computes them.
  const auto frequency = at::pow(theta, -at::arange(0, head, 2, options) / static_cast<double>(head));
  const auto angle = at::outer(at::arange(positions, options), frequency);
  return {angle.cos(), angle.sin()};
}

Attention attention(at::Tensor qkv, const RotaryTables& rotary) {
  check(qkv, 5, "attention");
  const auto batch = qkv.size(0), positions = qkv.size(1), heads = qkv.size(3), head = qkv.size(4);
  ensure(qkv.size(2) == 3 && rotary.cos.size(0) >= positions && rotary.cos.size(1) * 2 == head, "attention",
         "qkv [B, S, 3, H, h] and tables [>= S, h / 2]");
  if (on_cpu_kernels(qkv)) {
    Attention result{at::empty({batch, positions, heads * head}, qkv.options()),
                     at::empty({batch, heads, positions}, qkv.options().dtype(at::kFloat))};
    with_element_type(qkv, [&]<class T>(T) {
      for_rows(batch * heads, positions * positions * 4, [&](std::int64_t begin, std::int64_t end) {
        cpu::attention_kernels<T>().forward(pointer<T>(qkv), pointer<float>(rotary.cos), pointer<float>(rotary.sin),
                                            pointer<T>(result.out), pointer<float>(result.lse), begin, end,
                                            {positions, heads, head});
      });
    });
    return result;
  }
  rotate_packed(qkv, rotary);
  const auto q = qkv.select(2, 0).transpose(1, 2);  // [B, H, S, h]
  const auto k = qkv.select(2, 1).transpose(1, 2);
  const auto v = qkv.select(2, 2).transpose(1, 2);
  const auto by_position = [&](const at::Tensor& x) {
    return x.transpose(1, 2).reshape({batch, positions, heads * head});
  };
  if (on_flash(qkv)) {
    const auto flash = at::_scaled_dot_product_flash_attention(q, k, v);
    return {by_position(std::get<0>(flash)), std::get<1>(flash)};
  }
  const auto scores = at::matmul(q, k.transpose(-2, -1)) / std::sqrt(static_cast<double>(head));
  const auto lse = at::logsumexp(scores.to(wide(scores)), -1);
  const auto out = at::matmul(at::softmax(scores, -1), v);
  return {by_position(out), lse};
}

at::Tensor attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const Attention& forward,
                              const RotaryTables& rotary) {
  check(dout, 3, "attention_backward");
  check(qkv, 5, "attention_backward");
  const auto batch = qkv.size(0), positions = qkv.size(1), heads = qkv.size(3), head = qkv.size(4);
  if (on_cpu_kernels(qkv)) {
    auto gradient = at::empty_like(qkv);
    with_element_type(qkv, [&]<class T>(T) {
      for_rows(batch * heads, positions * positions * 8, [&](std::int64_t begin, std::int64_t end) {
        cpu::attention_kernels<T>().backward(pointer<T>(dout), pointer<T>(forward.out), pointer<T>(qkv),
                                             pointer<float>(forward.lse), pointer<float>(rotary.cos),
                                             pointer<float>(rotary.sin), pointer<T>(gradient), begin, end,
                                             {positions, heads, head});
      });
    });
    return gradient;
  }
  const auto q = qkv.select(2, 0).transpose(1, 2);
  const auto k = qkv.select(2, 1).transpose(1, 2);
  const auto v = qkv.select(2, 2).transpose(1, 2);
  const auto by_head = [&](const at::Tensor& x) { return x.view({batch, positions, heads, head}).transpose(1, 2); };
  at::Tensor dq, dk, dv;
  if (on_flash(qkv)) {
    // No dropout, so the state of its generator is never read. With at::globalContext().deterministicAlgorithms() the
    // order of the sums is fixed.
    const auto generator = at::zeros({2}, qkv.options().dtype(at::kLong));
    std::tie(dq, dk, dv) =
        at::_scaled_dot_product_flash_attention_backward(by_head(dout), q, k, v, by_head(forward.out), forward.lse, {},
                                                         {}, positions, positions, 0.0, false, generator, generator);
  } else {
    const double scale = 1.0 / std::sqrt(static_cast<double>(head));
    const auto p = (at::matmul(q, k.transpose(-2, -1)).to(wide(q)) * scale - forward.lse.unsqueeze(-1)).exp();
    const auto d = by_head(dout);
    const auto delta = (d.to(wide(d)) * by_head(forward.out).to(wide(d))).sum(-1, true);
    const auto ds = (p * (at::matmul(d, v.transpose(-2, -1)).to(wide(d)) - delta) * scale).to(q.scalar_type());
    dq = at::matmul(ds, k);
    dk = at::matmul(ds.transpose(-2, -1), q);
    dv = at::matmul(p.to(q.scalar_type()).transpose(-2, -1), d);
  }
  const auto back = [](const at::Tensor& x) { return x.transpose(1, 2).contiguous(); };  // [B, S, H, h]
  dq = back(dq);
  dk = back(dk);
  dv = back(dv);
  if constexpr (kCudaKernels) {
    if (on_cuda_kernels(qkv)) return cuda::rotary_backward(dq, dk, dv, rotary);
  }
  return at::stack({rotate(dq, rotary, -1.0), rotate(dk, rotary, -1.0), dv}, 2);
}

at::Tensor swiglu(const at::Tensor& gate_up) {
  check(gate_up, 1, "swiglu");
  const auto inner = gate_up.size(-1) / 2;
  ensure(gate_up.size(-1) == 2 * inner, "swiglu", "an even last dimension");
  if constexpr (kCudaKernels) {
    if (on_cuda_kernels(gate_up)) return cuda::swiglu(gate_up);
  }
  if (!on_cpu_kernels(gate_up)) {
    const auto halves = gate_up.chunk(2, -1);
    return at::silu(halves[0]) * halves[1];
  }
  auto shape = gate_up.sizes().vec();
  shape.back() = inner;
  auto out = at::empty(shape, gate_up.options());
  with_element_type(gate_up, [&]<class T>(T) {
    for_rows(gate_up.numel() / (2 * inner), 2 * inner, [&](std::int64_t begin, std::int64_t end) {
      cpu::kernels<T>().swiglu(pointer<T>(gate_up) + begin * 2 * inner, pointer<T>(out) + begin * inner, end - begin,
                               inner);
    });
  });
  return out;
}

at::Tensor swiglu_backward(const at::Tensor& gate_up, const at::Tensor& dout) {
  check(gate_up, 1, "swiglu_backward");
  check(dout, 1, "swiglu_backward");
  const auto inner = gate_up.size(-1) / 2;
  ensure(dout.size(-1) == inner && dout.numel() * 2 == gate_up.numel(), "swiglu_backward", "dout [..., I]");
  if constexpr (kCudaKernels) {
    if (on_cuda_kernels(gate_up)) return cuda::swiglu_backward(gate_up, dout);
  }
  if (!on_cpu_kernels(gate_up)) {
    const auto halves = gate_up.to(wide(gate_up)).chunk(2, -1);
    const auto d = dout.to(wide(gate_up));
    const auto sigmoid = halves[0].sigmoid();
    return at::cat({d * halves[1] * sigmoid * (1.0 + halves[0] * (1.0 - sigmoid)), d * halves[0] * sigmoid}, -1)
        .to(gate_up.scalar_type());
  }
  auto dgate_up = at::empty_like(gate_up);
  with_element_type(gate_up, [&]<class T>(T) {
    for_rows(gate_up.numel() / (2 * inner), 2 * inner, [&](std::int64_t begin, std::int64_t end) {
      cpu::kernels<T>().swiglu_backward(pointer<T>(gate_up) + begin * 2 * inner, pointer<T>(dout) + begin * inner,
                                        pointer<T>(dgate_up) + begin * 2 * inner, end - begin, inner);
    });
  });
  return dgate_up;
}

at::Tensor add3(const at::Tensor& a, const at::Tensor& b, const at::Tensor& c) {
  ensure(a.sizes() == b.sizes() && a.sizes() == c.sizes(), "add3", "three tensors of one shape");
  if constexpr (kCudaKernels) {
    if (on_cuda_kernels(a) && a.is_contiguous() && b.is_contiguous() && c.is_contiguous()) return cuda::add3(a, b, c);
  }
  if (!on_cpu_kernels(a) || !a.is_contiguous() || !b.is_contiguous() || !c.is_contiguous()) return a + (b + c);
  auto out = at::empty_like(a);
  with_element_type(a, [&]<class T>(T) {
    for_rows(a.numel(), 1, [&](std::int64_t begin, std::int64_t end) {
      cpu::kernels<T>().add3(pointer<T>(a) + begin, pointer<T>(b) + begin, pointer<T>(c) + begin,
                             pointer<T>(out) + begin, end - begin);
    });
  });
  return out;
}

}  // namespace dis
