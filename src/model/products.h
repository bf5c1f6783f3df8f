// Products of activations and weights with their gradients, for functions with an explicit backward pass; and such
// weights.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "dis/model/weights.h"

namespace dis {

/// [.., n] as [rows, n].
at::Tensor rows_of(const at::Tensor& x);
/// x [.., k] times weight [n, k] transposed: [.., n].
at::Tensor product(const at::Tensor& x, const at::Tensor& weight);
/// Gradient of x for dy of y = x W^T.
at::Tensor product_dx(const at::Tensor& dy, const at::Tensor& weight);
/// Gradient of W for dy of y = x W^T, float32 (the sum over the n + 1 passes is float32 too).
at::Tensor product_dw(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& master);

/// A weight [out, in] whose products keep the spread of what they are given.
WeightSpec matrix(const std::string& name, std::int64_t out, std::int64_t in);

/// Multiply-adds, counted two, of a SwiGLU's three products on `rows` rows.
double swiglu_flops(std::int64_t rows, std::int64_t width, std::int64_t inner);

inline double as_real(std::int64_t number) { return static_cast<double>(number); }

}  // namespace dis
