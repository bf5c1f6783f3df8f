// Sparse sign-SGD of the puzzle embedding (method section 3).
#pragma once

#include <ATen/core/Tensor.h>

namespace dis {

/// float32 [2] on the CPU: lr and 1 - lr weight_decay. A tensor, so that a captured CUDA graph reads each update's own.
at::Tensor sign_sgd_rates(double lr, double weight_decay);
inline constexpr std::int64_t kSignSgdRates = 2;

/// table [identifiers, E], ids int32 [B], gradient [B, E] and the rates, all float32 on one device: gradients of equal
/// ids are summed in lane order (so the result does not depend on threads), then row <- row (1 - lr wd) - lr sign(sum).
/// Rows that are not in the batch stay; a row whose sum is 0 only decays.
void sparse_sign_sgd(at::Tensor table, const at::Tensor& ids, const at::Tensor& gradient, const at::Tensor& rates);

}  // namespace dis
