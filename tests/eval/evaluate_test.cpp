#include "dis/eval/evaluate.h"

#include <gtest/gtest.h>

#include "dis/eval/variant.h"

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
  EXPECT_EQ(variant_name({.tasks = 20, .votes = 5}, plain), "-tasks=20-votes=5");
  EXPECT_EQ(variant_name({.decoder = Decoder::argmax, .ema = false}, plain), "-decoder=argmax-ema=false");
  EXPECT_EQ(variant_name({.batch = 7, .allow_seen_tasks = true}, plain), "") << "how it is done, not what";
}

TEST(Variant, NamesOtherDataAndNoMoreThanAFileNameBears) {
  const RunConfig own;
  RunConfig other;
  other.compute.threads = 3;
  other.train.steps = 7;
  other.data.path = "elsewhere";
  EXPECT_EQ(variant_of(other, own, ResultKind::evaluation).name, "") << "not what the result depends on";
  other.analyze.removals = 5;
  EXPECT_EQ(variant_of(other, own, ResultKind::evaluation).name, "");
  EXPECT_EQ(variant_of(other, own, ResultKind::analysis).name, "-analyze.removals=5");
  EXPECT_EQ(settings_hash(other, ResultKind::evaluation), settings_hash(own, ResultKind::evaluation));
  other.data.test_set = "other";
  const auto named = variant_of(other, own, ResultKind::evaluation);
  EXPECT_EQ(named.name, "-data.test_set=other");
  EXPECT_EQ(named.settings, Json({{"data.test_set", "other"}}));
  EXPECT_NE(settings_hash(other, ResultKind::evaluation), settings_hash(own, ResultKind::evaluation));
  other.data.test_set = "a set/of mine";
  const auto hashed = variant_of(other, own, ResultKind::evaluation, "task a").name;
  EXPECT_EQ(hashed.find_first_of("/ "), std::string::npos) << hashed;
  EXPECT_NE(hashed, variant_of(other, own, ResultKind::evaluation, "task b").name);
}

}  // namespace
}  // namespace dis
