// How many threads this process may keep busy, which is often fewer than the machine has cores: a batch system or
// taskset narrows the affinity mask, a container has a CPU quota, OMP_NUM_THREADS and OMP_THREAD_LIMIT are the user's
// word.
#pragma once

#include <filesystem>
#include <limits>

namespace dis {

/// What bounds the threads of this process.
struct CpuBounds {
  int machine = 1;        ///< CPUs that are online
  int allowed = 1;        ///< of them in the affinity mask
  bool own_mask = false;  ///< the mask is narrower than that of the process that started this one: no other shares it
  double quota = std::numeric_limits<double>::infinity();  ///< CPUs' worth of time that its control groups get
  int openmp = std::numeric_limits<int>::max();            ///< OMP_NUM_THREADS (its first level) and OMP_THREAD_LIMIT
};

/// Those of this process; its quota is cpu_quota(root).
CpuBounds find_cpu_bounds(const std::filesystem::path& root = "/");

/// Threads for each of so many processes that share the machine (and mask, unless it is their own, and quota), at least
/// 1. A part of a CPU is none: threads that wait for each other are as slow as the one that the quota stops.
int threads_of(const CpuBounds& bounds, int processes = 1);

/// threads_of(find_cpu_bounds(), processes)
int usable_threads(int processes = 1);

/// CPUs' worth of time that this process's control groups, version 1 or 2, and those above them get, as /proc and the
/// file systems mounted below `root` say; infinity: no bound, or none that can be read.
double cpu_quota(const std::filesystem::path& root = "/");

}  // namespace dis
