// dis import
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "commands.h"
#include "config_options.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/log.h"
#include "dis/data/identifiers.h"
#include "dis/model/published_weights.h"
#include "dis/model/state_dict.h"
#include "dis/train/session.h"
#include "outputs.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

struct ImportOptions {
  ConfigOptions config;
  std::string input;
  std::string output;
  std::string identifiers;
};

/// The network that the configuration describes; `rows` puzzle identifiers when that is not 0, else those of the data.
ModelShape wanted_shape(RunConfig config, std::int64_t rows) {
  config.compute.device = DeviceKind::cpu;
  if (rows > 0) config.data.augmentations = 0;  // the data tell only the sizes of a field then
  const auto session = open_session(without_trajectories(config));
  auto shape = model_shape(config, session.data->shape(), *session.targets);
  if (rows > 0) shape.identifiers = rows;
  return shape;
}

std::int64_t list_length(const ImportOptions& options, const ModelConfig& model) {
  if (options.identifiers.empty()) return 0;
  if (!model.puzzle_embedding) {
    throw UserError("--identifiers: this network has no rows for puzzles (model.puzzle_embedding = false)");
  }
  return std::ssize(read_identifiers(options.identifiers));
}

bool same_file(const fs::path& a, const fs::path& b) {
  std::error_code ignored;
  return fs::equivalent(a, b, ignored);
}

void try_weights(const ImportOptions& options, bool is_file, const fs::path& file) {
  refuse_input(file, "--output", {options.input, options.identifiers, options.config.file});
  const auto list = file.parent_path() / "identifiers.json";
  if (!is_file) refuse_input(list, "--output", {options.input, options.config.file});
  if (is_file) {
    try_file(file);
  } else {
    try_folder(options.output);
  }
}

void run_import(const ImportOptions& options) {
  const auto config = options.config.load();
  const fs::path output = options.output;
  const bool is_file = output.extension() == ".safetensors";
  const auto file = is_file ? output : output / "model.safetensors";
  try_weights(options, is_file, file);
  auto state = read_state_dict(options.input);  // before the data: most mistakes are about this file
  const auto rows = list_length(options, config.model);
  const auto shape = wanted_shape(config, rows);
  const auto [weights, recognised] = from_published(state, weight_table(shape), "'" + options.input + "'");
  state.clear();

  if (rows == 0 && config.model.puzzle_embedding && shape.identifiers > 1) {
    log_warn("without --identifiers only the number of puzzle rows was compared (" + std::to_string(shape.identifiers) +
             "): were these weights trained on other puzzles, or on these in another order, their scores mean nothing");
  }
  if (!is_file) ensure_folder(output);
  auto list = fs::path(options.identifiers);
  if (!is_file && rows > 0) {
    if (!same_file(list, output / "identifiers.json")) {
      write_atomically(output / "identifiers.json", read_text(options.identifiers));
    }
    list = output / "identifiers.json";
  }
  write_tensors(file, weights);

  std::int64_t numbers = 0;
  for (const auto& [name, tensor] : weights) numbers += tensor.numel();
  std::cout << weights.size() << " tensors, " << numbers << " numbers: all names and shapes fit (" << recognised
            << ")\nwritten to " << file.string() << "\nnext: dis eval --weights " << file.string();
  if (rows > 0) std::cout << " --identifiers " << list.string();
  if (!options.config.file.empty()) std::cout << " --config " << options.config.file;
  std::cout << "\n";
}

}  // namespace

void add_import_command(CLI::App& app) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command =
      app.add_subcommand("import", "Read published TRM, HRM or DIS weights (files of torch.save or safetensors)");
  options->config.add_to(*command);
  command
      ->add_option("--input", options->input,
                   "State dict of the official programs, such as step_1234, or a checkpoint with one in it")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--output", options->output,
                   "A .safetensors file, or a folder that gets model.safetensors and identifiers.json")
      ->required()
      ->type_name("PATH");
  command->add_option("--identifiers", options->identifiers, "identifiers.json that the weights were trained with")
      ->type_name("FILE");
  command->footer(
      "Nothing in the file is run: it may hold tensors in plain containers, and nothing else.\n\nExample:\n"
      "  dis import --input step_723914 --identifiers identifiers.json --config configs/arc/dis_compact_arc1.json "
      "--output published");
  command->callback([options] { run_import(*options); });
}

}  // namespace dis
