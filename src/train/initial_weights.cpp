#include "initial_weights.h"

#include <optional>

#include "dis/core/error.h"
#include "dis/data/identifiers.h"
#include "dis/train/checkpoint.h"
#include "dis/train/run_content.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

/// The run that a file of weights lies in, <run>/checkpoints/<update>/<file>; empty if it lies elsewhere.
fs::path run_around(const fs::path& file) {
  const auto checkpoints = fs::canonical(file).parent_path().parent_path();
  return checkpoints.filename() == "checkpoints" ? checkpoints.parent_path() : fs::path();
}

}  // namespace

InitialWeights find_initial_weights(const fs::path& from) {
  if (!fs::exists(from)) throw UserError("train.init_from: '" + from.string() + "' does not exist");
  InitialWeights found;
  fs::path run;
  if (fs::is_regular_file(from)) {
    found.file = from;
    if (const auto around = run_around(from); fs::exists(around / "config.json")) run = around;
  } else if (fs::exists(from / "model.safetensors")) {
    found.file = from / "model.safetensors";
    run = fs::canonical(from).parent_path().parent_path();
  } else if (const auto latest = latest_checkpoint(from)) {
    found.file = *latest / "model.safetensors";
    run = from;
  } else {
    throw UserError("train.init_from: '" + from.string() +
                    "' is neither a .safetensors file nor a checkpoint folder nor a run with a checkpoint");
  }
  if (!run.empty() && fs::exists(run / "identifiers.json")) {
    found.identifiers = read_identifiers(run / "identifiers.json");
    found.seen_tasks = read_seen_tasks(run).value_or(std::vector<std::string>{});
    found.seen_pairs = read_seen_pairs(run).value_or(TrainedPairs());
  }
  return found;
}

}  // namespace dis
