#include "dis/analysis/siblings.h"

#include <gtest/gtest.h>

namespace dis {
namespace {

using Answers = std::vector<std::vector<std::int32_t>>;  // [D][K, L]

TEST(Siblings, LeaveAfterTheirLastCommonAnswer) {
  // Three rollouts of one cell each; the first two end with 5.
  const std::vector<bool> majority{true, true, false};
  const std::vector<std::int32_t> label{5};
  EXPECT_EQ(leaving_step(Answers{{1, 1, 1}, {2, 2, 2}, {5, 5, 3}}, 2, majority, label), 3);
  EXPECT_EQ(leaving_step(Answers{{1, 1, 1}, {2, 2, 4}, {5, 5, 3}}, 2, majority, label), 2);
  EXPECT_EQ(leaving_step(Answers{{1, 1, 7}, {2, 2, 4}, {5, 5, 3}}, 2, majority, label), 1);
  EXPECT_EQ(leaving_step(Answers{{1, 1, 7}, {2, 4, 4}, {5, 5, 3}}, 2, majority, label), 3) << "one of them is enough";
  EXPECT_EQ(leaving_step(Answers{{1, 1, 1}, {2, 2, 4}, {5, 5, 3}, {5, 5, 3}}, 2, majority, label), 2);
}

TEST(Siblings, DifferInLabelledCellsAlone) {
  const std::vector<bool> majority{true, false};
  const std::vector<std::int32_t> label{5, -100};
  EXPECT_EQ(leaving_step(Answers{{1, 1, 1, 9}, {5, 5, 3, 5}}, 1, majority, label), 2);
}

}  // namespace
}  // namespace dis
