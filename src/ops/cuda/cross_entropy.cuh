// Stable-max and soft-max cross entropy with gradient and predictions: one block per lane, one thread per cell.
//
// A cell's row is read twice (sum, then gradient) instead of being kept, so any vocabulary fits.
#pragma once

#include "device.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

/// s(v) of the stable-max: v + 1 for v >= 0, 1 / (1 - v) below.
DIS_DEVICE double stable(double v) { return v < 0.0 ? 1.0 / (1.0 - v) : v + 1.0; }
DIS_DEVICE double stable_slope(double v, double s) { return v < 0.0 ? s * s : 1.0; }

/// log p[target] of one cell; where `to` is not null, factor d(-log p)/d(row) goes there.
template <class T>
DIS_DEVICE double stablemax_cell(const T* row, std::int64_t target, std::int64_t vocabulary, double factor, T* to) {
  double sum = 0.0;
  for (std::int64_t k = 0; k < vocabulary; ++k) sum += stable(load(row[k]));
  const double picked = stable(load(row[target]));
  for (std::int64_t k = 0; to != nullptr && k < vocabulary; ++k) {
    const double v = load(row[k]);
    const double slope = stable_slope(v, stable(v));
    const double gradient = slope / sum - (k == target ? slope / picked : 0.0);
    store(to[k], static_cast<float>(gradient * factor));
  }
  return ::log(picked) - ::log(sum);
}

template <class T>
DIS_DEVICE double softmax_cell(const T* row, std::int64_t target, std::int64_t vocabulary, double factor, T* to) {
  double highest = load(row[0]);
  for (std::int64_t k = 1; k < vocabulary; ++k) highest = load(row[k]) > highest ? load(row[k]) : highest;
  double sum = 0.0;
  for (std::int64_t k = 0; k < vocabulary; ++k) sum += ::exp(load(row[k]) - highest);
  for (std::int64_t k = 0; to != nullptr && k < vocabulary; ++k) {
    const double gradient = ::exp(load(row[k]) - highest) / sum - (k == target ? 1.0 : 0.0);
    store(to[k], static_cast<float>(gradient * factor));
  }
  return load(row[target]) - highest - ::log(sum);
}

template <class T>
DIS_KERNEL void cross_entropy_kernel(CrossEntropyPointers<T> p, CrossEntropyShape shape) {
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
      log_p += shape.stablemax ? stablemax_cell(row, target[cell], vocabulary, factor, to)
                               : softmax_cell(row, target[cell], vocabulary, factor, to);
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
