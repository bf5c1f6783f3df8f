// Tensors to pointers: the table of CUDA kernels (dis/ops/cuda_part.h), on LibTorch's current stream.
#include <ATen/ATen.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "../ops/cpu_call.h"
#include "../ops/cuda/launch.h"
#include "dis/core/error.h"
#include "part.h"

namespace dis::cuda {
namespace {

/// Calls f with the current stream of x's device and reports a launch that failed.
template <class F>
void launch_on(const at::Tensor& x, F f) {
  const c10::cuda::CUDAGuard guard(x.device());
  f(c10::cuda::getCurrentCUDAStream().stream());
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

/// The same, and with a value of x's element type.
template <class F>
void launch_typed(const at::Tensor& x, F f) {
  launch_on(x, [&](Stream stream) { with_element_type(x, [&]<class T>(T type) { f(type, stream); }); });
}

void require(bool condition, const char* operation) {
  ensure(condition, operation, "contiguous tensors on one device");
}

RmsNorm add_rms_norm(const at::Tensor& a, const at::Tensor& b, double eps) {
  require(b.device() == a.device(), "add_rms_norm");
  const auto width = a.size(-1), rows = a.numel() / width;
  RmsNorm result{b, at::empty({rows}, a.options().dtype(at::kFloat))};
  launch_typed(a, [&]<class T>(T, Stream stream) {
    launch_add_rms_norm<T>({pointer<T>(a), pointer<T>(b), pointer<T>(b), pointer<float>(result.rstd)}, rows, width,
                           static_cast<float>(eps), stream);
  });
  return result;
}

at::Tensor rms_norm_backward(const at::Tensor& dy, const at::Tensor& y, const at::Tensor& rstd) {
  require(y.device() == dy.device() && rstd.device() == dy.device() && y.scalar_type() == dy.scalar_type() &&
              rstd.is_contiguous() && rstd.scalar_type() == at::kFloat,
          "rms_norm_backward");
  const auto width = y.size(-1), rows = y.numel() / width;
  auto dx = at::empty_like(dy);
  launch_typed(dy, [&]<class T>(T, Stream stream) {
    launch_rms_norm_backward<T>({pointer<T>(dy), pointer<T>(y), pointer<float>(rstd), pointer<T>(dx)}, rows, width,
                                stream);
  });
  return dx;
}

RotaryShape rotary_shape(const at::Tensor& x, const RotaryTables& tables) {
  require(tables.cos.device() == x.device() && tables.sin.device() == x.device() && tables.cos.is_contiguous() &&
              tables.sin.is_contiguous() && tables.cos.scalar_type() == at::kFloat,
          "rotary");
  return {x.size(0) * x.size(1), x.size(1), x.size(-2), x.size(-1)};
}

RotaryPointers rotary_pointers(const RotaryTables& tables) {
  return {pointer<float>(tables.cos), pointer<float>(tables.sin)};
}

void rotary(const at::Tensor& qkv, const RotaryTables& tables) {
  const auto shape = rotary_shape(qkv, tables);
  launch_typed(
      qkv, [&]<class T>(T, Stream stream) { launch_rotary(pointer<T>(qkv), rotary_pointers(tables), shape, stream); });
}

at::Tensor rotary_backward(const at::Tensor& dq, const at::Tensor& dk, const at::Tensor& dv,
                           const RotaryTables& tables) {
  require(dq.is_contiguous() && dk.is_contiguous() && dv.is_contiguous(), "rotary_backward");
  const auto shape = rotary_shape(dq, tables);
  auto dqkv = at::empty({dq.size(0), dq.size(1), 3, dq.size(2), dq.size(3)}, dq.options());
  launch_typed(dq, [&]<class T>(T, Stream stream) {
    launch_rotary_backward<T>({pointer<T>(dq), pointer<T>(dk), pointer<T>(dv), pointer<T>(dqkv)},
                              rotary_pointers(tables), shape, stream);
  });
  return dqkv;
}

at::Tensor swiglu(const at::Tensor& gate_up) {
  const auto inner = gate_up.size(-1) / 2;
  auto shape = gate_up.sizes().vec();
  shape.back() = inner;
  auto out = at::empty(shape, gate_up.options());
  launch_typed(gate_up, [&]<class T>(T, Stream stream) {
    launch_swiglu(pointer<const T>(gate_up), pointer<T>(out), gate_up.numel() / (2 * inner), inner, stream);
  });
  return out;
}

at::Tensor swiglu_backward(const at::Tensor& gate_up, const at::Tensor& dout) {
  require(dout.device() == gate_up.device() && dout.scalar_type() == gate_up.scalar_type(), "swiglu_backward");
  const auto inner = gate_up.size(-1) / 2;
  auto dgate_up = at::empty_like(gate_up);
  launch_typed(gate_up, [&]<class T>(T, Stream stream) {
    launch_swiglu_backward(pointer<const T>(gate_up), pointer<const T>(dout), pointer<T>(dgate_up),
                           gate_up.numel() / (2 * inner), inner, stream);
  });
  return dgate_up;
}

at::Tensor add3(const at::Tensor& a, const at::Tensor& b, const at::Tensor& c) {
  const auto same = [&](const at::Tensor& x) {
    return x.device() == a.device() && x.scalar_type() == a.scalar_type() && x.is_contiguous();
  };
  require(same(a) && same(b) && same(c), "add3");
  auto out = at::empty_like(a);
  launch_typed(a, [&]<class T>(T, Stream stream) {
    launch_add3(pointer<const T>(a), pointer<const T>(b), pointer<const T>(c), pointer<T>(out), a.numel(), stream);
  });
  return out;
}

CrossEntropy cross_entropy(const at::Tensor& logits, const at::Tensor& target, const at::Tensor& scale,
                           const Loss& loss, std::int64_t answers, const at::Tensor& labels) {
  require(target.device() == logits.device() && (!scale.defined() || scale.device() == logits.device()) &&
              (!labels.defined() || labels.device() == logits.device()),
          "cross_entropy");
  const auto in = logits.contiguous();
  const auto cells = target.contiguous();
  const auto factors = scale.defined() ? scale.contiguous() : scale;
  const auto known = labels.defined() ? labels.contiguous() : labels;
  CrossEntropy result{at::empty({in.size(0)}, in.options().dtype(at::kDouble)),
                      scale.defined() ? at::empty_like(in) : at::Tensor(), at::empty_like(cells),
                      labels.defined() ? at::empty({in.size(0)}, cells.options()) : at::Tensor()};
  const CrossEntropyShape shape{in.size(0), in.size(1), cells.size(1), in.size(2), answers, loss};
  launch_typed(in, [&]<class T>(T, Stream stream) {
    launch_cross_entropy<T>(
        {pointer<const T>(in), pointer<const std::int32_t>(cells), optional<const std::int32_t>(known),
         optional<const double>(factors), pointer<double>(result.loss), optional<T>(result.dlogits),
         pointer<std::int32_t>(result.predictions), optional<std::int32_t>(result.correct)},
        shape, stream);
  });
  return result;
}

at::Tensor embed(const EmbedInputs& in, at::ScalarType type, double scale) {
  const auto on_device = [&](const at::Tensor& x) { return !x.defined() || x.device() == in.table.device(); };
  require(on_device(in.tokens) && on_device(in.puzzle_rows) && on_device(in.steps) && on_device(in.time), "embed");
  const auto steps = in.steps.defined() ? in.steps.contiguous() : in.steps;
  const EmbedShape shape{in.tokens.size(0), in.tokens.size(1), in.puzzle_positions,
                         in.puzzle_rows.defined() ? in.puzzle_rows.size(1) : 0, in.table.size(1)};
  const EmbedPointers pointers{pointer<const std::int32_t>(in.tokens), optional<const std::int32_t>(steps),
                               pointer<const float>(in.table), optional<const float>(in.puzzle_rows),
                               steps.defined() ? pointer<const float>(in.time) : nullptr};
  auto x = at::empty({shape.lanes, shape.puzzle_positions + shape.length, shape.width}, in.table.options().dtype(type));
  launch_typed(x, [&]<class T>(T, Stream stream) {
    launch_embed(pointers, pointer<T>(x), shape, static_cast<float>(scale), stream);
  });
  return x;
}

EmbedGradients embed_backward(const EmbedInputs& in, const at::Tensor& dx, double scale) {
  require(dx.device() == in.table.device() && dx.is_contiguous(), "embed_backward");
  const auto summed = [&](const at::Tensor& keys, std::int64_t count, std::int64_t first, bool per_lane) {
    const SumByKeyShape shape{dx.size(0), dx.size(1), first, dx.size(2), count, per_lane};
    auto out = at::empty({count, shape.width}, in.table.options());
    const auto partial = at::empty({kSumChunks, count, shape.width}, in.table.options());
    launch_typed(dx, [&]<class T>(T, Stream stream) {
      launch_sum_by_key<T>({pointer<T>(dx), pointer<std::int32_t>(keys), pointer<float>(partial), pointer<float>(out)},
                           shape, static_cast<float>(scale), stream);
    });
    return out;
  };
  EmbedGradients grads;
  grads.table = summed(in.tokens, in.table.size(0), in.puzzle_positions, false);
  if (in.steps.defined()) grads.time = summed(in.steps.contiguous(), in.time.size(0), 0, true);
  return grads;
}

at::Tensor add_draws(const at::Tensor& x, const DrawKeys& keys, const DrawShape& shape) {
  require(keys.rows.device() == x.device() && keys.steps.device() == x.device(), "add_draws");
  auto y = at::empty_like(x);
  launch_typed(x, [&]<class T>(T, Stream stream) {
    launch_add_draws<T>({pointer<const T>(x), pointer<T>(y), pointer<const std::int64_t>(keys.rows),
                         pointer<const std::int32_t>(keys.steps)},
                        shape, stream);
  });
  return y;
}

void adam(const AdamBuffers& b, const at::Tensor& scalars, bool atan2) {
  for (const auto& x : {b.g, b.m, b.v, b.ema, b.copy}) {
    require(!x.defined() || (x.device() == b.p.device() && x.is_contiguous()), "adam_update");
  }
  const AdamPointers pointers{pointer<float>(b.p), pointer<const float>(b.g), pointer<float>(b.m),
                              pointer<float>(b.v), optional<float>(b.ema),    optional<Bf16>(b.copy)};
  launch_on(b.p, [&](Stream stream) {
    launch_adam(pointers, b.p.numel(), pointer<const AdamScalars>(scalars), atan2, stream);
  });
}

void sign_sgd(const at::Tensor& table, const at::Tensor& ids, const at::Tensor& gradient, const at::Tensor& rates) {
  require(ids.device() == table.device() && gradient.device() == table.device() && table.is_contiguous() &&
              ids.is_contiguous() && gradient.is_contiguous() && ids.scalar_type() == at::kInt &&
              rates.is_contiguous() && rates.scalar_type() == at::kFloat,
          "sparse_sign_sgd");
  launch_on(table, [&](Stream stream) {
    launch_sign_sgd(pointer<float>(table), pointer<const std::int32_t>(ids), pointer<const float>(gradient),
                    pointer<const float>(rates), {ids.size(0), table.size(1)}, stream);
  });
}

}  // namespace

CudaKernels kernels() {
  return {.add_rms_norm = add_rms_norm,
          .rms_norm_backward = rms_norm_backward,
          .rotary = rotary,
          .rotary_backward = rotary_backward,
          .swiglu = swiglu,
          .swiglu_backward = swiglu_backward,
          .add3 = add3,
          .cross_entropy = cross_entropy,
          .embed = embed,
          .embed_backward = embed_backward,
          .add_draws = add_draws,
          .adam = adam,
          .sign_sgd = sign_sgd};
}

}  // namespace dis::cuda
