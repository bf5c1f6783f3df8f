// `dis data` for ARC and for rows of tokens (folders, a user's own puzzles).
#pragma once

#include <filesystem>
#include <string>

#include "dis/config/config.h"
#include "dis/data/arc/arc_task.h"

namespace dis {

/// The task of that name in data.subsets. UserError that names the subsets.
ArcTask find_task(const DataConfig& data, const std::string& id);

/// The official on-disk format, with progress.
void export_data(const RunConfig& config, const std::filesystem::path& folder);

/// Reads every row of such a folder, says what it holds, and writes a configuration that trains on it.
void import_folder(const std::filesystem::path& folder, const std::filesystem::path& config_file);

}  // namespace dis
