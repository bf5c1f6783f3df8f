// dis export
#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "commands.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/log.h"
#include "dis/model/published_weights.h"
#include "dis/model/torch_file.h"
#include "dis/train/checkpoint.h"
#include "dis/train/session.h"
#include "outputs.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

struct ExportOptions {
  std::string run;
  std::string checkpoint = "latest";
  std::string output;
  std::string prefix = kPublishedPrefix;
  std::string states = "run";
  bool ema = false;
  bool last = false;
};

/// The type of the initial states: the network reads them in its compute type, so rounding to that loses nothing.
at::ScalarType state_type(const std::string& wanted, ComputeConfig compute) {
  if (wanted == "float32" || (wanted == "run" && compute.dtype == ComputeType::float32)) return at::kFloat;
  const bool on_gpu = compute.device == DeviceKind::cuda;  // this machine may have none
  if (wanted == "bfloat16" || compute.dtype == ComputeType::bfloat16 || on_gpu) return at::kBFloat16;
  return choose_compute(compute).type;
}

/// What `dis eval` scores, unless --ema or --last asks otherwise.
ScoredWeights weights_of(const fs::path& folder, const ExportOptions& options, const EvalConfig& eval) {
  auto weights = scored_weights(folder, !options.last && (options.ema || eval.ema));
  if (options.ema && !weights.averaged) {
    throw UserError("checkpoint '" + folder.string() +
                    "' has no moving average (optim.ema_rate was 0); leave out --ema to export the last weights");
  }
  return weights;
}

void run_export(const ExportOptions& options) {
  const auto config = run_config(options.run, {});
  const auto folder = find_checkpoint(options.run, options.checkpoint);
  refuse_input(options.output, "--output", run_inputs(options.run));
  try_file(options.output);
  const auto weights = weights_of(folder, options, config.eval);
  const auto states = state_type(options.states, config.compute);
  const auto state = to_published(read_tensors(weights.file), options.prefix, states);
  write_torch_file(options.output, state);
  if (states != at::kFloat) log_info("the initial states H_init and L_init are rounded to bfloat16 (see --states)");
  std::cout << state.size() << " tensors of checkpoint " << folder.filename().string()
            << ", weights: " << weights.name() << "\nwritten to " << options.output << "\n";
  if (config.model.puzzle_embedding) {
    std::cout << "its puzzle rows are those of " << (fs::path(options.run) / "identifiers.json").string() << "\n";
  }
}

}  // namespace

void add_export_command(CLI::App& app) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand("export", "Write a run's weights as the official programs load them");
  command->add_option("--run", options->run, "Run folder")->required()->type_name("DIR");
  command->add_option("--checkpoint", options->checkpoint, "Checkpoint: an update number, latest or best")
      ->capture_default_str();
  auto* ema = command->add_flag("--ema", options->ema, "The moving average of the parameters, or an error");
  command->add_flag("--last", options->last, "The last parameters (default: what dis eval scores, see eval.ema)")
      ->excludes(ema);
  command->add_option("--output", options->output, "The state dict, a file for torch.load")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--prefix", options->prefix,
                   "In front of every name; model.inner. for a network that is not compiled, '' for none")
      ->capture_default_str();
  command->add_option("--states", options->states, "Type of H_init and L_init; run: the run's compute type")
      ->check(CLI::IsMember({"run", "float32", "bfloat16"}))
      ->capture_default_str();
  command->footer("Example:\n  dis export --run runs/first --output step_18000");
  command->callback([options] { run_export(*options); });
}

}  // namespace dis
