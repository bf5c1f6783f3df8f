// What each launcher says of a rank's place.
#include "dis/dist/place.h"

#include <gtest/gtest.h>

#include <map>

#include "dis/core/error.h"

namespace dis {
namespace {

using Variables = std::map<std::string, std::string>;

Place place_of(const Variables& variables) {
  return find_place([&](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

std::string mistake_of(const Variables& variables) {
  try {
    place_of(variables);
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

Variables with(Variables variables, const std::string& name, const std::string& value) {
  variables[name] = value;
  return variables;
}

Variables without(Variables variables, const std::string& name) {
  variables.erase(name);
  return variables;
}

const Variables kTorchrun = {{"RANK", "5"},
                             {"WORLD_SIZE", "8"},
                             {"LOCAL_RANK", "1"},
                             {"LOCAL_WORLD_SIZE", "4"},
                             {"MASTER_ADDR", "head"},
                             {"MASTER_PORT", "29400"},
                             {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                             {"TORCHELASTIC_RESTART_COUNT", "2"}};
const Variables kSlurm = {{"SLURM_PROCID", "3"},     {"SLURM_NTASKS", "4"},
                          {"SLURM_LOCALID", "1"},    {"SLURM_STEP_ID", "0"},
                          {"SLURM_JOB_ID", "40007"}, {"SLURM_STEP_NODELIST", "gpu[07-09,12].a,x"}};
const Variables kOpenMpi = {{"OMPI_COMM_WORLD_RANK", "1"},
                            {"OMPI_COMM_WORLD_SIZE", "2"},
                            {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                            {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};

TEST(Place, OneProcessWithoutALauncher) {
  for (const auto& variables : {Variables{}, Variables{{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}},
                                Variables{{"RANK", "0"}, {"WORLD_SIZE", "1"}}}) {
    const auto place = place_of(variables);
    EXPECT_EQ(place.size, 1);
    EXPECT_EQ(place.rank, 0);
    EXPECT_EQ(place.restart, 0);
  }
}

TEST(Place, Torchrun) {
  const auto place = place_of(with(kTorchrun, "SLURM_STEP_ID", "1"));  // torchrun within a Slurm job
  EXPECT_EQ(place.rank, 5);
  EXPECT_EQ(place.size, 8);
  EXPECT_EQ(place.local_rank, 1);
  EXPECT_EQ(place.local_size, 4);
  EXPECT_EQ(place.address, "head");
  EXPECT_EQ(place.port, 29400);
  EXPECT_TRUE(place.agent_store);
  EXPECT_EQ(place.restart, 2);
}

TEST(Place, Slurm) {
  const auto place = place_of(kSlurm);
  EXPECT_EQ(place.rank, 3);
  EXPECT_EQ(place.size, 4);
  EXPECT_EQ(place.local_rank, 1);
  EXPECT_EQ(place.address, "gpu07.a");
  EXPECT_EQ(place.port, 15007);
  EXPECT_FALSE(place.agent_store);
  EXPECT_EQ(place_of(with(kSlurm, "SLURM_STEP_NODELIST", "one,two")).address, "one");
  EXPECT_EQ(place_of(with(kSlurm, "SLURM_STEP_NODELIST", "one")).address, "one");
  EXPECT_EQ(place_of(with(kSlurm, "MASTER_ADDR", "here")).address, "here");
}

TEST(Place, OpenMpi) {
  const auto place = place_of(kOpenMpi);
  EXPECT_EQ(place.rank, 1);
  EXPECT_EQ(place.address, "127.0.0.1");
  EXPECT_EQ(place.port, 29500);
  const auto two_machines = with(with(kOpenMpi, "OMPI_COMM_WORLD_LOCAL_SIZE", "1"), "OMPI_COMM_WORLD_LOCAL_RANK", "0");
  EXPECT_NE(mistake_of(two_machines).find("MASTER_ADDR is not set"), std::string::npos);
}

TEST(Place, OneRankNeedsNothingElse) {
  const Variables one = {{"RANK", "0"}, {"WORLD_SIZE", "1"}};
  // Kubernetes: no LOCAL_RANK, and a service called "master" has an address of another kind.
  for (const auto& variables :
       {one, with(one, "MASTER_ADDR", "job-master-0"), with(one, "MASTER_PORT", "tcp://10.43.0.1:29500"),
        with(with(one, "MASTER_ADDR", "job-master-0"), "MASTER_PORT", "tcp://10.43.0.1:29500"), without(one, "RANK"),
        with(one, "RANK", ""), Variables{{"RANK", ""}, {"WORLD_SIZE", ""}}}) {
    const auto place = place_of(variables);
    EXPECT_EQ(place.size, 1);
    EXPECT_EQ(place.rank, 0);
    EXPECT_EQ(place.local_rank, 0);
    EXPECT_EQ(place.address, "");
  }
  const auto place = place_of(with(with(one, "MASTER_ADDR", "job-master-0"), "MASTER_PORT", "29500"));
  EXPECT_EQ(place.address, "job-master-0");  // NCCL can be shown to work with one rank
  EXPECT_EQ(place.port, 29500);
  EXPECT_NE(mistake_of(with(one, "WORLD_SIZE", "2")).find("LOCAL_RANK is not set"), std::string::npos);
}

TEST(Place, AShellOfASlurmJobIsOneProcess) {
  for (const char* step : {"4294967290", "4294967291", "4294967293"}) {  // interactive, batch, pending
    EXPECT_EQ(place_of(with(kSlurm, "SLURM_STEP_ID", step)).size, 1) << step;
  }
  EXPECT_EQ(place_of(with(kSlurm, "SLURM_STEP_ID", "17")).size, 4);
}

TEST(Place, AJobThatWasPutBackIntoTheQueueIsARestart) {
  const Variables requeued = {{"SLURM_RESTART_COUNT", "3"}};
  EXPECT_EQ(place_of(requeued).restart, 3);
  EXPECT_EQ(place_of(with(kSlurm, "SLURM_RESTART_COUNT", "3")).restart, 3);
  auto one = with(with(kSlurm, "SLURM_NTASKS", "1"), "SLURM_PROCID", "0");
  EXPECT_EQ(place_of(with(one, "SLURM_RESTART_COUNT", "3")).restart, 3);
  EXPECT_EQ(place_of(with(kTorchrun, "SLURM_RESTART_COUNT", "3")).restart, 3);
  EXPECT_EQ(place_of(with(kTorchrun, "SLURM_RESTART_COUNT", "1")).restart, 2);
  EXPECT_EQ(place_of({{"WORLD_SIZE", "1"}, {"TORCHELASTIC_RESTART_COUNT", "2"}}).restart, 2);
}

TEST(Place, SaysWhichVariablesMadeItSo) {
  EXPECT_EQ(place_of(kTorchrun).origin, "RANK=5 and WORLD_SIZE=8");
  EXPECT_EQ(place_of(kSlurm).origin, "SLURM_PROCID=3 and SLURM_NTASKS=4");
  EXPECT_EQ(place_of(kOpenMpi).origin, "OMPI_COMM_WORLD_RANK=1 and OMPI_COMM_WORLD_SIZE=2");
  EXPECT_EQ(place_of({}).origin, "");
}

TEST(Place, MistakesNameTheVariable) {
  for (const char* name : {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"}) {
    EXPECT_NE(mistake_of(without(kTorchrun, name)).find(std::string(name) + " is not set"), std::string::npos) << name;
  }
  const std::vector<std::pair<std::string, std::string>> wrong = {{"RANK", "8"},
                                                                  {"RANK", "-1"},
                                                                  {"RANK", "x"},
                                                                  {"RANK", "1x"},
                                                                  {"WORLD_SIZE", "0"},
                                                                  {"LOCAL_RANK", "4"},
                                                                  {"MASTER_PORT", "65536"},
                                                                  {"MASTER_PORT", "29400.5"},
                                                                  {"LOCAL_WORLD_SIZE", "9"}};
  for (const auto& [name, value] : wrong) {
    const auto mistake = mistake_of(with(kTorchrun, name, value));
    EXPECT_NE(mistake.find(name + " = \"" + value + "\": expected a number"), std::string::npos) << mistake;
  }
  EXPECT_NE(mistake_of(with(kTorchrun, "MASTER_ADDR", "")).find("MASTER_ADDR is not set"), std::string::npos);
}

}  // namespace
}  // namespace dis
