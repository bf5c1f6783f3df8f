// The network's products with a weight.
#pragma once

#include <ATen/core/Tensor.h>

namespace dis {

/// x W^T without bias, the product in the type of x; the gradient of the weight goes to `master` in float32.
at::Tensor linear(const at::Tensor& x, const at::Tensor& master, const at::Tensor& compute);

}  // namespace dis
