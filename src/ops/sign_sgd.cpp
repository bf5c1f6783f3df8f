#include "dis/ops/sign_sgd.h"

#include <ATen/ATen.h>

#include "cuda_call.h"
#include "dis/core/error.h"

namespace dis {

at::Tensor sign_sgd_rates(double lr, double weight_decay) {
  auto rates = at::empty({kSignSgdRates}, at::kFloat);
  auto* values = rates.data_ptr<float>();
  values[0] = static_cast<float>(lr);
  values[1] = static_cast<float>(1.0 - lr * weight_decay);
  return rates;
}

void sparse_sign_sgd(at::Tensor table, const at::Tensor& ids, const at::Tensor& gradient, const at::Tensor& rates) {
  ensure(table.dim() == 2 && gradient.dim() == 2 && ids.dim() == 1 && gradient.size(0) == ids.size(0) &&
             gradient.size(1) == table.size(1) && rates.numel() == kSignSgdRates && rates.device() == table.device(),
         "sparse_sign_sgd", "table [identifiers, E], ids [B], gradient [B, E], rates [2]");
  if (const auto* cuda = cuda_kernels(table)) return cuda->sign_sgd(table, ids, gradient, rates);
  // first[b] = the first lane with lane b's id. Summing into that lane needs no sort and no list of distinct ids; a
  // matrix product with the 0/1 matrix of equal ids does it in a fixed order on every device.
  const auto equal = ids.unsqueeze(0) == ids.unsqueeze(1);                // [B, B]
  const auto total = at::mm(equal.to(gradient.scalar_type()), gradient);  // lanes of one id hold the same sum
  const auto rows = table.index_select(0, ids);
  // Equal ids write equal rows, so the order of the writes does not matter.
  table.index_copy_(0, ids.to(at::kLong), rows * rates[1] - total.sign() * rates[0]);
}

}  // namespace dis
