#include "dis/eval/rows/batch_pieces.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>

namespace dis {

void for_pieces(std::int64_t rows, std::int64_t batch, const Ranks* ranks, at::Device device,
                const std::function<void(std::int64_t, std::int64_t)>& f) {
  for (std::int64_t first = 0; first < rows; first += batch) {
    if (ranks != nullptr && first / batch % ranks->size() != ranks->rank()) continue;
    const auto count = std::min(batch, rows - first);
    const auto parts = device.is_cpu() ? std::min<std::int64_t>(at::get_num_threads(), count) : 1;
    at::parallel_for(0, parts, 1, [&](std::int64_t from, std::int64_t to) {
      const at::NoGradGuard no_grad;  // of this thread
      for (auto part = from; part < to; ++part) {
        const auto begin = first + count * part / parts, end = first + count * (part + 1) / parts;
        f(begin, end - begin);
      }
    });
  }
}

}  // namespace dis
