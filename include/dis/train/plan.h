// What a run will cost, from its configuration alone: nothing is allocated and nothing is trained.
//
// Counts are exact. Memory and time are estimates: memory counts weights, optimiser, puzzle table and what the backward
// pass keeps (floats of D- and I-wide states per token); time divides the arithmetic by an assumed rate, which is
// named.
#pragma once

#include <cstdint>
#include <string>

#include "dis/config/config.h"
#include "dis/core/json.h"
#include "dis/data/dataset.h"
#include "dis/model/backbone.h"

namespace dis {

struct TrainingPlan {
  std::int64_t block_parameters = 0;
  std::int64_t parameters = 0;  ///< trained by the dense optimiser
  std::int64_t puzzle_rows = 0;
  std::int64_t puzzle_numbers = 0;  ///< rows x E
  std::int64_t tokens_per_sample = 0;
  std::int64_t tokens_per_batch = 0;
  std::int64_t batches = 0;
  std::int64_t updates = 0;
  std::int64_t samples = 0;
  double epochs = 0.0;
  std::int64_t passes_per_batch = 0;  ///< N_sup T (n + 1) applications of the stack: at evaluation
  std::int64_t forward_passes = 0;    ///< in training, of a sample that does all N_sup steps; HRM asks twice
  std::int64_t backward_passes = 0;   ///< those of them that carry gradient
  double training_flops = 0.0;        ///< of the whole run
  std::int64_t evaluation_rows = 0;   ///< of one evaluation: rows that go through all supervision steps
  double evaluation_flops = 0.0;
  std::int64_t evaluations = 0;  ///< while training
  double weight_bytes = 0.0;     ///< weights, gradients, moments, compute copy, moving average
  double puzzle_bytes = 0.0;
  double activation_bytes = 0.0;  ///< of a micro-batch
};

/// In training, of a sample that does all N_sup steps (the most that TRM and HRM, which halt, may take).
PassCount passes_per_sample(const ModelShape& shape);
/// Floating-point operations of so many passes of one sample through the stack: matrix products and attention.
double flops_per_sample(const ModelShape& shape, const PassCount& passes);

/// `epoch_length` examples make an epoch; 0 if the data set has none. `bfloat16`: type of the activations.
TrainingPlan plan_training(const RunConfig& config, const ModelShape& shape, std::int64_t epoch_length,
                           std::int64_t evaluation_rows, bool bfloat16);

/// An assumed rate of arithmetic, and where it is from.
struct AssumedRate {
  std::string name;
  double flops_per_second = 0.0;
  double peak = 0.0;  ///< what shares of a peak are shares of: of CPU threads, the same
};
/// One H100 at a third of its peak (what compiled PyTorch reaches with such networks), and `threads` CPU threads.
AssumedRate assumed_gpu();
AssumedRate assumed_cpu(int threads, bool bfloat16);

/// "12.3 TFLOP", "456 samples": a value with three digits and the prefix that suits it.
std::string scaled(double value, const char* unit);

Json to_json(const TrainingPlan& plan);
std::string plan_text(const TrainingPlan& plan, const AssumedRate& cpu);

}  // namespace dis
