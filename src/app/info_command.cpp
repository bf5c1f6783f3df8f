// dis info: versions, devices, instruction sets, what this build can do.
#include <ATen/Context.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <thread>

#include "commands.h"
#include "config_options.h"
#include "dis/app/build_info.h"
#include "dis/core/cpus.h"
#include "dis/core/json.h"
#include "dis/ops/cuda_part.h"

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

/// The folder of the LibTorch that was loaded.
std::string torch_folder() {
  Dl_info found{};
  if (dladdr(reinterpret_cast<const void*>(&at::show_config), &found) == 0) return "";
  std::error_code ignored;
  return std::filesystem::weakly_canonical(found.dli_fname, ignored).parent_path().parent_path().string();
}

/// The CUDA part, the GPUs that it finds, and where it is not usable why.
Json cuda() {
  const auto problem = load_cuda_part();
  Json found{{"loaded", problem.empty()}, {"problem", problem}, {"architectures", ""}, {"cudnn", nullptr}};
  found["devices"] = Json::array();
  if (!problem.empty()) return found;
  found["architectures"] = cuda_part()->architectures;
  for (const auto& device : cuda_part()->devices()) {
    found["devices"].push_back(
        {{"name", device.name},
         {"compute_capability", std::to_string(device.major) + "." + std::to_string(device.minor)},
         {"memory_bytes", device.memory_bytes},
         {"multiprocessors", device.multiprocessors}});
  }
  if (!found["devices"].empty() && at::globalContext().hasCuDNN()) found["cudnn"] = at::globalContext().versionCuDNN();
  return found;
}

Json gather() {
  const Json gpus = cuda();  // first: LibTorch's own summary asks about CUDA, too, and remembers the answer
  const std::string model = cpuinfo("model name");
  Json info;
  info["version"] = build_info::version;
  info["torch"] = {{"loaded", loaded_torch()}, {"compiled_against", TORCH_VERSION}, {"folder", torch_folder()}};
  info["build"] = {
      {"type", build_info::build_type}, {"compiler", build_info::compiler}, {"sanitizers", build_info::sanitizers}};
  std::error_code ignored;
  info["program"] = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  info["configurations"] = shipped_configs().string();
  info["cpu"] = {{"model", model.empty() ? "unknown" : model},
                 {"cores", std::thread::hardware_concurrency()},
                 {"threads", usable_threads()},
                 {"instruction_sets", instruction_sets()},
                 {"torch_kernels", at::get_cpu_capability()}};
  info["cuda"] = gpus;
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
  const Json& cuda = info["cuda"];
  std::cout << "dis           " << text(info["version"]) << "\n"
            << "program       " << text(info["program"]) << "\n"
            << "configs       " << text(info["configurations"]) << "\n"
            << "LibTorch      " << text(torch["loaded"]) << " (compiled against " << text(torch["compiled_against"])
            << ") in " << text(torch["folder"]) << "\n"
            << "build         " << text(build["type"]) << ", " << text(build["compiler"]) << ", sanitizers "
            << text(build["sanitizers"]) << "\n"
            << "CPU           " << text(cpu["model"]) << ", " << cpu["cores"] << " cores, " << cpu["threads"]
            << " threads\n"
            << "instructions  " << joined(cpu["instruction_sets"]) << " (LibTorch uses " << text(cpu["torch_kernels"])
            << ")\n"
            << "CUDA          "
            << (cuda["loaded"].get<bool>() ? "built for " + text(cuda["architectures"])
                                           : "no: " + text(cuda["problem"]))
            << "\n";
  for (const Json& device : cuda["devices"]) {
    constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
    std::cout << "  device      " << text(device["name"]) << ", sm " << text(device["compute_capability"]) << ", "
              << static_cast<int>(device["memory_bytes"].get<double>() / kGiB) << " GiB\n";
  }
  if (cuda["cudnn"].is_number()) std::cout << "  cuDNN       " << cuda["cudnn"] << "\n";
  if (cuda["loaded"].get<bool>() && cuda["devices"].empty()) std::cout << "  device      none usable\n";
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
      std::cout << json_text(info, 2) << "\n";
    } else {
      print(info);
    }
  });
}

}  // namespace dis
