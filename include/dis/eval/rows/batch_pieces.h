// How rows are shared among ranks and threads at evaluation.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "dis/dist/ranks.h"

namespace dis {

/// Calls f(first, count) for pieces of batches of `batch` rows, those that are this rank's (ranks may be null: one
/// process), with gradients off. On the CPU each batch is split among the threads, as in training: threads that share
/// the rows scale better than threads that share every operation; f is then called by several threads at once.
void for_pieces(std::int64_t rows, std::int64_t batch, const Ranks* ranks, at::Device device,
                const std::function<void(std::int64_t, std::int64_t)>& f);

}  // namespace dis
