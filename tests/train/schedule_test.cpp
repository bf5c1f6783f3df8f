#include "dis/train/schedule.h"

#include <gtest/gtest.h>

namespace dis {
namespace {

TEST(Schedule, WarmsUpLinearlyFromUpdateOneAndStays) {
  OptimConfig optim;
  optim.warmup_steps = 4;
  for (const auto& [step, factor] : {std::pair{1, 0.25}, {2, 0.5}, {3, 0.75}, {4, 1.0}, {5, 1.0}, {1000, 1.0}}) {
    EXPECT_DOUBLE_EQ(learning_rate_factor(optim, step, 100), factor) << step;
  }
  optim.warmup_steps = 0;
  EXPECT_DOUBLE_EQ(learning_rate_factor(optim, 1, 100), 1.0);
}

TEST(Schedule, FollowsACosineDownToTheFloor) {
  OptimConfig optim;
  optim.warmup_steps = 10;
  optim.lr_min_ratio = 0.2;
  EXPECT_DOUBLE_EQ(learning_rate_factor(optim, 10, 110), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate_factor(optim, 60, 110), 0.6);
  EXPECT_NEAR(learning_rate_factor(optim, 35, 110), 0.2 + 0.8 * 0.8535533905932737, 1e-12);  // (1 + cos(pi / 4)) / 2
  EXPECT_DOUBLE_EQ(learning_rate_factor(optim, 110, 110), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate_factor(optim, 500, 110), 0.2);  // not up again
  EXPECT_DOUBLE_EQ(learning_rate_factor(optim, 5, 110), 0.5);    // warm-up reaches the full rate
}

TEST(Schedule, FirstTheRowsLearnAlone) {
  OptimConfig optim;
  optim.warmup_steps = 10;
  optim.lr_min_ratio = 0.0;
  EXPECT_EQ(network_rate_factor(optim, 1, 100), learning_rate_factor(optim, 1, 100));
  optim.rows_first = 0.25;
  EXPECT_EQ(network_rate_factor(optim, 25, 100), 0.0);
  EXPECT_EQ(network_rate_factor(optim, 26, 100), learning_rate_factor(optim, 26, 100));
  EXPECT_GT(network_rate_factor(optim, 26, 100), 0.0);
  optim.rows_first = 1.0;
  EXPECT_EQ(network_rate_factor(optim, 100, 100), 0.0);
}

TEST(Schedule, StepWeightsHaveTheMeanOne) {
  for (const std::int64_t N : {1, 3, 6}) {
    double sum = 0.0;
    for (std::int64_t s = 1; s <= N; ++s) {
      EXPECT_EQ(step_weight(StepWeights::uniform, s, N), 1.0);
      const double weight = step_weight(StepWeights::linear, s, N);
      EXPECT_DOUBLE_EQ(weight, static_cast<double>(s) * step_weight(StepWeights::linear, 1, N));
      sum += weight;
    }
    EXPECT_DOUBLE_EQ(sum, static_cast<double>(N));
  }
}

TEST(Schedule, BatchesHoldAtLeastTheUpdatesAskedFor) {
  MethodConfig method;
  method.num_supervision = 6;
  EXPECT_EQ(updates_per_batch(method), 6);
  EXPECT_EQ(batches_of(method, 1), 1);
  EXPECT_EQ(batches_of(method, 12), 2);
  EXPECT_EQ(batches_of(method, 13), 3);
  method.update = Update::accumulated;
  EXPECT_EQ(updates_per_batch(method), 1);
  EXPECT_EQ(batches_of(method, 13), 13);
}

}  // namespace
}  // namespace dis
