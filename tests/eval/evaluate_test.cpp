#include "dis/eval/evaluate.h"

#include <gtest/gtest.h>

namespace dis {
namespace {

TEST(Variant, NamesWhatDiffersFromTheNetworksOwnSettings) {
  const EvalConfig plain, guided{.guidance = 1.5}, halting{.halting = true}, both{.guidance = 0.0, .halting = true};
  EXPECT_EQ(variant_name(plain, plain), "");
  EXPECT_EQ(variant_name(guided, plain), "-w1.5");
  EXPECT_EQ(variant_name(guided, guided), "");
  EXPECT_EQ(variant_name(plain, guided), "-w1.0");
  EXPECT_EQ(variant_name(halting, plain), "-halting");
  EXPECT_EQ(variant_name(plain, halting), "-all-steps");
  EXPECT_EQ(variant_name(both, plain), "-w0.0-halting");
  EXPECT_EQ(variant_name({.votes = 5}, plain), "");
}

}  // namespace
}  // namespace dis
