#include "dis/train/loader.h"

#include <algorithm>
#include <utility>

namespace dis {

Loader::Loader(const LaneClock& clock, LaneRange own, std::uint64_t seed, const TrainingStream& stream,
               FrameSource frames, std::size_t threads)
    : clock_(clock),
      own_(own),
      seed_(seed),
      stream_(stream),
      frames_(std::move(frames)),
      threads_(std::max<std::size_t>(threads, 1)) {}

LaneLoad Loader::draw(std::int64_t tick, LaneRange range) const {
  const auto first = clock_.sample(tick, range.first);
  LaneLoad load{range.first, static_cast<std::int64_t>(first), draw_batch(stream_, seed_, first, range.count), {}};
  load.frames = frames_(first, load.batch);
  return load;
}

std::vector<LaneRange> Loader::beginners(std::int64_t tick) const {
  const auto behind = own_.first + own_.count;
  std::int64_t first = own_.first;
  while (first < behind && clock_.step(tick, first) != 1) ++first;
  std::int64_t end = first;
  while (end < behind && clock_.step(tick, end) == 1) ++end;
  std::vector<LaneRange> ranges;
  const auto pieces = std::min(static_cast<std::int64_t>(threads_), end - first);
  for (std::int64_t piece = 0; piece < pieces; ++piece) {
    const auto from = first + (end - first) * piece / pieces, to = first + (end - first) * (piece + 1) / pieces;
    ranges.push_back({from, to - from});
  }
  return ranges;
}

void Loader::begin(std::int64_t tick) {
  ahead_tick_ = tick;
  ahead_.clear();
  for (const auto range : beginners(tick)) {
    ahead_.push_back(std::async(std::launch::async, [this, tick, range] { return draw(tick, range); }));
  }
}

std::vector<LaneLoad> Loader::take(std::int64_t tick) {
  if (beginners(tick).empty()) return {};
  if (ahead_tick_ != tick) begin(tick);
  std::vector<LaneLoad> loads;
  for (auto& part : ahead_) loads.push_back(part.get());
  auto next = tick + 1;
  while (beginners(next).empty()) ++next;
  begin(next);
  return loads;
}

std::vector<LaneLoad> Loader::take_all(std::int64_t tick) const {
  std::vector<LaneLoad> loads;
  for (std::int64_t first = own_.first; first < own_.first + own_.count;) {
    auto end = first;
    while (end < own_.first + own_.count && clock_.phase(end) == clock_.phase(first)) ++end;
    loads.push_back(draw(tick, {first, end - first}));
    first = end;
  }
  return loads;
}

}  // namespace dis
