#include "dis/eval/rows/policy.h"

#include <ATen/ATen.h>

namespace dis {

at::Tensor answer_part(const ModelShape& shape, const at::Tensor& logits) {
  return logits.slice(1, shape.config.puzzle_emb_len).slice(2, 0, shape.answers);
}

at::Tensor answer_logits(const Backbone& model, const at::Tensor& y) {
  return answer_part(model.shape(), model.readout(y));
}

at::Tensor log_policy(const at::Tensor& logits, const Loss& loss) {
  return with_loss(loss, [&](const auto& of) { return of.log_score(logits.to(at::kDouble)).log_softmax(-1); });
}

at::Tensor guided_policy(const at::Tensor& reference, const at::Tensor& conditional, double w) {
  return (1.0 - w) * reference + w * conditional;
}

}  // namespace dis
