#include "dis/model/linear.h"

#include <torch/torch.h>

#include <cmath>

#include "dis/ops/kernel_choice.h"
#include "dis/ops/matmul.h"
#include "products.h"

namespace dis {

at::Tensor rows_of(const at::Tensor& x) { return x.reshape({-1, x.size(-1)}); }

at::Tensor product(const at::Tensor& x, const at::Tensor& weight) {
  auto shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return matrix_product(rows_of(x), weight.t()).view(shape);
}

at::Tensor product_dx(const at::Tensor& dy, const at::Tensor& weight) {
  auto shape = dy.sizes().vec();
  shape.back() = weight.size(1);
  return matrix_product(rows_of(dy), weight).view(shape);
}

at::Tensor product_dw(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& master) {
  return matrix_product(rows_of(dy).t(), rows_of(x)).to(master.scalar_type());
}

WeightSpec matrix(const std::string& name, std::int64_t out, std::int64_t in) {
  return {name, {out, in}, WeightKind::parameter, 1.0 / std::sqrt(as_real(in))};
}

double swiglu_flops(std::int64_t rows, std::int64_t width, std::int64_t inner) {
  return 6.0 * as_real(rows) * as_real(width) * as_real(inner);
}

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

class Linear : public Function<Linear> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& master,
                            const at::Tensor& compute) {
    ctx->save_for_backward({x, master, compute});
    return product(x, compute);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto dy = grads[0].contiguous();
    return {ctx->needs_input_grad(0) ? product_dx(dy, saved[2]) : at::Tensor(), product_dw(dy, saved[0], saved[1]), {}};
  }
};

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& master, const at::Tensor& compute) {
  return own_kernels() ? Linear::apply(x, master, compute) : at::linear(x, master.to(x.scalar_type()));
}

}  // namespace dis
