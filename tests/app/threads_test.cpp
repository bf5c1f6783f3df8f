// How many threads the program takes, and how they wait.
#include <gtest/gtest.h>

#include "app/program.h"
#include "app/run_folder.h"
#include "core/temporary_folder.h"
#include "dis/core/cpus.h"
#include "dis/core/files.h"
#include "dis/core/json.h"

namespace dis {
namespace {

/// What OpenMP's library says of its settings as it starts.
std::string openmp_settings(std::vector<std::string> variables) {
  variables.emplace_back("OMP_DISPLAY_ENV=verbose");
  Program program({"--version"}, variables);
  const auto outcome = program.wait();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return outcome.err;
}

TEST(Threads, WaitAsleepUnlessTheUserSaysOtherwise) {
  const std::string asleep = "GOMP_SPINCOUNT = '0'";
  const auto one = openmp_settings({"OMP_NUM_THREADS=1"});
  if (one.find("GOMP_SPINCOUNT = ") == std::string::npos) GTEST_SKIP() << "another OpenMP: " << one;
  EXPECT_EQ(one.find(asleep), std::string::npos) << one;
  const auto users = openmp_settings({"GOMP_SPINCOUNT=77"});
  EXPECT_NE(users.find("GOMP_SPINCOUNT = '77'"), std::string::npos) << users;
  EXPECT_EQ(users.find(asleep), std::string::npos) << users;
  for (const char* word : {"OMP_WAIT_POLICY=active", "OMP_PROC_BIND=true", "OMP_PLACES=cores", "GOMP_CPU_AFFINITY=0"}) {
    EXPECT_EQ(openmp_settings({word}).find(asleep), std::string::npos) << word;
  }
  if (usable_threads() == 1) GTEST_SKIP() << "one CPU";
  const auto sleeping = openmp_settings({});
  EXPECT_NE(sleeping.find(asleep), std::string::npos) << sleeping;
}

TEST(Threads, ChangeNoBitHoweverTheyWait) {
  const TemporaryFolder folder;
  const auto weights_of = [&](const char* name, const std::vector<std::string>& variables) {
    const auto run = folder / name;
    Program program(train_tiny(run, {"train.steps=24", "compute.threads=2"}), variables);
    const auto outcome = program.wait();
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return read_text(run / "checkpoints/latest/model.safetensors");
  };
  const auto asleep = weights_of("asleep", {});
  EXPECT_TRUE(asleep == weights_of("spinning", {"GOMP_SPINCOUNT=100000"}));
  EXPECT_TRUE(asleep == weights_of("active", {"OMP_WAIT_POLICY=active"}));
}

TEST(Threads, AreAtMostWhatTheUserSays) {
  for (const auto& variables : {std::vector<std::string>{"OMP_NUM_THREADS=1"}, {"OMP_NUM_THREADS=1,4"}}) {
    Program program({"info", "--json"}, variables);
    EXPECT_EQ(parse_json(program.wait().out, "info")["cpu"]["threads"], 1);
  }
}

}  // namespace
}  // namespace dis
