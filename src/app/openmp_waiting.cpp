#include "openmp_waiting.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "dis/core/cpus.h"

namespace dis {

void let_waiting_threads_sleep(char** argv) {
  // Threads that OpenMP has bound would hand their one CPU on to the program started again.
  for (const char* variable :
       {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY"}) {
    if (std::getenv(variable) != nullptr) return;
  }
  if (usable_threads() == 1) return;
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  // Not by way of a loader (ld.so dis train ...), of which argv says nothing.
  if (error || program.filename() != std::filesystem::path(argv[0]).filename()) return;
  ::setenv("GOMP_SPINCOUNT", "0", 1);
  ::execv(program.c_str(), argv);
  ::unsetenv("GOMP_SPINCOUNT");  // it could not be started again: as it was
}

}  // namespace dis
