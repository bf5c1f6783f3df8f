#include "dis/ops/cross_entropy.h"

#include <ATen/ATen.h>

#include "cpu_call.h"
#include "cuda_call.h"
#include "dis/core/error.h"
#include "dis/ops/reference.h"

namespace dis {
namespace {

/// The same on any device and type, from LibTorch's operations; its gradient is autograd's.
CrossEntropy composed(const at::Tensor& logits, const at::Tensor& target, const at::Tensor& scale, const Loss& loss,
                      std::int64_t answers, const at::Tensor& labels) {
  const auto offset = logits.size(1) - target.size(1);
  CrossEntropy result;
  {
    const at::AutoGradMode with_graph(scale.defined());
    const auto leaf = logits.detach().set_requires_grad(scale.defined());
    const auto losses = reference::cross_entropy(leaf.slice(1, offset), target, loss);
    result.loss = losses.detach();
    if (scale.defined()) {
      losses.backward(scale);
      result.dlogits = leaf.grad();
    }
  }
  const auto cells = logits.slice(1, offset);
  result.predictions = cells.slice(-1, 0, answers).argmax(-1).to(at::kInt);
  // A prediction is never negative, so a cell without a label is not counted.
  if (labels.defined()) result.correct = (result.predictions == labels).sum(-1).to(at::kInt);
  return result;
}

}  // namespace

CrossEntropy cross_entropy(const at::Tensor& logits, const at::Tensor& target, const at::Tensor& scale,
                           const Loss& loss, std::int64_t answers, const at::Tensor& labels) {
  constexpr std::int64_t kMostEntries = 4096;
  ensure(logits.dim() == 3 && target.dim() == 2 && logits.size(0) == target.size(0) &&
             logits.size(1) >= target.size(1) && target.scalar_type() == at::kInt && answers >= 1 &&
             answers <= logits.size(2) && logits.size(2) <= kMostEntries,
         "cross_entropy", "logits [B, S, V <= 4096], int32 target [B, L <= S], 1 <= answers <= V");
  ensure(!labels.defined() || (labels.sizes() == target.sizes() && labels.scalar_type() == at::kInt), "cross_entropy",
         "int32 labels [B, L]");
  if (const auto* cuda = cuda_kernels(logits)) return cuda->cross_entropy(logits, target, scale, loss, answers, labels);
  if (!on_cpu_kernels(logits)) return composed(logits, target, scale, loss, answers, labels);
  const auto lanes = target.size(0), length = target.size(1);
  const auto in = logits.contiguous();
  const auto cells = target.contiguous();
  const auto known = labels.defined() ? labels.contiguous() : labels;
  CrossEntropy result{at::empty({lanes}, in.options().dtype(at::kDouble)),
                      scale.defined() ? at::empty_like(in) : at::Tensor(), at::empty({lanes, length}, cells.options()),
                      labels.defined() ? at::empty({lanes}, cells.options()) : at::Tensor()};
  const CrossEntropyShape shape{lanes, in.size(1), length, in.size(2), answers, loss};
  with_element_type(in, [&]<class T>(T) {
    const CrossEntropyPointers<T> pointers{pointer<T>(in),
                                           pointer<std::int32_t>(cells),
                                           optional<std::int32_t>(known),
                                           optional<double>(scale),
                                           pointer<double>(result.loss),
                                           optional<T>(result.dlogits),
                                           pointer<std::int32_t>(result.predictions),
                                           optional<std::int32_t>(result.correct)};
    for_rows(lanes, in.size(1) * in.size(2) * 16, [&](std::int64_t begin, std::int64_t end) {
      cpu::kernels<T>().cross_entropy(pointers, shape, {begin, end});
    });
  });
  return result;
}

}  // namespace dis
