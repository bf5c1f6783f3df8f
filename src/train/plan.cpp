#include "dis/train/plan.h"

#include <algorithm>
#include <cstdio>

#include "dis/core/progress.h"
#include "dis/model/halves.h"
#include "dis/train/optimiser.h"
#include "dis/train/schedule.h"

namespace dis {
namespace {

/// A sum over the halves of all blocks of one stack.
double over_halves(const ModelShape& shape, double (*Half::*number)(const ModelShape&)) {
  double sum = 0.0;
  for (const auto& half : halves_of(shape.config)) sum += (half.*number)(shape);
  return static_cast<double>(shape.config.num_layers) * sum;
}

/// Multiply-adds count two. One sample through the stack once.
double flops_of_pass(const ModelShape& shape) { return over_halves(shape, &Half::flops); }

std::string line(const char* what, const std::string& value) {
  char text[256];
  std::snprintf(text, sizeof text, "%-26s%s\n", what, value.c_str());
  return text;
}

/// 1234567 -> "1,234,567"
std::string grouped(std::int64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace

std::string scaled(double value, const char* unit) {
  const char* prefixes[] = {"", "k", "M", "G", "T", "P", "E", "Z"};
  std::size_t i = 0;
  for (; value >= 1000.0 && i + 1 < std::size(prefixes); ++i) value /= 1000.0;
  char text[64];
  std::snprintf(text, sizeof text, "%.3g %s%s", value, prefixes[i], unit);
  return text;
}

PassCount passes_per_sample(const ModelShape& shape) {
  const auto passes = passes_of_step(shape);
  // HRM asks its continue head's target of the state after one more step.
  return {shape.supervision * std::ssize(passes) * (shape.hierarchical ? 2 : 1),
          shape.supervision * std::ranges::count_if(passes, &Pass::gradient)};
}

double flops_per_sample(const ModelShape& shape, const PassCount& passes) {
  // The way back of a pass costs two: to the states and to the weights.
  return static_cast<double>(passes.forward + 2 * passes.backward) * flops_of_pass(shape);
}

TrainingPlan plan_training(const RunConfig& config, const ModelShape& shape, std::int64_t epoch_length,
                           std::int64_t evaluation_rows, bool bfloat16) {
  TrainingPlan plan;
  for (const auto& spec : weight_table(shape)) {
    const auto numbers = spec.count();
    if (spec.name.find(".layers.") != std::string::npos) plan.block_parameters += numbers;
    if (spec.kind == WeightKind::parameter) plan.parameters += numbers;
    if (spec.name.ends_with("puzzle_emb.weights")) {
      plan.puzzle_rows = spec.shape[0];
      plan.puzzle_numbers = numbers;
    }
  }
  plan.tokens_per_sample = shape.positions();
  plan.tokens_per_batch = shape.positions() * config.train.global_batch;
  plan.batches = batches_of(config.method, config.train.steps);
  plan.updates = updates_of(config);
  plan.samples = plan.batches * config.train.global_batch;
  if (epoch_length > 0) plan.epochs = static_cast<double>(plan.samples) / static_cast<double>(epoch_length);
  plan.passes_per_batch = config.method.num_supervision * std::ssize(passes_of_step(shape));

  const auto passes = passes_per_sample(shape);
  plan.forward_passes = passes.forward;
  plan.backward_passes = passes.backward;
  plan.training_flops = flops_per_sample(shape, passes) * static_cast<double>(plan.samples);
  plan.evaluation_rows = evaluation_rows;
  plan.evaluation_flops =
      static_cast<double>(plan.passes_per_batch) * flops_of_pass(shape) * static_cast<double>(evaluation_rows);
  if (config.train.eval_every > 0) plan.evaluations = std::min(plan.batches, plan.updates / config.train.eval_every);

  const double weight_size = 4.0 + 4.0 + (bfloat16 ? 2.0 : 0.0) + (config.optim.ema_rate > 0.0 ? 4.0 : 0.0);
  const auto moments = optimiser_numbers(optimised_weights(config.optim, weight_table(shape)));
  plan.weight_bytes = weight_size * static_cast<double>(plan.parameters) + 4.0 * static_cast<double>(moments);
  plan.puzzle_bytes = 4.0 * static_cast<double>(plan.puzzle_numbers);
  const auto lanes = config.train.micro_batch > 0 ? config.train.micro_batch : config.train.global_batch;
  plan.activation_bytes = (bfloat16 ? 2.0 : 4.0) * over_halves(shape, &Half::kept) *
                          static_cast<double>(passes.backward / shape.supervision * lanes * shape.positions());
  return plan;
}

AssumedRate assumed_gpu() { return {"one H100 at a third of its 990 TFLOP/s in bfloat16", 330e12, 990e12}; }

AssumedRate assumed_cpu(int threads, bool bfloat16) {
  const double rate = static_cast<double>(threads) * (bfloat16 ? 90e9 : 50e9);
  return {std::to_string(threads) + " CPU threads at " + (bfloat16 ? "90 GFLOP/s (bfloat16)" : "50 GFLOP/s (float32)") +
              " each",
          rate, rate};
}

Json to_json(const TrainingPlan& plan) {
  return {
      {"block_parameters", plan.block_parameters},
      {"parameters", plan.parameters},
      {"puzzle_rows", plan.puzzle_rows},
      {"puzzle_numbers", plan.puzzle_numbers},
      {"tokens_per_sample", plan.tokens_per_sample},
      {"tokens_per_batch", plan.tokens_per_batch},
      {"batches", plan.batches},
      {"updates", plan.updates},
      {"samples", plan.samples},
      {"epochs", plan.epochs},
      {"passes_per_batch", plan.passes_per_batch},
      {"forward_passes_per_sample", plan.forward_passes},
      {"backward_passes_per_sample", plan.backward_passes},
      {"training_flops", plan.training_flops},
      {"evaluation_rows", plan.evaluation_rows},
      {"evaluation_flops", plan.evaluation_flops},
      {"evaluations", plan.evaluations},
      {"memory_bytes",
       {{"weights", plan.weight_bytes}, {"puzzle_table", plan.puzzle_bytes}, {"activations", plan.activation_bytes}}},
      {"gpu_hours", plan.training_flops / assumed_gpu().flops_per_second / 3600.0},
      {"gpu_hours_assume", assumed_gpu().name}};
}

std::string plan_text(const TrainingPlan& plan, const AssumedRate& cpu) {
  std::string text = line("parameters in the blocks", grouped(plan.block_parameters)) +
                     line("trained in all", grouped(plan.parameters));
  if (plan.puzzle_rows > 0) {
    text += line("puzzle table", grouped(plan.puzzle_rows) + " rows, " + grouped(plan.puzzle_numbers) + " numbers");
  }
  char epochs[32] = "";
  if (plan.epochs > 0.0) std::snprintf(epochs, sizeof epochs, ", %.4g epochs", plan.epochs);
  text +=
      line("tokens", grouped(plan.tokens_per_sample) + " a sample, " + grouped(plan.tokens_per_batch) + " a batch") +
      line("updates", grouped(plan.updates) + " in " + grouped(plan.batches) + " batches: " + grouped(plan.samples) +
                          " samples" + epochs) +
      line("passes of the stack", grouped(plan.passes_per_batch) + " a batch") +
      line("arithmetic", scaled(plan.training_flops, "FLOP")) +
      line("memory, about", scaled(plan.weight_bytes + plan.puzzle_bytes + plan.activation_bytes, "B") +
                                ": activations " + scaled(plan.activation_bytes, "B") + ", puzzle table " +
                                scaled(plan.puzzle_bytes, "B") + ", weights and optimiser " +
                                scaled(plan.weight_bytes, "B"));
  for (const auto& rate : {assumed_gpu(), cpu}) {
    text += line("training, about", format_duration(plan.training_flops / rate.flops_per_second) + " on " + rate.name) +
            line("an evaluation, about", format_duration(plan.evaluation_flops / rate.flops_per_second) + " for " +
                                             grouped(plan.evaluation_rows) + " rows");
  }
  if (plan.evaluations > 0) text += line("evaluations", grouped(plan.evaluations) + " while training");
  return text;
}

}  // namespace dis
