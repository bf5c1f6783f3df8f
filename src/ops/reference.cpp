#include "dis/ops/reference.h"

#include <ATen/ATen.h>

#include <cmath>

namespace dis::reference {
namespace {

/// The type that sums and roots are computed in.
at::ScalarType wide(const at::Tensor& x) { return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat; }

}  // namespace

at::Tensor rms_norm(const at::Tensor& x, double eps) {
  const auto w = x.to(wide(x));
  return (w * (w.square().mean(-1, true) + eps).rsqrt()).to(x.scalar_type());
}

at::Tensor attention(const at::Tensor& qkv, const at::Tensor& cos, const at::Tensor& sin) {
  const auto type = wide(qkv);
  const auto c = cos.to(type).unsqueeze(1);  // [S, 1, h / 2]
  const auto s = sin.to(type).unsqueeze(1);
  const auto rotate = [&](const at::Tensor& x) {  // [B, S, H, h] -> [B, H, S, h]
    const auto halves = x.to(type).chunk(2, -1);
    return at::cat({halves[0] * c - halves[1] * s, halves[1] * c + halves[0] * s}, -1)
        .to(qkv.scalar_type())
        .transpose(1, 2);
  };
  const auto parts = qkv.unbind(2);
  const auto q = rotate(parts[0]), k = rotate(parts[1]), v = parts[2].transpose(1, 2);  // [B, H, S, h]
  const auto scores = at::matmul(q, k.transpose(2, 3)).to(type) / std::sqrt(static_cast<double>(q.size(3)));
  const auto out = at::matmul(scores.softmax(-1).to(v.scalar_type()), v);
  return out.transpose(1, 2).flatten(2);
}

at::Tensor swiglu(const at::Tensor& gate_up) {
  const auto halves = gate_up.chunk(2, -1);
  return at::silu(halves[0]) * halves[1];
}

at::Tensor log_probabilities(const at::Tensor& logits, const Loss& loss) {
  return with_loss(loss, [&](const auto& of) { return of.log_score(logits.to(at::kDouble)).log_softmax(-1); });
}

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& target, const Loss& loss) {
  const auto valid = target >= 0;
  const auto log_p = log_probabilities(logits, loss);  // [B, L, V]
  const auto own = log_p.gather(-1, target.clamp_min(0).to(at::kLong).unsqueeze(-1)).squeeze(-1);
  // Of q, on each entry that is not the target.
  const double elsewhere = with_loss(loss, [&](const auto& of) { return of.elsewhere(logits.size(-1)); });
  auto sum = own;
  if (elsewhere > 0.0) sum = own + elsewhere * (log_p - own.unsqueeze(-1)).sum(-1);
  return -at::where(valid, sum, at::zeros_like(sum)).sum(-1) / valid.sum(-1).clamp_min(1);
}

at::Tensor embed(const at::Tensor& tokens, const at::Tensor& table, const at::Tensor& puzzle_rows,
                 const at::Tensor& time_row, at::ScalarType type) {
  const auto width = table.size(1);
  auto x = at::embedding(table, tokens.to(at::kLong)).to(type);
  if (puzzle_rows.defined()) x = at::cat({puzzle_rows.to(type).view({tokens.size(0), -1, width}), x}, 1);
  if (time_row.defined()) x = x + time_row.to(type).unsqueeze(1);
  return std::sqrt(static_cast<double>(width)) * x;
}

}  // namespace dis::reference
