#include "dis/train/lane_rounds.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>

namespace dis {

LaneRounds::LaneRounds(const RunConfig& config, Backbone& model, std::int64_t lanes)
    : model_(model),
      // Threads that share the lanes scale better than threads that share every operation. A GPU has one worker.
      workers_(model.device().is_cpu() ? std::min<std::int64_t>(at::get_num_threads(), lanes) : 1) {
  model_.weights().add_workers(static_cast<std::size_t>(workers_));
  if (config.dist.deterministic) {
    for (std::int64_t first = 0; first < lanes; first += config.dist.chunk) {
      if (first / config.dist.chunk % workers_ == 0) rounds_.emplace_back();
      rounds_.back().push_back({first, config.dist.chunk});
    }
    chunk_gradients_ =
        at::zeros({lanes / config.dist.chunk, model_.weights().parameters()}, model_.weights().flat().options());
    return;
  }
  const auto micro_batch = config.train.micro_batch > 0 ? config.train.micro_batch : lanes;
  for (std::int64_t first = 0; first < lanes; first += micro_batch) {
    const auto size = std::min(micro_batch, lanes - first), pieces = std::min(workers_, size);
    auto& round = rounds_.emplace_back();
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
      const auto from = size * piece / pieces;
      round.push_back({first + from, size * (piece + 1) / pieces - from});
    }
  }
}

void LaneRounds::run(const std::function<void(std::size_t, LaneRange)>& work) {
  auto& weights = model_.weights();
  std::int64_t chunk = 0;
  for (const auto& round : rounds_) {
    // Under dist.deterministic also a single piece is computed by one thread: its rounding must not depend on how many
    // pieces there are.
    const auto pieces = std::ssize(round), tasks = chunk_gradients_.defined() ? workers_ : pieces;
    at::parallel_for(0, tasks, 1, [&](std::int64_t from, std::int64_t to) {
      for (auto piece = from; piece < std::min(to, pieces); ++piece) {
        work(static_cast<std::size_t>(piece), round[static_cast<std::size_t>(piece)]);
      }
    });
    for (std::int64_t piece = 0; chunk_gradients_.defined() && piece < pieces; ++piece, ++chunk) {
      auto gradient = weights.gradient(static_cast<std::size_t>(piece));
      chunk_gradients_[chunk].add_(gradient.narrow(0, 0, weights.parameters()));
      gradient.zero_();
    }
  }
  weights.collect_gradients();
}

void LaneRounds::sum_gradients(const Ranks& ranks) {
  auto total = model_.weights().gradient().narrow(0, 0, model_.weights().parameters());
  if (!chunk_gradients_.defined()) return ranks.sum(total);
  constexpr std::int64_t kSlice = std::int64_t{1} << 20;  // numbers of which all chunks are in memory at once
  for (std::int64_t first = 0; first < total.numel(); first += kSlice) {
    const auto chunks = ranks.gather(chunk_gradients_.slice(1, first, first + kSlice).contiguous());
    auto slice = total.slice(0, first, first + kSlice);
    for (const auto& chunk : chunks.unbind()) slice.add_(chunk);
  }
  chunk_gradients_.zero_();
}

}  // namespace dis
