// The rates of a run, against a clock that stands still until it is told to go.
#include "dis/train/throughput.h"

#include <gtest/gtest.h>

namespace dis {
namespace {

TEST(Throughput, IsThatOfTheLastInterval) {
  double now = 50.0;
  Throughput meter(3e12, 4e12, [&] { return now; });
  for (int i = 0; i < 1000; ++i) meter.batch(8);
  now += 1000.0;
  auto rates = meter.interval();
  EXPECT_DOUBLE_EQ(rates.samples_per_s, 8.0);
  EXPECT_DOUBLE_EQ(rates.tflops_per_s, 3.0);
  EXPECT_DOUBLE_EQ(rates.peak_share, 0.75);
  meter.batch(8);
  meter.batch(4);  // with halting a batch ends as many samples as it likes, and costs the same
  now += 8.0;
  rates = meter.interval();
  EXPECT_DOUBLE_EQ(rates.samples_per_s, 1.5);
  EXPECT_DOUBLE_EQ(rates.tflops_per_s, 0.75);
  EXPECT_DOUBLE_EQ(rates.peak_share, 0.1875);
}

TEST(Throughput, LeavesOutWhatIsNoTraining) {
  double now = 0.0;
  Throughput meter(1e12, 1e12, [&] { return now; });
  meter.batch(8);
  now += 1.0;
  EXPECT_EQ(meter.without([&] {
    now += 3600.0;
    return 7;
  }),
            7);
  now += 1.0;
  EXPECT_DOUBLE_EQ(meter.interval().samples_per_s, 4.0);
}

}  // namespace
}  // namespace dis
