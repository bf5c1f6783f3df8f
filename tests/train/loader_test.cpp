#include "dis/train/loader.h"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

#include "train/small_run.h"

namespace dis {
namespace {

/// Input and label of one example, and its frame 1.
using Sample = std::tuple<std::vector<std::int32_t>, std::vector<std::int32_t>, std::int32_t>;

constexpr std::uint64_t kSeed = 3;

Sample sample_at(const TrainingStream& stream, std::uint64_t position) {
  const auto one = draw_batch(stream, kSeed, position, 1);
  return {one.inputs, one.labels, one.puzzle_ids[0]};
}

/// Frames that name their position.
std::vector<std::int32_t> numbered(std::uint64_t first, const Batch& batch) {
  std::vector<std::int32_t> frames;
  for (std::int64_t i = 0; i < batch.lanes; ++i)
    frames.push_back(static_cast<std::int32_t>(first) + static_cast<std::int32_t>(i));
  return frames;
}

/// What the loads hold, lane by lane.
std::map<std::int64_t, std::pair<Sample, std::int32_t>> by_lane(const std::vector<LaneLoad>& loads) {
  std::map<std::int64_t, std::pair<Sample, std::int32_t>> lanes;
  for (const auto& load : loads) {
    const auto length = static_cast<std::size_t>(load.batch.length);
    for (std::int64_t i = 0; i < load.batch.lanes; ++i) {
      const auto at = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(i) * length);
      const auto row = [&](const std::vector<std::int32_t>& all) {
        return std::vector<std::int32_t>(all.begin() + at, all.begin() + at + static_cast<std::ptrdiff_t>(length));
      };
      const auto lane = static_cast<std::size_t>(i);
      const bool added =
          lanes
              .try_emplace(load.first_lane + i,
                           Sample{row(load.batch.inputs), row(load.batch.labels), load.batch.puzzle_ids[lane]},
                           load.frames[lane])
              .second;
      EXPECT_TRUE(added) << "lane " << load.first_lane + i << " twice";
    }
  }
  return lanes;
}

class LoaderThreads : public testing::TestWithParam<std::size_t> {};

TEST_P(LoaderThreads, EveryLaneGetsItsSampleWhenItBegins) {
  const RandomPuzzles stream;
  for (const LaneClock& clock : {LaneClock{5, 3, true}, {5, 3, false}, {2, 4, true}, {1, 1, false}}) {
    Loader loader(clock, {0, clock.lanes}, kSeed, stream, numbered, GetParam());
    for (std::int64_t tick = 0; tick < 4 * clock.steps; ++tick) {
      const auto taken = by_lane(loader.take(tick));
      for (std::int64_t lane = 0; lane < clock.lanes; ++lane) {
        ASSERT_EQ(taken.contains(lane), clock.step(tick, lane) == 1);
        if (!taken.contains(lane)) continue;
        const auto position = clock.sample(tick, lane);
        EXPECT_EQ(taken.at(lane).first, sample_at(stream, position));
        EXPECT_EQ(taken.at(lane).second, static_cast<std::int32_t>(position));
      }
      const auto all = by_lane(loader.take_all(tick));
      ASSERT_EQ(std::ssize(all), clock.lanes);
      for (std::int64_t lane = 0; lane < clock.lanes; ++lane) {
        EXPECT_EQ(all.at(lane).first, sample_at(stream, clock.sample(tick, lane)));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Loader, LoaderThreads, testing::Values(1, 2, 7));

TEST(Loader, TicksMayBeLeftOut) {
  const RandomPuzzles stream;
  const LaneClock clock{4, 2, false};
  Loader loader(clock, {0, clock.lanes}, kSeed, stream, numbered, 2);
  loader.take(0);  // draws tick 2 ahead
  EXPECT_EQ(by_lane(loader.take(6)).at(1).first, sample_at(stream, clock.sample(6, 1)));
}

TEST(Loader, AMistakeWhileDrawingReachesTheTrainer) {
  const RandomPuzzles stream;
  const auto fails = [](std::uint64_t first, const Batch& batch) {
    if (first >= 4) throw std::runtime_error("no frames");
    return numbered(first, batch);
  };
  Loader loader({4, 2, false}, {0, 4}, kSeed, stream, fails, 1);
  EXPECT_EQ(loader.take(0).size(), 1U);
  EXPECT_THROW(loader.take(2), std::runtime_error);
}

}  // namespace
}  // namespace dis
