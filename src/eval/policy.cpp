#include "dis/eval/policy.h"

#include <ATen/ATen.h>

namespace dis {

at::Tensor answer_part(const ModelShape& shape, const at::Tensor& logits) {
  return logits.slice(1, shape.config.puzzle_emb_len).slice(2, 0, shape.answers);
}

at::Tensor answer_logits(const Backbone& model, const at::Tensor& y) {
  return answer_part(model.shape(), model.readout(y));
}

at::Tensor log_policy(const at::Tensor& logits, LossKind loss) {
  const auto v = logits.to(at::kDouble);
  if (loss == LossKind::softmax) return v.log_softmax(-1);
  // log s(v) = log(1 + v) for v >= 0, -log(1 - v) below
  const auto log_s = v.abs().log1p().mul(v.sign());
  return log_s - log_s.logsumexp(-1, true);
}

at::Tensor guided_policy(const at::Tensor& reference, const at::Tensor& conditional, double w) {
  return (1.0 - w) * reference + w * conditional;
}

}  // namespace dis
