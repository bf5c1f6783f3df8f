#include "dis/data/dataset.h"

namespace dis {

Batch draw_batch(const TrainingStream& stream, std::uint64_t seed, std::uint64_t first, std::int64_t lanes) {
  const auto length = static_cast<std::size_t>(stream.shape().length);
  const auto count = static_cast<std::size_t>(lanes);
  Batch batch{lanes,
              stream.shape().length,
              std::vector<std::int32_t>(count * length),
              std::vector<std::int32_t>(count * length),
              std::vector<std::int32_t>(count),
              std::vector<Origin>(count)};
  for (std::size_t lane = 0; lane < count; ++lane) {
    batch.origins[lane] =
        stream.example(seed, first + lane, std::span(batch.inputs).subspan(lane * length, length),
                       std::span(batch.labels).subspan(lane * length, length), batch.puzzle_ids[lane]);
  }
  return batch;
}

}  // namespace dis
