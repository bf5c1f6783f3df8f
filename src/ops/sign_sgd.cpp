#include "dis/ops/sign_sgd.h"

#include <ATen/ATen.h>

#include "cuda_call.h"
#include "dis/core/error.h"

namespace dis {

void sparse_sign_sgd(at::Tensor table, const at::Tensor& ids, const at::Tensor& gradient, double lr,
                     double weight_decay) {
  ensure(table.dim() == 2 && gradient.dim() == 2 && ids.dim() == 1 && gradient.size(0) == ids.size(0) &&
             gradient.size(1) == table.size(1),
         "sparse_sign_sgd", "table [identifiers, E], ids [B], gradient [B, E]");
  if constexpr (kCudaKernels) {
    if (on_cuda_kernels(table)) return cuda::sign_sgd(table, ids, gradient, lr, 1.0 - lr * weight_decay);
  }
  // first[b] = the first lane with lane b's id. Summing into that lane needs no sort and no list of distinct ids; a
  // matrix product with the 0/1 matrix of equal ids does it in a fixed order on every device.
  const auto equal = ids.unsqueeze(0) == ids.unsqueeze(1);                // [B, B]
  const auto total = at::mm(equal.to(gradient.scalar_type()), gradient);  // lanes of one id hold the same sum
  const auto rows = table.index_select(0, ids);
  // Equal ids write equal rows, so the order of the writes does not matter.
  table.index_copy_(0, ids.to(at::kLong), rows * (1.0 - lr * weight_decay) - total.sign() * lr);
}

}  // namespace dis
