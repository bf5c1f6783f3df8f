// The options `--config FILE` and `--set field=value`, which several subcommands have.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "dis/config/config.h"

namespace dis {

struct ConfigOptions {
  std::string file;              ///< empty: the defaults
  std::vector<std::string> set;  ///< overrides, in the order of the command line

  /// Adds both options to a subcommand. This object must outlive the parsing.
  void add_to(CLI::App& app);

  /// The configuration that they stand for; UserError as `load_config`. When the file does not exist, the error lists
  /// the configurations in the nearest folder `configs`.
  RunConfig load() const;
};

/// The folder `configs` that came with this executable; empty where there is none.
std::filesystem::path shipped_configs();

/// `path`, or what has this name among the configurations that came with the executable when there is no such path:
/// nqueens/quickstart.json and configs/nqueens/quickstart.json both name the same file.
std::filesystem::path find_shipped(const std::filesystem::path& path);

}  // namespace dis
