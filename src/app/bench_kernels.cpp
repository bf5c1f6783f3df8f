#include "bench_kernels.h"

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "dis/core/json.h"
#include "dis/ops/kernel_costs.h"
#include "measured_step.h"

namespace dis {
namespace {

struct KernelOptions {
  std::string task = "arc", size = "compact", dtype = "bfloat16", attention = "flash";
  std::int64_t batch = 768, latent_passes = 2, cycles = 1, heads = 8, repeat = 5;
  bool measure = false, json = false;
};

/// Speeds that can be reached, no measurements of ours: the H100 SXM's bandwidth by its data sheet; an H200's bandwidth
/// and large bfloat16 products as seen on such a card, whose processor is the H100's. TF32 (float32) at half of it.
struct Accelerator {
  const char* name;
  double bandwidth, bfloat16, float32;
};
constexpr std::array kAccelerators{Accelerator{"H100", 3.35e12, 790e12, 395e12},
                                   Accelerator{"H200", 4.3e12, 790e12, 395e12}};

DeviceSpeed speed_of(const Accelerator& a, const KernelOptions& options, std::int64_t head) {
  if (options.dtype == "float32") return {a.bandwidth, a.float32, a.float32, a.float32};  // composed of products
  const auto attention = options.attention == "cudnn" ? hopper_cudnn(head) : hopper_flash(head);
  return {a.bandwidth, a.bfloat16, attention.forward, attention.backward};
}

StepShape shape_of(const KernelOptions& options) {
  const bool queens = options.task == "queens", compact = options.size == "compact",
             narrow = options.dtype == "bfloat16";
  const std::int64_t width = compact ? 256 : 512;
  return {.lanes = options.batch,
          .positions = queens ? 64 + 16 : 900 + 16,
          .vocabulary = queens ? 3 : 12,
          .width = width,
          .heads = options.heads,
          .inner = 3 * width,
          .layers = compact ? 1 : 2,
          .latent_passes = options.latent_passes,
          .cycles = options.cycles,
          .puzzle_numbers = width,
          .element_bytes = narrow ? 2 : 4};
}

/// An operation's line: its cost, its floors on the accelerators, and its time here where that was measured.
struct Line {
  OperationCost cost;
  std::array<double, kAccelerators.size()> floor_seconds{};  ///< of all calls
  std::optional<double> seconds;                             ///< of all calls
  double bytes() const { return static_cast<double>(cost.calls) * cost.bytes; }
  double flops() const { return static_cast<double>(cost.calls) * cost.flops; }
};

std::vector<Line> lines_of(const KernelOptions& options, const StepShape& shape) {
  std::map<std::string, double> measured;
  if (options.measure) {
    ComputeConfig config;
    config.dtype = options.dtype == "bfloat16" ? ComputeType::bfloat16 : ComputeType::float32;
    measured = measure_operations(shape, set_up_compute(config), options.repeat);
  }
  std::vector<Line> lines;
  for (const auto& cost : step_costs(shape)) {
    Line line{cost, {}, {}};
    const auto calls = static_cast<double>(cost.calls);
    for (std::size_t i = 0; i < kAccelerators.size(); ++i) {
      const auto speed = speed_of(kAccelerators[i], options, shape.width / shape.heads);
      line.floor_seconds[i] = calls * least_seconds(cost, speed);
    }
    if (const auto found = measured.find(cost.name); found != measured.end()) line.seconds = calls * found->second;
    lines.push_back(std::move(line));
  }
  return lines;
}

/// The sum over the lines; an operation that was not measured counts nothing.
Line total_of(const std::vector<Line>& lines) {
  Line total{{"a supervision step", 0, 0.0, 0.0, Arithmetic::none}, {}, {}};
  for (const auto& line : lines) {
    total.cost.calls += line.cost.calls;
    total.cost.bytes += line.bytes();
    total.cost.flops += line.flops();
    for (std::size_t i = 0; i < kAccelerators.size(); ++i) total.floor_seconds[i] += line.floor_seconds[i];
    if (line.seconds) total.seconds = total.seconds.value_or(0.0) + *line.seconds;
  }
  return total;
}

Json json_of(const KernelOptions& options, const std::vector<Line>& lines, const Line& total) {
  Json operations = Json::array();
  for (const auto& line : lines) {
    Json one{{"name", line.cost.name},
             {"calls", line.cost.calls},
             {"bytes", line.cost.bytes},
             {"flops", line.cost.flops},
             {"product", line.cost.arithmetic != Arithmetic::none},
             {"h100_ms", 1e3 * line.floor_seconds[0]},
             {"h200_ms", 1e3 * line.floor_seconds[1]}};
    if (line.seconds) {
      one["measured_ms"] = 1e3 * *line.seconds;
      one["gb_s"] = line.bytes() / *line.seconds / 1e9;
      one["tflops"] = line.flops() / *line.seconds / 1e12;
    }
    operations.push_back(std::move(one));
  }
  Json json{{"task", options.task},
            {"size", options.size},
            {"batch", options.batch},
            {"dtype", options.dtype},
            {"operations", std::move(operations)},
            {"calls", total.cost.calls},
            {"bytes", total.cost.bytes},
            {"flops", total.cost.flops},
            {"h100_ms", 1e3 * total.floor_seconds[0]},
            {"h200_ms", 1e3 * total.floor_seconds[1]}};
  if (total.seconds) json["measured_ms"] = 1e3 * *total.seconds;
  return json;
}

/// `bytes` and `flops`: what the columns of one call show.
void print_line(const Line& line, double bytes, double flops) {
  std::printf("%-26s %6lld %12.2f %12.2f %12.3f %12.3f", line.cost.name.c_str(),
              static_cast<long long>(line.cost.calls), bytes / 1e6, flops / 1e9, 1e3 * line.floor_seconds[0],
              1e3 * line.floor_seconds[1]);
  if (line.seconds) {
    std::printf(" %12.3f %9.1f %9.2f", 1e3 * *line.seconds, line.bytes() / *line.seconds / 1e9,
                line.flops() / *line.seconds / 1e12);
  }
  std::printf("\n");
}

void print_table(const KernelOptions& options, const StepShape& shape, const std::vector<Line>& lines, Line total) {
  std::printf("%s %s, %lld lanes of %lld tokens, %s: %s\n\n", options.task.c_str(), options.size.c_str(),
              static_cast<long long>(shape.lanes), static_cast<long long>(shape.positions), options.dtype.c_str(),
              options.measure ? "floors are computed; each operation was timed by itself" : "computed, not measured");
  std::printf("%-26s %6s %12s %12s %12s %12s%s\n", "operation", "calls", "MB a call", "GFLOP a call", "ms, H100",
              "ms, H200", options.measure ? "     ms, here      GB/s   TFLOP/s" : "");
  std::array<double, kAccelerators.size()> products{};
  for (const auto& line : lines) {
    print_line(line, line.cost.bytes, line.cost.flops);
    if (line.cost.arithmetic == Arithmetic::none) continue;
    for (std::size_t i = 0; i < products.size(); ++i) products[i] += line.floor_seconds[i];
  }
  const double bytes = total.cost.bytes, flops = total.cost.flops;
  total.cost.calls = 1;
  print_line(total, bytes, flops);
  std::printf("%-26s %6s %12s %12s %11.0f%% %11.0f%%\n", "in products and attention", "", "", "",
              100.0 * products[0] / total.floor_seconds[0], 100.0 * products[1] / total.floor_seconds[1]);
  std::printf(
      "\nThe times are floors: every number read and written once at the full bandwidth; products in bfloat16 at\n"
      "790 TFLOP/s, in float32 (TF32) at half of it; attention at the rates published for its kernels (heads of 32:\n"
      "an estimate).\n");
}

void run_kernel_bench(const KernelOptions& options) {
  const auto shape = shape_of(options);
  const auto lines = lines_of(options, shape);
  const auto total = total_of(lines);
  if (options.json) {
    std::cout << json_text(json_of(options, lines, total)) << "\n";
  } else {
    print_table(options, shape, lines, total);
  }
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
  kernels->add_option("--attention", options->attention, "Whose rates the floors of attention take")
      ->check(CLI::IsMember({"flash", "cudnn"}))
      ->capture_default_str();
  kernels->add_option("--heads", options->heads, "H")->check(CLI::IsMember({4, 8, 16}))->capture_default_str();
  kernels->add_flag("--measure", options->measure, "Also time each operation by itself on this device");
  kernels->add_option("--repeat", options->repeat, "Timed calls")->check(CLI::PositiveNumber)->capture_default_str();
  kernels->add_flag("--json", options->json, "Print the result as JSON");
  kernels->footer("Example:\n  dis bench kernels --task arc --size medium --batch 768");
  kernels->callback([options] { run_kernel_bench(*options); });
}

}  // namespace dis
