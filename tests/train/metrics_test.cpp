#include "dis/train/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace dis {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Three lanes, two ticks of a staggered run with N = 3: nobody stands at step 3.
TickRecords records() { return {3, {1, 1, 2, 2, 2, 1}, {1, 2, 3, 4, 5, 6}, {4, 2, 3, 4, 1, 0}, {4, 4, 3, 4, 4, 4}}; }

TEST(Metrics, MeansAreTakenOverTheLanesOfEachStep) {
  const auto metrics = summarise(records(), 2);
  EXPECT_EQ(metrics.loss, (std::vector<double>{3.0, 4.0}));  // (1 + 2 + 6) / 3, (3 + 4 + 5) / 3
  EXPECT_EQ(metrics.exact, (std::vector<double>{1.0 / 3, 2.0 / 3}));
  EXPECT_EQ(metrics.correct, (std::vector<double>{6.0 / 12, 8.0 / 11}));  // over cells, not over lanes
  EXPECT_EQ(metrics.mean_loss(), 3.5);
}

TEST(Metrics, AStepWithoutLanesIsNaN) {
  const auto metrics = summarise(records(), 3);
  for (const double value : {metrics.loss[2], metrics.exact[2], metrics.correct[2]}) EXPECT_TRUE(std::isnan(value));
  EXPECT_EQ(metrics.loss[1], 4.0);
}

TEST(Metrics, TheFirstLossThatIsNotFiniteIsFound) {
  auto bad = records();
  EXPECT_EQ(find_non_finite(bad), std::nullopt);
  bad.loss[5] = kNaN;
  EXPECT_EQ(find_non_finite(bad), "supervision step 1, lane 2");
  bad.loss[3] = -kInfinity;
  EXPECT_EQ(find_non_finite(bad), "supervision step 2, lanes 0, 2");
  bad.loss[1] = kInfinity;  // an earlier tick
  EXPECT_EQ(find_non_finite(bad), "supervision step 1, lane 1");
  TickRecords many{20, std::vector<std::int32_t>(20, 4), std::vector<double>(20, kNaN), {}, {}};
  EXPECT_EQ(find_non_finite(many), "supervision step 4, lanes 0, 1, 2, 3, 4, 5, 6, 7 and 12 more");
}

TEST(Metrics, ARecordHasItsFieldsInOrder) {
  const auto json = metrics_record(summarise(records(), 3), {12, 2, 6, 5e-5}, {{100.0, 1.5, 0.25}, 64.0, 0.25});
  EXPECT_EQ(json.dump(),
            R"({"step":12,"batch":2,"samples":6,"loss":"NaN","loss_per_step":[3.0,4.0,"NaN"],"exact":"NaN",)"
            R"("exact_per_step":[0.3333333333333333,0.6666666666666666,"NaN"],)"
            R"("correct_per_step":[0.5,0.7272727272727273,"NaN"],"lr":5e-05,"samples_per_s":100.0,"tflops_per_s":1.5,)"
            R"("peak_share":0.25,"peak_memory_mb":64.0,"seconds":0.25})");
}

}  // namespace
}  // namespace dis
