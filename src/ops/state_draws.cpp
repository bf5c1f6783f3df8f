#include "dis/ops/state_draws.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "cpu_call.h"
#include "cuda_call.h"
#include "dis/core/error.h"
#include "dis/core/truncated_normal.h"

namespace dis {
namespace {

/// Factors of the uniform and of the normal draw: a truncated one comes from the middle erf(sqrt 2) of the uniform one.
DrawShape shape_of_draws(const at::Tensor& x, const DrawKeys& keys, double scale, DrawForm form) {
  const auto key = draw_key(keys.seed, keys.purpose);
  const auto rows = x.size(0);
  double shrink = 1.0;
  if (form == DrawForm::truncated) {
    shrink = std::erf(std::numbers::sqrt2);
    scale /= truncated_normal_spread();
  }
  return {rows,
          rows > 0 ? x.numel() / rows : 0,
          key[0],
          key[1],
          keys.place,
          static_cast<float>(shrink),
          static_cast<float>(scale)};
}

}  // namespace

at::Tensor add_draws(const at::Tensor& x, const DrawKeys& keys, double scale, DrawForm form) {
  ensure(x.dim() >= 1 && x.is_contiguous() && keys.rows.dim() == 1 && keys.rows.size(0) == x.size(0) &&
             keys.rows.scalar_type() == at::kLong && keys.rows.is_contiguous() && keys.steps.numel() == x.size(0) &&
             keys.steps.scalar_type() == at::kInt && keys.steps.is_contiguous() && keys.place < 1U << 16,
         "add_draws", "contiguous x [B, ...], int64 rows [B], int32 steps [B], a place below 65536");
  const auto shape = shape_of_draws(x, keys, scale, form);
  if (x.is_cuda()) {
    ensure(cuda_part() != nullptr, "add_draws", "the CUDA part of the program");
    if (x.scalar_type() != at::kDouble) return cuda_part()->kernels.add_draws(x, keys, shape);
  }
  if (x.scalar_type() == at::kDouble) {
    return x + add_draws(at::zeros_like(x, x.options().dtype(at::kFloat)), keys, scale, form).to(at::kDouble);
  }
  auto y = at::empty_like(x);
  with_element_type(x, [&]<class T>(T) {
    const DrawPointers<T> pointers{pointer<T>(x), pointer<T>(y), pointer<std::int64_t>(keys.rows),
                                   pointer<std::int32_t>(keys.steps)};
    for_rows(shape.rows, shape.numbers, [&](std::int64_t begin, std::int64_t end) {
      cpu::kernels<T>().add_draws(pointers, shape, {begin, end});
    });
  });
  return y;
}

}  // namespace dis
