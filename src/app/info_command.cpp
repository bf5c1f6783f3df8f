// dis info: versions, devices, instruction sets, what this build can do.
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <thread>

#ifdef DIS_WITH_CUDA
#include <cuda_runtime_api.h>
#endif

#include "commands.h"
#include "dis/app/build_info.h"
#include "dis/core/json.h"

namespace dis {
namespace {

/// The value of a line "key : value" of /proc/cpuinfo, of the first processor; empty where there is none.
std::string cpuinfo(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (line.starts_with(key) && colon != std::string::npos && colon + 2 <= line.size()) return line.substr(colon + 2);
  }
  return "";
}

/// Those of the instruction sets that matter here which the processor and the kernel offer.
std::vector<std::string> instruction_sets() {
  std::vector<std::string> found;
  std::istringstream flags(cpuinfo("flags"));
  for (std::string flag; flags >> flag;) {
    for (const char* wanted : {"avx2", "avx512f", "avx512_bf16", "amx_bf16"}) {
      if (flag == wanted) found.push_back(flag);
    }
  }
  return found;
}

/// The version of the LibTorch that was loaded, which can differ from the one compiled against.
std::string loaded_torch() {
  const std::string options = at::show_config();
  const std::string key = "TORCH_VERSION=";
  const std::size_t start = options.find(key);
  if (start == std::string::npos) return "unknown";
  return options.substr(start + key.size(), options.find_first_of(", \n", start) - start - key.size());
}

Json cuda_devices() {
  Json devices = Json::array();
#ifdef DIS_WITH_CUDA
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) return devices;  // no driver, or no device
  for (int index = 0; index < count; ++index) {
    cudaDeviceProp device;
    if (cudaGetDeviceProperties(&device, index) != cudaSuccess) continue;
    devices.push_back({{"name", device.name},
                       {"compute_capability", std::to_string(device.major) + "." + std::to_string(device.minor)},
                       {"memory_bytes", device.totalGlobalMem},
                       {"multiprocessors", device.multiProcessorCount}});
  }
#endif
  return devices;
}

Json gather() {
  const std::string model = cpuinfo("model name");
  Json info;
  info["version"] = build_info::version;
  info["torch"] = {{"loaded", loaded_torch()}, {"compiled_against", TORCH_VERSION}, {"folder", build_info::torch_dir}};
  info["build"] = {{"type", build_info::build_type},
                   {"compiler", build_info::compiler},
                   {"sanitizers", build_info::sanitizers},
                   {"cuda", std::string(build_info::cuda) == "ON"},
                   {"cuda_architectures", build_info::cuda_architectures}};
  info["cpu"] = {{"model", model.empty() ? "unknown" : model},
                 {"cores", std::thread::hardware_concurrency()},
                 {"threads", at::get_num_threads()},
                 {"instruction_sets", instruction_sets()},
                 {"torch_kernels", at::get_cpu_capability()}};
  info["cuda_devices"] = cuda_devices();
  return info;
}

std::string joined(const Json& texts) {
  std::string list;
  for (const Json& text : texts) list += (list.empty() ? "" : ", ") + text.get<std::string>();
  return list.empty() ? "none" : list;
}

void print(const Json& info) {
  const auto text = [](const Json& value) {
    const std::string found = value.get<std::string>();
    return found.empty() ? "none" : found;
  };
  const Json& torch = info["torch"];
  const Json& build = info["build"];
  const Json& cpu = info["cpu"];
  const bool cuda = build["cuda"].get<bool>();
  std::cout << "dis           " << text(info["version"]) << "\n"
            << "LibTorch      " << text(torch["loaded"]) << " (compiled against " << text(torch["compiled_against"])
            << ")\n"
            << "build         " << text(build["type"]) << ", " << text(build["compiler"]) << ", sanitizers "
            << text(build["sanitizers"]) << "\n"
            << "CPU           " << text(cpu["model"]) << ", " << cpu["cores"] << " cores, " << cpu["threads"]
            << " threads\n"
            << "instructions  " << joined(cpu["instruction_sets"]) << " (LibTorch uses " << text(cpu["torch_kernels"])
            << ")\n"
            << "CUDA          " << (cuda ? "built for " + text(build["cuda_architectures"]) : "not in this build")
            << "\n";
  for (const Json& device : info["cuda_devices"]) {
    constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
    std::cout << "  device      " << text(device["name"]) << ", sm " << text(device["compute_capability"]) << ", "
              << static_cast<int>(device["memory_bytes"].get<double>() / kGiB) << " GiB\n";
  }
  if (cuda && info["cuda_devices"].empty()) std::cout << "  device      none usable\n";
}

}  // namespace

void add_info_command(CLI::App& app) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("info", "Versions, devices, instruction sets, what this build can do");
  command->add_flag("--json", *json, "As JSON");
  command->footer("Example:\n  dis info --json");
  command->callback([json] {
    const Json info = gather();
    if (*json) {
      std::cout << info.dump(2) << "\n";
    } else {
      print(info);
    }
  });
}

}  // namespace dis
