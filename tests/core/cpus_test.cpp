// Threads that a process may use: masks, quotas, the user's word.
#include "dis/core/cpus.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <thread>

#include "core/kept_variable.h"
#include "core/temporary_folder.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

void put(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text << "\n";
}

TEST(CpuQuota, OfTheSecondVersionAndOfGroupsAbove) {
  const TemporaryFolder root;
  EXPECT_TRUE(std::isinf(cpu_quota(root.path())));  // no /proc
  put(root / "proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate");
  put(root / "proc/self/cgroup", "0::/user.slice/job 7");
  const auto groups = root / "sys/fs/cgroup";
  EXPECT_TRUE(std::isinf(cpu_quota(root.path())));  // the files are not there
  put(groups / "user.slice/job 7/cpu.max", "max 100000");
  EXPECT_TRUE(std::isinf(cpu_quota(root.path())));
  put(groups / "user.slice/job 7/cpu.max", "350000 100000");
  EXPECT_EQ(cpu_quota(root.path()), 3.5);
  put(groups / "user.slice/cpu.max", "200000 100000");
  EXPECT_EQ(cpu_quota(root.path()), 2.0);
  put(groups / "user.slice/cpu.max", "800000 100000");
  EXPECT_EQ(cpu_quota(root.path()), 3.5);
}

TEST(CpuQuota, OfAContainerThatSeesItsOwnGroupAsTheRoot) {
  const TemporaryFolder root;
  put(root / "proc/self/mountinfo", "30 23 0:26 /docker/17 /sys/fs/cgroup ro - cgroup2 cgroup rw");
  put(root / "proc/self/cgroup", "0::/docker/17");
  put(root / "sys/fs/cgroup/cpu.max", "150000 50000");
  EXPECT_EQ(cpu_quota(root.path()), 3.0);
  put(root / "proc/self/cgroup", "0::/../other");  // of another namespace
  EXPECT_EQ(cpu_quota(root.path()), 3.0);
  put(root / "proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw");
  put(root / "proc/self/cgroup", "0::/docker/17");
  EXPECT_EQ(cpu_quota(root.path()), 3.0);
}

TEST(CpuQuota, OfTheFirstVersion) {
  const TemporaryFolder root;
  put(root / "proc/self/mountinfo",
      "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
      "32 31 0:29 / /sys/fs/cgroup/cpuset rw shared:9 - cgroup cgroup rw,cpuset\n"
      "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
      "34 31 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw");
  put(root / "proc/self/cgroup", "9:cpuset:/other\n4:cpu,cpuacct:/job\n0::/");
  const auto group = root / "sys/fs/cgroup/cpu,cpuacct/job";
  put(group / "cpu.cfs_quota_us", "-1");
  put(group / "cpu.cfs_period_us", "100000");
  EXPECT_TRUE(std::isinf(cpu_quota(root.path())));
  put(group / "cpu.cfs_quota_us", "50000");
  EXPECT_EQ(cpu_quota(root.path()), 0.5);
}

TEST(CpuThreads, AreTheFewestThatAnyBoundAllows) {
  CpuBounds bounds;
  bounds.machine = 32;
  bounds.allowed = 32;
  EXPECT_EQ(threads_of(bounds), 32);
  EXPECT_EQ(threads_of(bounds, 4), 8);
  EXPECT_EQ(threads_of(bounds, 33), 1);
  bounds.allowed = 12;  // shared by the ranks, as taskset gives it to their launcher
  EXPECT_EQ(threads_of(bounds), 12);
  EXPECT_EQ(threads_of(bounds, 4), 3);
  bounds.quota = 5.9;
  EXPECT_EQ(threads_of(bounds), 5);
  EXPECT_EQ(threads_of(bounds, 4), 1);
  bounds.quota = 0.2;
  EXPECT_EQ(threads_of(bounds), 1);
  bounds.quota = 5.9;
  bounds.openmp = 2;
  EXPECT_EQ(threads_of(bounds), 2);
}

TEST(CpuThreads, AMaskOfItsOwnIsNotDivided) {
  CpuBounds bounds;
  bounds.machine = 32;
  bounds.allowed = 8;  // srun --ntasks 4 --cpus-per-task 8
  bounds.own_mask = true;
  EXPECT_EQ(threads_of(bounds, 4), 8);
  bounds.allowed = 16;  // half a machine, for two of the four
  EXPECT_EQ(threads_of(bounds, 4), 8);
}

TEST(CpuThreads, OfAProcessWithAQuota) {
  const TemporaryFolder root;
  EXPECT_TRUE(std::isinf(find_cpu_bounds(root.path()).quota));
  put(root / "proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw");
  put(root / "proc/self/cgroup", "0::/job");
  put(root / "sys/fs/cgroup/job/cpu.max", "150000 100000");
  EXPECT_EQ(find_cpu_bounds(root.path()).quota, 1.5);
}

TEST(CpuThreads, OfThisProcess) {
  const KeptVariable number("OMP_NUM_THREADS"), binding("OMP_PROC_BIND");
  number.unset();
  cpu_set_t mask;
  ASSERT_EQ(::sched_getaffinity(0, sizeof mask, &mask), 0);
  EXPECT_EQ(find_cpu_bounds().allowed, CPU_COUNT(&mask));
  std::thread([&] {  // the mask is a thread's
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
      if (CPU_ISSET(cpu, &mask)) CPU_SET(cpu, &one);
    }
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    const auto narrow = find_cpu_bounds();
    EXPECT_EQ(narrow.allowed, 1);
    EXPECT_EQ(usable_threads(), 1);
    cpu_set_t parents;
    ASSERT_EQ(::sched_getaffinity(::getppid(), sizeof parents, &parents), 0);
    EXPECT_EQ(narrow.own_mask, CPU_COUNT(&parents) > 1) << "its parent may use more";
    binding.set("true");  // OpenMP narrows the mask of a thread, not what the process may use
    EXPECT_EQ(find_cpu_bounds().allowed, CPU_COUNT(&parents));
    binding.unset();
  })
      .join();
  for (const auto& [value, threads] : {std::pair{"3", 3}, {" 5,2", 5}}) {
    number.set(value);
    EXPECT_EQ(find_cpu_bounds().openmp, threads) << value;
  }
  for (const char* value : {"", "0", "-2", "many"}) {
    number.set(value);
    EXPECT_EQ(find_cpu_bounds().openmp, std::numeric_limits<int>::max()) << value;
  }
}

}  // namespace
}  // namespace dis
