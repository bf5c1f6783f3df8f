// dis bench data: how soon, how fast and in how much memory training samples are there.
#include "bench_data.h"

#include <sys/resource.h>
#include <unistd.h>
#include <ctime>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <future>
#include <iostream>
#include <memory>
#include <sstream>
#include <thread>
#include <vector>

#include "config_options.h"
#include "dis/core/cpus.h"
#include "dis/core/error.h"
#include "dis/core/json.h"
#include "dis/data/open_data.h"
#include "dis/train/session.h"
#include "dis/train/targets.h"

namespace dis {
namespace {

struct DataBenchOptions {
  ConfigOptions config;
  std::int64_t threads = 0;
  double seconds = 3.0;
  bool json = false;
};

/// Seconds since this process was started (in steps of a clock tick, 0.01 s), the loading of libraries included.
double process_age() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream fields(text.substr(text.rfind(')') + 1));  // the name before it may hold blanks
  std::string field;
  constexpr int kStartTime = 20;  // counted from the field behind the name
  for (int i = 0; i < kStartTime; ++i) fields >> field;
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec) -
         std::stod(field) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

/// Examples a second when `threads` draw pieces of consecutive batches for about `seconds`.
double rate_of(std::int64_t batch, std::int64_t threads, double seconds,
               const std::function<void(std::uint64_t first, std::int64_t lanes)>& draw) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  std::vector<std::future<std::int64_t>> workers;
  for (std::int64_t worker = 0; worker < threads; ++worker) {
    workers.push_back(std::async(std::launch::async, [&, worker] {
      const auto begin = batch * worker / threads, end = batch * (worker + 1) / threads;
      std::int64_t drawn = 0;
      for (std::int64_t number = 0; Clock::now() - start < std::chrono::duration<double>(seconds); ++number) {
        draw(static_cast<std::uint64_t>(number * batch + begin), end - begin);
        drawn += end - begin;
      }
      return drawn;
    }));
  }
  std::int64_t drawn = 0;
  for (auto& worker : workers) drawn += worker.get();
  return static_cast<double>(drawn) / std::chrono::duration<double>(Clock::now() - start).count();
}

void run_data_bench(const DataBenchOptions& options) {
  const RunConfig config = options.config.load();
  const auto data = open_data(config);
  const auto seed = static_cast<std::uint64_t>(config.run.seed);
  const auto batch = config.train.global_batch;
  draw_batch(*data, seed, 0, batch);
  const double ready = process_age();
  const double ready_memory = peak_megabytes();

  const auto threads =
      std::min(batch, options.threads > 0 ? options.threads : static_cast<std::int64_t>(usable_threads()));
  const double rate = rate_of(batch, threads, options.seconds,
                              [&](std::uint64_t first, std::int64_t lanes) { draw_batch(*data, seed, first, lanes); });
  const TargetBuilder targets(without_trajectories(config).method, data->shape());
  const auto source = targets.source(seed, *data);
  const double with_targets = rate_of(batch, threads, options.seconds, [&](std::uint64_t first, std::int64_t lanes) {
    const auto drawn = draw_batch(*data, seed, first, lanes);
    if (source.frames) source.frames(first, drawn);
  });

  const Json json = {{"kind", to_string(config.data.kind)},
                     {"puzzles", data->shape().identifiers - 1},
                     {"examples_per_epoch", data->epoch_length()},
                     {"batch", batch},
                     {"threads", threads},
                     {"ready_seconds", ready},
                     {"ready_rss_mb", ready_memory},
                     {"examples_per_s", rate},
                     {"examples_with_targets_per_s", with_targets},
                     {"peak_rss_mb", peak_megabytes()}};
  if (options.json) {
    std::cout << json_text(json) << "\n";
    return;
  }
  std::printf(
      "%lld puzzles: ready to train %.2f s after the start of the program, %.0f MB of memory\n"
      "%.0f examples/s with %lld threads, %.0f with the targets of all supervision steps; peak %.0f MB\n",
      static_cast<long long>(data->shape().identifiers - 1), ready, ready_memory, rate, static_cast<long long>(threads),
      with_targets, peak_megabytes());
}

}  // namespace

void add_bench_data(CLI::App& bench) {
  auto options = std::make_shared<DataBenchOptions>();
  CLI::App* data = bench.add_subcommand("data", "Time until training can begin, and samples drawn a second");
  options->config.add_to(*data);
  data->add_option("--threads", options->threads, "0: as many as this process may use")->check(CLI::NonNegativeNumber);
  data->add_option("--seconds", options->seconds, "How long to draw")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  data->add_flag("--json", options->json, "Print the result as JSON");
  data->footer("Example:\n  dis bench data --config configs/arc/dis_compact_arc1.json");
  data->callback([options] { run_data_bench(*options); });
}

}  // namespace dis
