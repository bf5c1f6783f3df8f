#include "dis/ops/matmul.h"

#include <ATen/ATen.h>

#include "cpu/gemm.h"
#include "cpu_call.h"
#include "dis/core/error.h"

namespace dis {
namespace {

bool ours(const at::Tensor& a) { return on_cpu_kernels(a) && a.scalar_type() == at::kFloat; }

void gemm(const at::Tensor& a, const at::Tensor& b, const at::Tensor& c, bool add) {
  const auto n = b.size(1), k = a.size(1);
  const cpu::Strided right{pointer<float>(b), b.stride(0), b.stride(1)};
  const cpu::Strided left{pointer<float>(a), a.stride(0), a.stride(1)};
  // Every thread packs all of b, so a piece of rows must be worth that.
  at::parallel_for(0, a.size(0), 24, [&](std::int64_t begin, std::int64_t end) {
    cpu::gemm({left.data + begin * left.row, left.row, left.column}, right, {pointer<float>(c) + begin * n, n},
              {end - begin, n, k}, add);
  });
}

void check(const at::Tensor& a, const at::Tensor& b) {
  ensure(a.dim() == 2 && b.dim() == 2 && a.size(1) == b.size(0) && a.scalar_type() == b.scalar_type(), "matrix_product",
         "a [m, k] and b [k, n] of one type");
}

}  // namespace

at::Tensor matrix_product(const at::Tensor& a, const at::Tensor& b) {
  check(a, b);
  if (!ours(a)) return at::mm(a, b);
  auto c = at::empty({a.size(0), b.size(1)}, a.options());
  gemm(a, b, c, false);
  return c;
}

at::Tensor matrix_product_onto(at::Tensor c, const at::Tensor& a, const at::Tensor& b) {
  check(a, b);
  ensure(c.dim() == 2 && c.size(0) == a.size(0) && c.size(1) == b.size(1) && c.is_contiguous(), "matrix_product_onto",
         "a contiguous c [m, n]");
  if (!ours(a)) return c.addmm_(a, b);
  gemm(a, b, c, true);
  return c;
}

}  // namespace dis
