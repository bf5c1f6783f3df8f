#include "dis/ops/fused.h"

#include <ATen/ATen.h>

#include "activations.h"
#include "cpu_call.h"
#include "cuda_call.h"
#include "dis/core/error.h"

namespace dis {
RmsNorm add_rms_norm(const at::Tensor& a, const at::Tensor& b, double eps) {
  check_activations(a, 1, "add_rms_norm");
  check_activations(b, 1, "add_rms_norm");
  ensure(a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type(), "add_rms_norm", "a and b alike");
  if (const auto* cuda = cuda_kernels(a)) return cuda->add_rms_norm(a, b, eps);
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
      cpu::kernels<T>().add_rms_norm({pointer<T>(a), pointer<T>(b), pointer<T>(result.y), pointer<float>(result.rstd)},
                                     width, static_cast<float>(eps), {begin, end});
    });
  });
  return result;
}

at::Tensor rms_norm_backward(const at::Tensor& dy, const at::Tensor& y, const at::Tensor& rstd) {
  check_activations(dy, 1, "rms_norm_backward");
  check_activations(y, 1, "rms_norm_backward");
  const auto width = y.size(-1);
  const auto rows = y.numel() / width;
  ensure(dy.sizes() == y.sizes() && rstd.numel() == rows, "rms_norm_backward", "dy and y alike, rstd [rows]");
  if (const auto* cuda = cuda_kernels(dy)) return cuda->rms_norm_backward(dy, y, rstd);
  if (!on_cpu_kernels(dy)) {
    const auto d = dy.to(wide(dy));
    const auto n = y.to(wide(dy));
    const auto scale = rstd.view(y.sizes().slice(0, static_cast<std::size_t>(y.dim()) - 1)).unsqueeze(-1);
    return (scale * (d - n * (d * n).mean(-1, true))).to(dy.scalar_type());
  }
  auto dx = at::empty_like(dy);
  with_element_type(dy, [&]<class T>(T) {
    for_rows(rows, width, [&](std::int64_t begin, std::int64_t end) {
      cpu::kernels<T>().rms_norm_backward({pointer<T>(dy), pointer<T>(y), pointer<float>(rstd), pointer<T>(dx)}, width,
                                          {begin, end});
    });
  });
  return dx;
}

at::Tensor swiglu(const at::Tensor& gate_up) {
  check_activations(gate_up, 1, "swiglu");
  const auto inner = gate_up.size(-1) / 2;
  ensure(gate_up.size(-1) == 2 * inner, "swiglu", "an even last dimension");
  if (const auto* cuda = cuda_kernels(gate_up)) return cuda->swiglu(gate_up);
  if (!on_cpu_kernels(gate_up)) {
    const auto halves = gate_up.chunk(2, -1);
    return at::silu(halves[0]) * halves[1];
  }
  auto shape = gate_up.sizes().vec();
  shape.back() = inner;
  auto out = at::empty(shape, gate_up.options());
  with_element_type(gate_up, [&]<class T>(T) {
    for_rows(gate_up.numel() / (2 * inner), 2 * inner, [&](std::int64_t begin, std::int64_t end) {
      cpu::kernels<T>().swiglu(pointer<T>(gate_up), pointer<T>(out), inner, {begin, end});
    });
  });
  return out;
}

at::Tensor swiglu_backward(const at::Tensor& gate_up, const at::Tensor& dout) {
  check_activations(gate_up, 1, "swiglu_backward");
  check_activations(dout, 1, "swiglu_backward");
  const auto inner = gate_up.size(-1) / 2;
  ensure(dout.size(-1) == inner && dout.numel() * 2 == gate_up.numel(), "swiglu_backward", "dout [..., I]");
  if (const auto* cuda = cuda_kernels(gate_up)) return cuda->swiglu_backward(gate_up, dout);
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
      cpu::kernels<T>().swiglu_backward(pointer<T>(gate_up), pointer<T>(dout), pointer<T>(dgate_up), inner,
                                        {begin, end});
    });
  });
  return dgate_up;
}

at::Tensor add3(const at::Tensor& a, const at::Tensor& b, const at::Tensor& c) {
  ensure(a.sizes() == b.sizes() && a.sizes() == c.sizes(), "add3", "three tensors of one shape");
  const bool contiguous = a.is_contiguous() && b.is_contiguous() && c.is_contiguous();
  if (const auto* cuda = cuda_kernels(a); cuda != nullptr && contiguous) return cuda->add3(a, b, c);
  if (!on_cpu_kernels(a) || !contiguous) return a + (b + c);
  auto out = at::empty_like(a);
  with_element_type(a, [&]<class T>(T) {
    for_rows(a.numel(), 1, [&](std::int64_t begin, std::int64_t end) {
      cpu::kernels<T>().add3(pointer<T>(a), pointer<T>(b), pointer<T>(c), pointer<T>(out), {begin, end});
    });
  });
  return out;
}

}  // namespace dis
