#include "bench_kernels.h"

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <iostream>
#include <memory>

#include "dis/core/json.h"
#include "dis/ops/kernel_costs.h"

namespace dis {
namespace {

struct KernelOptions {
  std::string task = "arc", size = "compact", dtype = "bfloat16";
  std::int64_t batch = 768, latent_passes = 2, cycles = 1;
  bool json = false;
};

/// Stated speeds, no measurements of ours: the H100 SXM's data sheet (dense bfloat16; TF32 for float32), and what was
/// seen of an H200 with large products.
struct Accelerator {
  const char* name;
  double bandwidth, bfloat16, float32;
};
constexpr std::array kAccelerators{Accelerator{"H100", 3.35e12, 990e12, 495e12},
                                   Accelerator{"H200", 4.3e12, 790e12, 395e12}};

StepShape shape_of(const KernelOptions& options) {
  const bool queens = options.task == "queens", compact = options.size == "compact",
             narrow = options.dtype == "bfloat16";
  const std::int64_t width = compact ? 256 : 512;
  return {.lanes = options.batch,
          .positions = queens ? 64 + 16 : 900 + 16,
          .vocabulary = queens ? 3 : 12,
          .width = width,
          .heads = 8,
          .inner = 3 * width,
          .layers = compact ? 1 : 2,
          .latent_passes = options.latent_passes,
          .cycles = options.cycles,
          .puzzle_numbers = width,
          .element_bytes = narrow ? 2 : 4};
}

void run_kernel_bench(const KernelOptions& options) {
  const auto shape = shape_of(options);
  const auto costs = step_costs(shape);
  std::array<double, kAccelerators.size()> seconds{}, product_seconds{};
  double bytes = 0.0, flops = 0.0;
  std::int64_t calls = 0;
  Json operations = Json::array();
  const auto speed = [&](std::size_t i) {
    const auto& a = kAccelerators[i];
    return DeviceSpeed{a.bandwidth, shape.element_bytes == 2 ? a.bfloat16 : a.float32};
  };
  if (!options.json) {
    std::printf("%s %s, %lld lanes of %lld tokens, %s: computed, not measured\n\n", options.task.c_str(),
                options.size.c_str(), static_cast<long long>(shape.lanes), static_cast<long long>(shape.positions),
                options.dtype.c_str());
    std::printf("%-26s %6s %12s %12s %12s %12s\n", "operation", "calls", "MB a call", "GFLOP a call", "ms, H100",
                "ms, H200");
  }
  for (const auto& cost : costs) {
    const auto n = static_cast<double>(cost.calls);
    std::array<double, kAccelerators.size()> all{};
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = n * least_seconds(cost, speed(i));
      seconds[i] += all[i];
      if (cost.product) product_seconds[i] += all[i];
    }
    calls += cost.calls;
    bytes += n * cost.bytes;
    flops += n * cost.flops;
    operations.push_back({{"name", cost.name},
                          {"calls", cost.calls},
                          {"bytes", cost.bytes},
                          {"flops", cost.flops},
                          {"product", cost.product},
                          {"h100_ms", 1e3 * all[0]},
                          {"h200_ms", 1e3 * all[1]}});
    if (!options.json) {
      std::printf("%-26s %6lld %12.2f %12.2f %12.3f %12.3f\n", cost.name.c_str(), static_cast<long long>(cost.calls),
                  cost.bytes / 1e6, cost.flops / 1e9, 1e3 * all[0], 1e3 * all[1]);
    }
  }
  if (options.json) {
    std::cout << Json{{"task", options.task},
                      {"size", options.size},
                      {"batch", options.batch},
                      {"dtype", options.dtype},
                      {"operations", operations},
                      {"calls", calls},
                      {"bytes", bytes},
                      {"flops", flops},
                      {"h100_ms", 1e3 * seconds[0]},
                      {"h200_ms", 1e3 * seconds[1]}}
                     .dump()
              << "\n";
    return;
  }
  std::printf("%-26s %6lld %12.2f %12.2f %12.3f %12.3f\n", "a supervision step", static_cast<long long>(calls),
              bytes / 1e6, flops / 1e9, 1e3 * seconds[0], 1e3 * seconds[1]);
  std::printf("%-26s %6s %12s %12s %11.0f%% %11.0f%%\n", "in products and attention", "", "", "",
              100.0 * product_seconds[0] / seconds[0], 100.0 * product_seconds[1] / seconds[1]);
  std::printf(
      "\nThe times are floors: every number read and written once at the full bandwidth; products in bfloat16 at\n"
      "990 TFLOP/s (H100, data sheet) and 790 TFLOP/s (H200, as seen on such a card), in float32 (TF32) at half of "
      "it.\n");
}

}  // namespace

void add_bench_kernels(CLI::App& bench) {
  auto options = std::make_shared<KernelOptions>();
  CLI::App* kernels = bench.add_subcommand(
      "kernels", "Work out what each operation of a supervision step moves and computes, and its least time on a GPU");
  kernels->add_option("--task", options->task)->check(CLI::IsMember({"queens", "arc"}))->capture_default_str();
  kernels->add_option("--size", options->size)->check(CLI::IsMember({"compact", "medium"}))->capture_default_str();
  kernels->add_option("--batch", options->batch, "Lanes")->check(CLI::PositiveNumber)->capture_default_str();
  kernels->add_option("--dtype", options->dtype)->check(CLI::IsMember({"float32", "bfloat16"}))->capture_default_str();
  kernels->add_option("--latent-passes", options->latent_passes, "n")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  kernels->add_option("--cycles", options->cycles, "T")->check(CLI::PositiveNumber)->capture_default_str();
  kernels->add_flag("--json", options->json, "Print the result as JSON");
  kernels->footer("Example:\n  dis bench kernels --task arc --size medium --batch 768");
  kernels->callback([options] { run_kernel_bench(*options); });
}

}  // namespace dis
