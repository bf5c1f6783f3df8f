#include "dis/ops/embed.h"

#include <ATen/ATen.h>

#include <cmath>

#include "cpu_call.h"
#include "cuda_call.h"
#include "dis/core/error.h"
#include "dis/ops/reference.h"

namespace dis {
namespace {

double scale_of(const EmbedInputs& in) { return std::sqrt(static_cast<double>(in.table.size(1))); }

EmbedShape shape_of(const EmbedInputs& in) {
  return {in.tokens.size(0), in.tokens.size(1), in.puzzle_positions,
          in.puzzle_rows.defined() ? in.puzzle_rows.size(1) : 0, in.table.size(1)};
}

/// Puzzle rows [B, E] padded with zeros to [B, P D]; zeros where there are none; undefined when P = 0.
at::Tensor padded_rows(const EmbedInputs& in) {
  const auto numbers = in.puzzle_positions * in.table.size(1);
  if (numbers == 0) return {};
  if (!in.puzzle_rows.defined()) return at::zeros({in.tokens.size(0), numbers}, in.table.options());
  return at::constant_pad_nd(in.puzzle_rows, {0, numbers - in.puzzle_rows.size(1)});
}

/// The tables have the type that our kernels take, and so has x.
bool narrow(const EmbedInputs& in, at::ScalarType type) {
  return in.table.scalar_type() == at::kFloat && (type == at::kFloat || type == at::kBFloat16);
}

void check(const EmbedInputs& in) {
  ensure(in.tokens.dim() == 2 && in.tokens.scalar_type() == at::kInt && in.tokens.is_contiguous() &&
             in.table.dim() == 2 && in.table.is_contiguous(),
         "embed", "contiguous int32 tokens [B, L] and a table [V, D]");
  ensure(!in.puzzle_rows.defined() || (in.puzzle_rows.dim() == 2 && in.puzzle_rows.is_contiguous() &&
                                       in.puzzle_rows.size(1) <= in.puzzle_positions * in.table.size(1)),
         "embed", "puzzle rows [B, E <= P D]");
  ensure(!in.steps.defined() || (in.time.defined() && in.steps.scalar_type() == at::kInt && in.time.is_contiguous()),
         "embed", "int32 steps [B] and their table of time rows");
}

}  // namespace

at::Tensor embed(const EmbedInputs& in, at::ScalarType type) {
  check(in);
  if (const auto* cuda = cuda_kernels(in.table); cuda != nullptr && narrow(in, type)) {
    return cuda->embed(in, type, scale_of(in));
  }
  if (!on_cpu_kernels(in.table) || !narrow(in, type)) {
    const auto row = in.steps.defined() ? in.time.index_select(0, in.steps) : at::Tensor();
    return reference::embed(in.tokens, in.table, padded_rows(in), row, type);
  }
  const auto shape = shape_of(in);
  const EmbedPointers pointers{pointer<std::int32_t>(in.tokens), optional<std::int32_t>(in.steps),
                               pointer<float>(in.table), optional<float>(in.puzzle_rows), optional<float>(in.time)};
  auto x = at::empty({shape.lanes, shape.puzzle_positions + shape.length, shape.width}, in.table.options().dtype(type));
  with_element_type(x, [&]<class T>(T) {
    for_rows(shape.lanes, x.size(1) * shape.width, [&](std::int64_t begin, std::int64_t end) {
      cpu::kernels<T>().embed(pointers, pointer<T>(x), shape, static_cast<float>(scale_of(in)), {begin, end});
    });
  });
  return x;
}

EmbedGradients embed_backward(const EmbedInputs& in, const at::Tensor& dx_in) {
  check(in);
  const auto dx = dx_in.contiguous();
  const auto scale = scale_of(in);
  at::Tensor puzzle_rows;
  if (in.puzzle_rows.defined()) {
    puzzle_rows = (dx.slice(1, 0, in.puzzle_positions).flatten(1).slice(1, 0, in.puzzle_rows.size(1)) * scale)
                      .to(in.puzzle_rows.scalar_type());
  }
  if (const auto* cuda = cuda_kernels(in.table); cuda != nullptr && narrow(in, dx.scalar_type())) {
    auto grads = cuda->embed_backward(in, dx, scale);
    grads.puzzle_rows = puzzle_rows;
    return grads;
  }
  EmbedGradients grads{at::zeros_like(in.table), puzzle_rows, {}};
  if (in.steps.defined()) grads.time = at::zeros_like(in.time);
  if (on_cpu_kernels(in.table) && narrow(in, dx.scalar_type())) {
    const auto shape = shape_of(in);
    with_element_type(dx, [&]<class T>(T) {
      const cpu::EmbedBackwardPointers<T> pointers{pointer<T>(dx), pointer<std::int32_t>(in.tokens),
                                                   optional<std::int32_t>(in.steps), pointer<float>(grads.table),
                                                   optional<float>(grads.time)};
      // Each thread owns columns, so every sum runs over the lanes in order whatever the number of threads.
      at::parallel_for(0, shape.width, 16, [&](std::int64_t begin, std::int64_t end) {
        cpu::kernels<T>().embed_backward(pointers, shape, static_cast<float>(scale), {begin, end});
      });
    });
    return grads;
  }
  const auto wide = dx.to(in.table.scalar_type()) * scale;
  grads.table.index_add_(0, in.tokens.flatten(), wide.slice(1, in.puzzle_positions).flatten(0, 1));
  if (in.steps.defined()) grads.time.index_add_(0, in.steps, wide.sum(1));
  return grads;
}

}  // namespace dis
