#include "bench_dist.h"

#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>

#include "dis/core/json.h"
#include "joined_ranks.h"

namespace dis {
namespace {

struct DistOptions {
  std::int64_t repeats = 20;
  std::int64_t lanes = 768;
  std::int64_t numbers = 512;
  bool json = false;
};

struct Payload {
  const char* what;
  double bytes;  ///< that a rank brings
  std::function<void()> exchange;
};

/// Medians of a rank's seconds.
double seconds_of(const Ranks& ranks, const Payload& payload, std::int64_t repeats) {
  std::vector<double> seconds;
  for (std::int64_t i = 0; i < repeats + 2; ++i) {  // the first two make connections and buffers
    ranks.barrier();
    const auto start = std::chrono::steady_clock::now();
    payload.exchange();
    if (i >= 2) seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(seconds.begin(), seconds.begin() + repeats / 2, seconds.end());
  return seconds[static_cast<std::size_t>(repeats / 2)];
}

void run_bench(const DistOptions& options) {
  const RunConfig config;
  const auto ranks = join_ranks(config);
  const auto device = set_up_compute(config.compute, ranks->place()).device;
  const auto floats = at::TensorOptions().dtype(at::kFloat).device(device);
  const auto lanes = std::max<std::int64_t>(options.lanes / ranks->size(), 1);
  const auto small = at::zeros({840000}, floats), medium = at::zeros({3400000}, floats),
             full = at::zeros({6800000}, floats), rows = at::zeros({lanes, options.numbers}, floats);
  const auto ids = at::zeros({lanes}, floats.dtype(at::kInt));
  const auto wait = [&](const at::Tensor& x) {
    if (x.is_cuda()) x.flatten()[0].item<float>();
  };
  const auto sum = [&](const at::Tensor& x) {
    return [&, x] {
      ranks->sum(x);
      wait(x);
    };
  };
  const std::vector<Payload> payloads = {
      {"a flag", 8.0, [&] { ranks->any(false); }},
      {"gradient of 0.84 M parameters (compact)", 4.0 * 840000, sum(small)},
      {"gradient of 3.4 M parameters (medium)", 4.0 * 3400000, sum(medium)},
      {"gradient of 6.8 M parameters (full)", 4.0 * 6800000, sum(full)},
      {"puzzle rows: identifiers and gradients", 4.0 * static_cast<double>(rows.numel() + ids.numel()), [&] {
         ranks->gather(ids);
         wait(ranks->gather(rows));
       }}};
  Json json = {
      {"ranks", ranks->size()}, {"device", device.str()}, {"lanes", options.lanes}, {"payloads", Json::array()}};
  if (ranks->first() && !options.json) std::printf("%d ranks on %s\n", ranks->size(), device.str().c_str());
  for (const auto& payload : payloads) {
    const double seconds = seconds_of(*ranks, payload, options.repeats);
    if (!ranks->first()) continue;
    json["payloads"].push_back({{"what", payload.what}, {"bytes", payload.bytes}, {"ms", 1e3 * seconds}});
    if (!options.json) {
      std::printf("  %-42s %8.2f MB  %9.3f ms  %7.2f GB/s\n", payload.what, payload.bytes / 1e6, 1e3 * seconds,
                  payload.bytes / seconds / 1e9);
    }
  }
  if (ranks->first() && options.json) std::cout << json_text(json) << "\n";
}

}  // namespace

void add_bench_dist(CLI::App& bench) {
  auto options = std::make_shared<DistOptions>();
  CLI::App* dist = bench.add_subcommand(
      "dist",
      "Time what the ranks exchange in an update: the gradients' sum, the puzzle rows (start it under torchrun)");
  dist->add_option("--repeats", options->repeats)->check(CLI::PositiveNumber)->capture_default_str();
  dist->add_option("--lanes", options->lanes, "Lanes of all ranks")->check(CLI::PositiveNumber)->capture_default_str();
  dist->add_option("--numbers", options->numbers, "E: numbers per puzzle row")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  dist->add_flag("--json", options->json, "Print the result as JSON");
  dist->footer("Example:\n  scripts/launch 2 -- bench dist");
  dist->callback([options] { run_bench(*options); });
}

}  // namespace dis
