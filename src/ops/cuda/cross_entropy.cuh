// The loss with its gradient and predictions: one block per lane, one thread per cell. ops/losses.h has the arithmetic.
#pragma once

#include "device.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

/// One kernel for each loss L: all in one would need the registers of the greediest.
template <class T, class L>
DIS_KERNEL void cross_entropy_kernel(CrossEntropyPointers<T> p, CrossEntropyShape shape, L loss) {
  const std::int64_t lane = blockIdx.x, vocabulary = shape.vocabulary;
  const std::int64_t first = lane * shape.positions * vocabulary;
  const std::int64_t offset = (shape.positions - shape.length) * vocabulary;  // numbers without a cell
  const std::int32_t* target = p.target + lane * shape.length;
  const std::int32_t* labels = p.labels != nullptr ? p.labels + lane * shape.length : nullptr;
  std::int32_t* predictions = p.predictions + lane * shape.length;

  int own = 0;
  for (std::int64_t cell = threadIdx.x; cell < shape.length; cell += kThreads) own += target[cell] >= 0 ? 1 : 0;
  const int valid = block_sum(own);
  const double weight = valid > 0 ? 1.0 / valid : 0.0;
  const double factor = p.dlogits != nullptr ? weight * p.scale[lane] : 0.0;

  if (p.dlogits != nullptr) {
    for (std::int64_t i = threadIdx.x; i < offset; i += kThreads) store(p.dlogits[first + i], 0.0F);
  }
  double log_p = 0.0;
  int correct = 0;
  for (std::int64_t cell = threadIdx.x; cell < shape.length; cell += kThreads) {
    const T* row = p.logits + first + offset + cell * vocabulary;
    T* to = p.dlogits != nullptr ? p.dlogits + first + offset + cell * vocabulary : nullptr;
    std::int64_t best = 0;
    for (std::int64_t k = 1; k < shape.answers; ++k) best = load(row[k]) > load(row[best]) ? k : best;
    predictions[cell] = static_cast<std::int32_t>(best);
    if (labels != nullptr) correct += labels[cell] == best ? 1 : 0;
    if (target[cell] < 0) {
      for (std::int64_t k = 0; to != nullptr && k < vocabulary; ++k) store(to[k], 0.0F);
    } else {
      const auto logit = [&](std::int64_t k) -> double { return load(row[k]); };
      const auto gradient = [&](std::int64_t k, double value) { store(to[k], static_cast<float>(value * factor)); };
      log_p += cell_log_probability(loss, logit, target[cell], vocabulary, to != nullptr, gradient);
    }
  }
  const double total = block_sum(log_p);
  if (threadIdx.x == 0) p.loss[lane] = valid > 0 ? -weight * total : 0.0;
  if (labels != nullptr) {
    const int all = block_sum(correct);
    if (threadIdx.x == 0) p.correct[lane] = all;
  }
}

}  // namespace dis::DIS_CUDA_NAMESPACE
