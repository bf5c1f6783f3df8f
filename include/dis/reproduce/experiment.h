// One training run of a study, from its configuration to its scores; a study is a folder of such runs.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "dis/config/config.h"
#include "dis/core/json.h"
#include "dis/dist/ranks.h"
#include "dis/model/weights.h"

namespace dis {

struct Experiment {
  std::string name;  ///< of its run folder
  RunConfig config;
};

/// What a finished experiment left.
struct Findings {
  Json evaluation;              ///< <run>/eval/<updates>.json (eval/evaluate.h)
  double seconds = 0.0;         ///< of training
  double device_seconds = 0.0;  ///< the same times the ranks: GPU time where the ranks have GPUs
  std::int64_t samples = 0;
  std::int64_t updates = 0;
};

/// Trains what is missing of <folder>/<name> and evaluates the result; nothing when it is finished. Throws Stopped
/// after a signal, with a checkpoint written. UserError: the folder holds a run with other settings; those of train().
void run_experiment(const Experiment& experiment, const std::filesystem::path& folder,
                    const std::shared_ptr<const Ranks>& ranks);

/// None while it is not finished. UserError: as above.
std::optional<Findings> findings_of(const Experiment& experiment, const std::filesystem::path& folder);

/// The network on fields of `length` cells and `vocabulary` tokens, without any data (and so with one identifier).
ModelShape network_shape(const RunConfig& config, std::int64_t length, std::int64_t vocabulary);

/// Floating-point operations of the whole training, of lanes that do all supervision steps (with halting every update
/// costs the same, whenever lanes halt).
double training_flops(const RunConfig& config, std::int64_t length, std::int64_t vocabulary);

/// The same configuration with as many updates as cost `flops`, at least one batch.
RunConfig with_budget(RunConfig config, double flops, std::int64_t length, std::int64_t vocabulary);

}  // namespace dis
