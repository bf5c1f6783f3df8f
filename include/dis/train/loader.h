// Draws the samples that lanes take next, ahead of the trainer, in threads of its own. What is drawn depends on the
// tick alone, so neither the threads nor what was drawn ahead have any effect on the results.
//
// Lanes and ticks are those of supervision.h. Lanes with the same phase stand side by side, so the lanes that take new
// samples at a tick are one range, and their samples are neighbours in the stream.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <vector>

#include "dis/config/config.h"
#include "dis/data/dataset.h"

namespace dis {

/// Frames [B, N + 1, L] of the examples first..first+B-1 of the training stream (TargetBuilder::batch_frames). Called
/// from several threads.
using FrameSource = std::function<std::vector<std::int32_t>(std::uint64_t first, const Batch& batch)>;

/// Samples for the lanes first_lane..first_lane + batch.lanes - 1.
struct LaneLoad {
  std::int64_t first_lane = 0;
  std::int64_t first_sample = 0;  ///< position in the training stream of the first; the others follow it
  Batch batch;
  std::vector<std::int32_t> frames;  ///< [lanes, N + 1, L]
};

/// Where lanes stand: number of lanes B, steps N, and whether each has its own phase.
struct LaneClock {
  std::int64_t lanes = 1;
  std::int64_t steps = 1;
  bool staggered = false;

  std::int64_t phase(std::int64_t lane) const { return staggered ? lane * steps / lanes : 0; }
  /// Supervision step s = 1..N of a lane.
  std::int32_t step(std::int64_t tick, std::int64_t lane) const {
    return static_cast<std::int32_t>((tick + phase(lane)) % steps + 1);
  }
  /// Position in the training stream of the sample that the lane works on.
  std::uint64_t sample(std::int64_t tick, std::int64_t lane) const {
    return static_cast<std::uint64_t>((tick + phase(lane)) / steps * lanes + lane);
  }
};

/// Lanes first..first + count - 1, those of one rank.
struct LaneRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

class Loader {
 public:
  /// Of the clock's lanes those in `own`. `threads` draw the lanes of a tick at the same time. The references must
  /// outlive the loader.
  Loader(const LaneClock& clock, LaneRange own, std::uint64_t seed, const TrainingStream& stream, FrameSource frames,
         std::size_t threads);
  Loader(const Loader&) = delete;  // its threads know where it is
  Loader& operator=(const Loader&) = delete;

  /// The samples of the lanes whose step is 1 at `tick`; then begins to draw those of the next tick
  /// that has any.
  std::vector<LaneLoad> take(std::int64_t tick);
  /// The samples that all lanes work on at `tick`.
  std::vector<LaneLoad> take_all(std::int64_t tick) const;

 private:
  LaneLoad draw(std::int64_t tick, LaneRange range) const;
  std::vector<LaneRange> beginners(std::int64_t tick) const;
  void begin(std::int64_t tick);

  LaneClock clock_;
  LaneRange own_;
  std::uint64_t seed_;
  const TrainingStream& stream_;
  FrameSource frames_;
  std::size_t threads_;
  std::int64_t ahead_tick_ = -1;
  std::vector<std::future<LaneLoad>> ahead_;
};

}  // namespace dis
