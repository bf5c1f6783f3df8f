#include "dis/eval/rows/policy.h"

#include <ATen/ATen.h>

#include "dis/ops/reference.h"

namespace dis {

at::Tensor answer_part(const ModelShape& shape, const at::Tensor& logits) {
  return logits.slice(1, shape.config.puzzle_emb_len).slice(2, 0, shape.answers);
}

at::Tensor answer_logits(const Backbone& model, const at::Tensor& y) {
  return answer_part(model.shape(), model.readout(y));
}

at::Tensor log_policy(const at::Tensor& logits, const Loss& loss) { return reference::log_probabilities(logits, loss); }

at::Tensor guided_policy(const at::Tensor& reference, const at::Tensor& conditional, double w) {
  return (1.0 - w) * reference + w * conditional;
}

}  // namespace dis
