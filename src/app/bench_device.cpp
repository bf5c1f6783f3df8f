#include "bench_device.h"

#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>

#include "bench_timing.h"
#include "dis/core/json.h"
#include "dis/ops/kernel_choice.h"
#include "dis/train/compute.h"

namespace dis {
namespace {

struct DeviceOptions {
  std::string device = "automatic";
  std::int64_t size = 8192, megabytes = 1024, repeat = 10;
  bool json = false;
};

Compute compute_on(const std::string& device) {
  ComputeConfig config;
  config.device = device == "cpu" ? DeviceKind::cpu : device == "cuda" ? DeviceKind::cuda : DeviceKind::automatic;
  config.dtype = ComputeType::bfloat16;
  return set_up_compute(config);
}

void run_device_bench(const DeviceOptions& options) {
  const auto compute = compute_on(options.device);
  const auto type = at::TensorOptions().device(compute.device).dtype(compute.type);
  const auto from = at::zeros({options.megabytes << 19}, type);  // two bytes each
  auto to = at::zeros_like(from);
  const double copy = median_seconds(compute.device, options.repeat, [&] { to.copy_(from); });
  const auto a = at::rand({options.size, options.size}, type), b = at::rand_like(a);
  auto c = at::empty_like(a);
  const double product = median_seconds(compute.device, options.repeat, [&] { at::mm_out(c, a, b); });
  const auto n = static_cast<double>(options.size);
  const double gb_s = 2.0 * static_cast<double>(from.nbytes()) / copy / 1e9, tflops = 2.0 * n * n * n / product / 1e12;
  if (options.json) {
    const Json result = {{"device", compute.device.str()}, {"dtype", "bfloat16"},      {"copy_gb_s", gb_s},
                         {"copy_mb", options.megabytes},   {"product_tflops", tflops}, {"product_size", options.size}};
    std::cout << json_text(result) << "\n";
    return;
  }
  std::printf("%s: copies %.0f GB/s (read plus written), products of %lld in bfloat16 %.1f TFLOP/s\n",
              compute.device.str().c_str(), gb_s, static_cast<long long>(options.size), tflops);
}

struct AttentionOptions {
  std::string device = "automatic";
  std::int64_t batch = 768, positions = 916, heads = 8, head = 32, repeat = 10;
  bool json = false;
};

/// What attention() and its backward pass leave, of the first lane only, in float64 on the CPU.
struct AttentionResult {
  at::Tensor out, gradient;
};

double relative_error(const at::Tensor& x, const at::Tensor& exact) {
  return ((x - exact).norm() / exact.norm()).item<double>();
}

class AttentionBench {
 public:
  explicit AttentionBench(const AttentionOptions& options) : o_(options), compute_(compute_on(options.device)) {
    const auto type = at::TensorOptions().device(compute_.device).dtype(compute_.type);
    qkv_ = at::randn({o_.batch, o_.positions, 3, o_.heads, o_.head}, type);
    dout_ = at::randn({o_.batch, o_.positions, o_.heads * o_.head}, type);
    first_ = qkv_.slice(0, 0, 1).clone();
    exact_ = first_lane(at::kDouble, at::kCPU);
  }

  std::string device() const { return compute_.device.str(); }

  /// A row of the table; `failed` where this device or LibTorch does not offer the kernel.
  Json row(const std::string& name, AttentionKernel kernel, bool deterministic) const {
    Json row{{"kernel", name}, {"deterministic", deterministic}};
    use_attention(kernel);
    at::globalContext().setDeterministicAlgorithms(deterministic, true);
    try {
      const auto tables = rotary_tables(o_.positions, o_.head, 10000.0, compute_.device);
      const auto found = first_lane(compute_.type, compute_.device);
      row["error_out"] = relative_error(found.out, exact_.out);
      row["error_gradient"] = relative_error(found.gradient, exact_.gradient);
      // qkv_ is rotated again and again in place: its norms stay.
      const auto result = attention(qkv_, tables);
      const double forward = median_seconds(compute_.device, o_.repeat, [&] { attention(qkv_, tables); });
      const double backward =
          median_seconds(compute_.device, o_.repeat, [&] { attention_backward(dout_, qkv_, result, tables); });
      const auto S = static_cast<double>(o_.positions);
      const double flops = 4.0 * static_cast<double>(o_.batch * o_.heads * o_.head) * S * S;
      row["forward_ms"] = 1e3 * forward;
      row["backward_ms"] = 1e3 * backward;
      row["forward_tflops"] = flops / forward / 1e12;
      row["backward_tflops"] = 2.5 * flops / backward / 1e12;  // with the scores that it computes again, as published
    } catch (const c10::Error& error) {
      const std::string what = error.what_without_backtrace();
      row["failed"] = what.substr(0, what.find('\n'));
    }
    return row;
  }

 private:
  AttentionResult first_lane(at::ScalarType type, at::Device device) const {
    const auto qkv = first_.to(device, type, /*non_blocking=*/false, /*copy=*/true).contiguous();
    const auto tables = rotary_tables(o_.positions, o_.head, 10000.0, device);
    const auto result = attention(qkv, tables);
    const auto gradient = attention_backward(dout_.slice(0, 0, 1).to(device, type).contiguous(), qkv, result, tables);
    return {result.out.cpu().to(at::kDouble), gradient.cpu().to(at::kDouble)};
  }

  AttentionOptions o_;
  Compute compute_;
  at::Tensor qkv_, dout_;
  at::Tensor first_;  ///< the first lane of qkv_, which attention() rotates in place on a GPU
  AttentionResult exact_;
};

void print_row(const Json& row) {
  const auto name = row["kernel"].get<std::string>() + (row["deterministic"].get<bool>() ? ", repeats" : "");
  if (row.contains("failed")) {
    std::printf("%-20s %s\n", name.c_str(), row["failed"].get<std::string>().c_str());
    return;
  }
  const auto number = [&](const char* key) { return row[key].get<double>(); };
  std::printf("%-20s %10.3f %8.1f %10.3f %8.1f %10.1e %10.1e\n", name.c_str(), number("forward_ms"),
              number("forward_tflops"), number("backward_ms"), number("backward_tflops"), number("error_out"),
              number("error_gradient"));
}

void run_attention_bench(const AttentionOptions& options) {
  const AttentionBench bench(options);
  const bool gpu = bench.device() != "cpu";
  // On the CPU there is one kernel, ours.
  const std::vector<std::pair<std::string, AttentionKernel>> kernels =
      gpu ? std::vector<std::pair<std::string, AttentionKernel>>{{"flash", AttentionKernel::flash},
                                                                 {"cudnn", AttentionKernel::cudnn},
                                                                 {"composed", AttentionKernel::composed}}
          : std::vector<std::pair<std::string, AttentionKernel>>{{"ours", AttentionKernel::automatic}};
  if (!options.json) {
    std::printf("%-20s %10s %8s %10s %8s %10s %10s\n", "attention", "forward ms", "TFLOP/s", "backward", "TFLOP/s",
                "error", "of gradient");
  }
  Json rows = Json::array();
  for (const auto& [name, kernel] : kernels) {
    for (const bool deterministic : {true, false}) {
      if (!gpu && !deterministic) continue;
      if (kernel == AttentionKernel::cudnn && deterministic) continue;  // it has no way to repeat
      rows.push_back(bench.row(name, kernel, deterministic));
      if (!options.json) print_row(rows.back());
    }
  }
  if (options.json) {
    std::cout << Json{{"device", bench.device()}, {"batch", options.batch}, {"positions", options.positions},
                      {"heads", options.heads},   {"head", options.head},   {"rows", rows}}
                     .dump()
              << "\n";
  }
}

template <class Options>
void add_common(CLI::App& command, Options& options) {
  command.add_option("--device", options.device)->check(CLI::IsMember({"automatic", "cpu", "cuda"}));
  command.add_option("--repeat", options.repeat, "Timed calls")->check(CLI::PositiveNumber)->capture_default_str();
  command.add_flag("--json", options.json, "Print the result as JSON");
}

}  // namespace

void add_bench_device(CLI::App& bench) {
  auto options = std::make_shared<DeviceOptions>();
  CLI::App* device = bench.add_subcommand("device", "The ceilings of this device: copies and bfloat16 products");
  device->add_option("--size", options->size, "Rows and columns of the product")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  device->add_option("--mb", options->megabytes, "Size of the copy")->check(CLI::PositiveNumber)->capture_default_str();
  add_common(*device, *options);
  device->footer("Example:\n  dis bench device --size 1024 --mb 64");
  device->callback([options] { run_device_bench(*options); });
}

void add_bench_attention(CLI::App& bench) {
  auto options = std::make_shared<AttentionOptions>();
  CLI::App* attention = bench.add_subcommand(
      "attention", "Attention, forward and backward, in bfloat16, by every kernel that this device offers");
  const std::map<std::string, std::int64_t*> sizes{{"--batch", &options->batch},
                                                   {"--positions", &options->positions},
                                                   {"--heads", &options->heads},
                                                   {"--head", &options->head}};
  for (const auto& [name, value] : sizes) {
    attention->add_option(name, *value)->check(CLI::PositiveNumber)->capture_default_str();
  }
  add_common(*attention, *options);
  attention->footer("Example:\n  dis bench attention --batch 8 --heads 4 --head 64");
  attention->callback([options] { run_attention_bench(*options); });
}

}  // namespace dis
