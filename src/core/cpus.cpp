#include "dis/core/cpus.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace dis {
namespace {

namespace fs = std::filesystem;

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

bool lists(const std::string& comma_separated, const std::string& name) {
  return ("," + comma_separated + ",").find("," + name + ",") != std::string::npos;
}

/// A mounted hierarchy of control groups that may bound CPU time.
struct Hierarchy {
  fs::path mount, root;  ///< `root` of the hierarchy is what `mount` shows
  bool second = false;   ///< version 2
};

std::vector<Hierarchy> hierarchies(const fs::path& root) {
  std::vector<Hierarchy> found;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::string skip, shown, mount, type, source, options;
    std::istringstream(line) >> skip >> skip >> skip >> shown >> mount;
    std::istringstream(line.substr(dash + 3)) >> type >> source >> options;
    if (type == "cgroup2" || (type == "cgroup" && lists(options, "cpu"))) {
      found.push_back({root / fs::path(mount).relative_path(), shown, type == "cgroup2"});
    }
  }
  return found;
}

/// The group of this process in a hierarchy: "2:cpu,cpuacct:/docker/17" of version 1, "0::/user.slice" of version 2.
std::optional<fs::path> group_in(const Hierarchy& hierarchy, const fs::path& root) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    if (hierarchy.second ? controllers.empty() : lists(controllers, "cpu")) return line.substr(second + 1);
  }
  return std::nullopt;
}

/// "200000 100000" or "max 100000" in one file, or two files of which the first says -1 for no bound.
double quota_of(const fs::path& folder, bool second) {
  double quota = 0.0, period = 0.0;
  if (second) {
    std::ifstream(folder / "cpu.max") >> quota >> period;  // "max" is no number
  } else {
    std::ifstream(folder / "cpu.cfs_quota_us") >> quota;
    std::ifstream(folder / "cpu.cfs_period_us") >> period;
  }
  return quota > 0.0 && period > 0.0 ? quota / period : kNoQuota;
}

/// A positive number at the beginning of a variable: "4", "4,2" (one number for each level of nesting).
int number_of(const char* variable) {
  constexpr int kNone = std::numeric_limits<int>::max();
  const char* value = std::getenv(variable);
  if (value == nullptr) return kNone;
  const std::string_view text(value);
  const auto start = std::min(text.find_first_not_of(' '), text.size());
  int number = 0;
  std::from_chars(text.data() + start, text.data() + text.size(), number);
  return number > 0 ? number : kNone;
}

/// The CPUs that a process may run on; 0: this one.
std::optional<cpu_set_t> mask_of(pid_t process) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(process, sizeof mask, &mask) != 0) return std::nullopt;  // more CPUs than it has room for
  return mask;
}

/// Whether OpenMP has bound this thread to one CPU of those that the process may use.
bool bound_by_openmp() {
  for (const char* variable : {"OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY"}) {
    const char* value = std::getenv(variable);
    if (value != nullptr && *value != '\0' && std::string_view(value) != "false") return true;
  }
  return false;
}

}  // namespace

double cpu_quota(const fs::path& root) {
  double quota = kNoQuota;
  for (const auto& hierarchy : hierarchies(root)) {
    const auto group = group_in(hierarchy, root);
    if (!group) continue;
    // Inside a container the path may be that of the machine, whose folders are not to be seen here: then what is
    // mounted is the group itself.
    const auto below = group->lexically_relative(hierarchy.root).lexically_normal();
    fs::path folder = hierarchy.mount;
    quota = std::min(quota, quota_of(folder, hierarchy.second));
    for (const auto& name : below) {
      if (name == "." || name == "..") continue;
      folder /= name;
      quota = std::min(quota, quota_of(folder, hierarchy.second));
    }
  }
  return quota;
}

CpuBounds find_cpu_bounds(const fs::path& root) {
  CpuBounds bounds;
  bounds.machine = bounds.allowed = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const auto parent = mask_of(::getppid()), mask = bound_by_openmp() ? parent : mask_of(0);
  if (mask) {
    bounds.allowed = std::max(1, CPU_COUNT(&*mask));
    bounds.own_mask = parent && CPU_COUNT(&*parent) > bounds.allowed;
  }
  bounds.quota = cpu_quota(root);
  bounds.openmp = std::min(number_of("OMP_NUM_THREADS"), number_of("OMP_THREAD_LIMIT"));
  return bounds;
}

int threads_of(const CpuBounds& bounds, int processes) {
  // Masks of their own may overlap, so none gets more than its part of the machine.
  const int share = bounds.own_mask ? std::min(bounds.allowed, bounds.machine / processes) : bounds.allowed / processes;
  const double paid = std::floor(bounds.quota / processes);
  const int threads = std::min(share, bounds.openmp);
  return std::max(1, paid < threads ? static_cast<int>(paid) : threads);
}

int usable_threads(int processes) { return threads_of(find_cpu_bounds(), processes); }

}  // namespace dis
