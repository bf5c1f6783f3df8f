// Sparse sign-SGD of the puzzle embedding (method section 3).
#pragma once

#include <ATen/core/Tensor.h>

namespace dis {

/// table [identifiers, E], ids int32 [B], gradient [B, E], all float32 on one device: gradients of equal ids are
/// summed in lane order (so the result does not depend on threads), then row <- row (1 - lr wd) - lr sign(sum).
/// Rows that are not in the batch stay; a row whose sum is 0 only decays.
void sparse_sign_sgd(at::Tensor table, const at::Tensor& ids, const at::Tensor& gradient, double lr,
                     double weight_decay);

}  // namespace dis
