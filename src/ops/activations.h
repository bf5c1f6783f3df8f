// What operations ask of the activations that they are given.
#pragma once

#include <ATen/core/Tensor.h>

#include "dis/core/error.h"

namespace dis {

/// The type to compute in where an operation is composed: at least float32.
inline at::ScalarType wide(const at::Tensor& x) { return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat; }

/// std::logic_error that names the operation unless x is contiguous, of a floating type and has enough dimensions.
inline void check_activations(const at::Tensor& x, std::int64_t dimensions, const char* operation) {
  ensure(x.defined() && x.is_contiguous() && x.is_floating_point() && x.dim() >= dimensions, operation,
         "a contiguous floating-point tensor of the stated shape");
}

}  // namespace dis
