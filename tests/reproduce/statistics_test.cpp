#include "dis/reproduce/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dis {
namespace {

TEST(Statistics, StudentsQuantilesAreThoseOfTheTables) {
  EXPECT_NEAR(student_quantile(0.975, 1), 12.7062, 1e-4);
  EXPECT_NEAR(student_quantile(0.975, 2), 4.30265, 1e-5);
  EXPECT_NEAR(student_quantile(0.975, 9), 2.26216, 1e-5);
  EXPECT_NEAR(student_quantile(0.8, 2), 1.06066, 1e-5);
  EXPECT_NEAR(student_quantile(0.975, 1000), 1.96234, 1e-5);
}

TEST(Statistics, TheMeanHasStudentsInterval) {
  const auto mean = mean_of({1.0, 2.0, 3.0});
  EXPECT_DOUBLE_EQ(mean.value, 2.0);
  EXPECT_NEAR(mean.half_width, 4.30265 / std::sqrt(3.0), 1e-5);  // the standard deviation is 1
  EXPECT_EQ(mean.n, 3);
  EXPECT_TRUE(std::isnan(mean_of({1.0}).half_width));
  EXPECT_TRUE(std::isnan(mean_of({}).value));
}

TEST(Statistics, TheDetectableDifferenceShrinksWithTheSpread) {
  EXPECT_NEAR(detectable_difference({1.0, 2.0, 3.0}), (4.30265 + 1.06066) / std::sqrt(3.0), 1e-4);
  EXPECT_NEAR(detectable_difference({0.1, 0.2, 0.3}), (4.30265 + 1.06066) / std::sqrt(3.0) / 10, 1e-5);
  EXPECT_TRUE(std::isnan(detectable_difference({1.0})));
}

}  // namespace
}  // namespace dis
