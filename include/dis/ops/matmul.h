// Matrix products of the network.
#pragma once

#include <ATen/core/Tensor.h>

namespace dis {

/// a [m, k] times b [k, n], with any strides (so x W^T is matrix_product(x, w.t())) -> [m, n], contiguous. In float32
/// on the CPU our own product (src/ops/cpu/gemm.h), whose result does not depend on the number of threads; else
/// LibTorch's.
at::Tensor matrix_product(const at::Tensor& a, const at::Tensor& b);

/// c + a b, where c [m, n] is contiguous and is overwritten.
at::Tensor matrix_product_onto(at::Tensor c, const at::Tensor& a, const at::Tensor& b);

}  // namespace dis
