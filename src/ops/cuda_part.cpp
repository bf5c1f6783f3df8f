#include "dis/ops/cuda_part.h"

#include <ATen/Context.h>
#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

namespace dis {
namespace {

namespace fs = std::filesystem;

const CudaPart* loaded = nullptr;

/// Where the CUDA part is; empty: in none of the places.
fs::path cuda_library() {
  if (const char* named = std::getenv("DIS_CUDA_LIBRARY"); named != nullptr && *named != '\0') return named;
  constexpr const char* kName = "libdis_cuda.so";
  std::error_code ignored;
  const auto folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const auto& place :
       {folder / kName, folder.parent_path() / kName, folder.parent_path() / "lib" / "dis" / kName}) {
    if (fs::exists(place, ignored)) return place;
  }
  return {};
}

std::string load() {
  const auto library = cuda_library();
  if (library.empty()) return "this build has no CUDA part (libdis_cuda.so); the preset `cuda` makes one";
  // LibTorch's CUDA libraries first, by the executable's search path: they bring the CUDA runtime that the part needs.
  // For good: LibTorch keeps pointers into them.
  for (const std::string& name : {std::string("libtorch_cuda.so"), library.string()}) {
    if (dlopen(name.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) return dlerror();
  }
  void* handle = dlopen(library.c_str(), RTLD_NOW);
  using Entry = const CudaPart* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(handle, "dis_cuda_part"));
  if (entry == nullptr) return library.string() + " is no CUDA part of dis";
  const auto* part = entry();
  if (part->size != sizeof(CudaPart) || part->version != std::string(DIS_VERSION)) {
    return library.string() + " belongs to another build of dis";
  }
  loaded = part;
  return "";
}

bool has_driver() {
  // Never closed: the CUDA runtime will open it again.
  return dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) != nullptr;
}

}  // namespace

std::string load_cuda_part() {
  static const std::string problem = load();
  return problem;
}

const CudaPart* cuda_part() { return loaded; }

std::string no_cuda_reason() {
  if (!has_driver()) return "this machine has no NVIDIA driver (libcuda.so.1)";
  const auto problem = load_cuda_part();
  return problem.empty() ? "the driver shows no GPU that can be used" : problem;
}

bool find_cuda() {
  static const bool found = has_driver() && load_cuda_part().empty() && at::hasCUDA();
  return found;
}

}  // namespace dis
