// dis bench; `step` is here, the others have files of their own.
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>

#include "bench_data.h"
#include "bench_device.h"
#include "bench_dist.h"
#include "bench_kernels.h"
#include "bench_timing.h"
#include "bench_vote.h"
#include "commands.h"
#include "dis/core/json.h"
#include "dis/core/random.h"
#include "dis/eval/rows/decode.h"
#include "dis/model/loss_of.h"
#include "dis/train/session.h"
#include "dis/train/training_loop.h"

namespace dis {
namespace {

struct StepOptions {
  std::string task = "queens", size = "compact", dtype = "float32", optimiser = "adamw", attention = "automatic";
  std::int64_t batch = 64, batches = 5, warmup = 2, threads = 0;
  bool forward_only = false, cuda_graph = false, json = false;
};

/// Random tokens of the shape of a task: the work of a step does not depend on what stands on the boards.
class RandomStream : public TrainingStream {
 public:
  explicit RandomStream(DataShape shape) : shape_(shape) {}
  DataShape shape() const override { return shape_; }
  Origin example(std::uint64_t seed, std::uint64_t position, std::span<std::int32_t> input,
                 std::span<std::int32_t> label, std::int32_t& puzzle_id) const override {
    Draws draws(seed, Purpose::bench, 0, position);
    const auto token = [&] {
      return 1 + static_cast<std::int32_t>(draws.below(static_cast<std::uint32_t>(shape_.vocabulary - 1)));
    };
    std::generate(input.begin(), input.end(), token);
    std::generate(label.begin(), label.end(), token);
    puzzle_id = 1 + static_cast<std::int32_t>(draws.below(static_cast<std::uint32_t>(shape_.identifiers - 1)));
    return {};
  }
  void augment(const Origin&, std::span<std::int32_t>) const override {}
  std::string identifier(std::int64_t) const override { return {}; }

 private:
  DataShape shape_;
};

RunConfig step_config(const StepOptions& options) {
  RunConfig config;
  if (options.size == "medium") {
    config.model.hidden_size = 512;
    config.model.num_layers = 2;
  }
  config.method.feedback = Feedback::prediction;
  config.optim.name = options.optimiser == "adamw" ? OptimiserKind::adamw : OptimiserKind::adam_atan2;
  config.train.global_batch = options.batch;
  config.compute.threads = options.threads;
  config.compute.cuda_graph = options.cuda_graph;
  if (options.attention == "cudnn") {
    config.compute.attention = AttentionChoice::cudnn;
    config.compute.deterministic = false;
  }
  config.compute.dtype = options.dtype == "float32" ? ComputeType::float32 : ComputeType::bfloat16;
  return config;
}

/// Seconds of `trial` in each timed batch.
template <class F>
std::vector<double> seconds_of_batches(const StepOptions& options, F trial) {
  std::vector<double> seconds;
  for (std::int64_t number = 0; number < options.warmup + options.batches; ++number) {
    const auto start = std::chrono::steady_clock::now();
    trial();
    if (number < options.warmup) continue;
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return seconds;
}

void print_step_bench(const StepOptions& options, const Json& json) {
  if (options.json) {
    std::cout << json_text(json) << "\n";
    return;
  }
  std::printf(
      "%s %s, batch %lld, %s on %s with %d threads: %.1f ms per supervision step (fastest %.1f), %.2f samples/s\n",
      options.task.c_str(), options.size.c_str(), static_cast<long long>(options.batch), options.dtype.c_str(),
      json["device"].get<std::string>().c_str(), json["threads"].get<int>(),
      json["ms_per_supervision_step"].get<double>(), json["fastest_ms"].get<double>(),
      json["samples_per_s"].get<double>());
}

void run_step_bench(const StepOptions& options) {
  const auto config = step_config(options);
  const bool queens = options.task == "queens";
  const RandomStream stream({queens ? 3 : 12, queens ? 64 : 900, 1024});
  const auto compute = set_up_compute(config.compute);
  const TargetBuilder targets(config.method, stream.shape());
  Backbone model(model_shape(config, stream.shape(), targets), 0, compute.device, compute.type);
  Optimiser optimiser(config.optim, config.train.steps, model.weights());
  const Ranks alone;
  TrainingLoop loop(config, alone, stream, targets.source(0, stream), model, optimiser);

  const auto N = config.method.num_supervision;
  const auto questions = draw_batch(stream, 0, 0, options.batch);
  const double memory_before = peak_memory_mb(compute.device);
  const auto seconds = seconds_of_batches(options, [&] {
    if (options.forward_only) {
      answer_rows(model, {config.method.feedback, loss_of(config.method), options.batch}, questions.inputs,
                  questions.puzzle_ids, N);
    } else {
      loop.run(N);
    }
  });
  const double middle = median(seconds);
  const double fastest = *std::min_element(seconds.begin(), seconds.end());
  const double memory = peak_memory_mb(compute.device);
  print_step_bench(options, {{"task", options.task},
                             {"size", options.size},
                             {"batch", options.batch},
                             {"dtype", options.dtype},
                             {"device", compute.device.str()},
                             {"threads", at::get_num_threads()},
                             {"ms_per_supervision_step", 1e3 * middle / static_cast<double>(N)},
                             {"fastest_ms", 1e3 * fastest / static_cast<double>(N)},
                             {"samples_per_s", static_cast<double>(options.batch) / middle},
                             {"forward_only", options.forward_only},
                             {"cuda_graph", options.cuda_graph},
                             {"attention", options.attention},
                             {"step_mb", memory - memory_before},
                             {"peak_mb", memory}});
}

}  // namespace

void add_bench_command(CLI::App& app) {
  CLI::App* bench = app.add_subcommand("bench", "Measure this machine");
  bench->require_subcommand(1);
  add_bench_data(*bench);
  add_bench_dist(*bench);
  add_bench_device(*bench);
  add_bench_attention(*bench);
  add_bench_kernels(*bench);
  add_bench_vote(*bench);
  auto options = std::make_shared<StepOptions>();
  CLI::App* step = bench->add_subcommand(
      "step", "Time whole DIS batches of made-up data: 6 supervision steps, each forward, backward and update");
  step->add_option("--task", options->task)->check(CLI::IsMember({"queens", "arc"}))->capture_default_str();
  step->add_option("--size", options->size)->check(CLI::IsMember({"compact", "medium"}))->capture_default_str();
  step->add_option("--batch", options->batch, "Lanes")->check(CLI::PositiveNumber)->capture_default_str();
  step->add_option("--dtype", options->dtype)->check(CLI::IsMember({"float32", "bfloat16"}))->capture_default_str();
  step->add_option("--optimiser", options->optimiser)
      ->check(CLI::IsMember({"adamw", "adam_atan2"}))
      ->capture_default_str();
  step->add_option("--batches", options->batches, "Timed batches")->check(CLI::PositiveNumber)->capture_default_str();
  step->add_option("--warmup", options->warmup, "Batches before")->check(CLI::NonNegativeNumber)->capture_default_str();
  step->add_option("--threads", options->threads, "0: as many as this process may use")->check(CLI::NonNegativeNumber);
  step->add_flag("--forward-only", options->forward_only, "Evaluation: no gradient, no update");
  step->add_flag("--cuda-graph", options->cuda_graph, "On a GPU: replay the supervision step as a CUDA graph");
  step->add_option("--attention", options->attention, "On a GPU: cudnn, which does not repeat bit for bit")
      ->check(CLI::IsMember({"automatic", "cudnn"}))
      ->capture_default_str();
  step->add_flag("--json", options->json, "Print the result as JSON");
  step->footer("Example:\n  dis bench step --task queens --batch 64 --dtype bfloat16");
  step->callback([options] { run_step_bench(*options); });
}

}  // namespace dis
