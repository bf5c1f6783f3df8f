// The checks honour what a case states: with another setting the recorded numbers no longer hold, and a setting that a
// check does not know fails it.
#include "settings.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "core/temporary_folder.h"
#include "dis/core/error.h"
#include "dis/core/files.h"

namespace dis::golden {
namespace {

namespace fs = std::filesystem;

/// Whether the check of a shipped case fails once `patch` is merged into its JSON.
bool fails(void (*check)(const Case&), const std::string& name, const Json& patch) {
  const fs::path shipped = fs::path(DIS_SOURCE_DIR) / "tests/data/golden" / name;
  const TemporaryFolder folder;
  auto json = read_json(shipped.string() + ".json");
  json.merge_patch(patch);
  write_json(folder / "case.json", json);
  fs::copy_file(shipped.string() + ".safetensors", folder / "case.safetensors");
  ::testing::TestPartResultArray results;
  const ::testing::ScopedFakeTestPartResultReporter reporter(
      ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
  try {
    check(Case(folder / "case.json"));
  } catch (const UserError&) {
    return true;
  }
  return results.size() > 0;
}

TEST(GoldenSettings, AreHonouredOrRefused) {
  EXPECT_FALSE(fails(check_halting, "trm_train", {{"remark", "text that only describes"}, {"seed", 1}}));
  for (const Json& patch :
       {Json{{"loss", "softmax"}}, Json{{"loss", "focal"}}, Json{{"update", "accumulated"}}, Json{{"grad_clip", 1.0}},
        Json{{"hyper", {{"ema_rate", 0.9}}}}, Json{{"config", {{"halt_exploration_prob", 0.1}}}}}) {
    EXPECT_TRUE(fails(check_halting, "trm_train", patch)) << patch;
  }
  EXPECT_TRUE(fails(check_halting, "hrm_forward", {{"loss", "softmax"}}));
  EXPECT_TRUE(fails(check_forward, "trm_forward", {{"loss", "softmax"}}));
  EXPECT_TRUE(fails(check_forward, "trm_forward", {{"config", {{"pos_encodings", "learned"}}}}));
  for (const Json& patch : {Json{{"loss", "softmax"}}, Json{{"step_weights", "linear"}}, Json{{"time", "none"}},
                            Json{{"optimisers", {{"sgd", "plain"}}}}}) {
    EXPECT_TRUE(fails(check_training, "dis_train", patch)) << patch;
  }
  EXPECT_TRUE(fails(check_optimisers, "optimizers", {{"hyper", {{"adamw_eps", 0.01}}}}));
  EXPECT_TRUE(fails(check_path_targets, "path_targets", {{"loss", "softmax"}}));
}

}  // namespace
}  // namespace dis::golden
