// `dis data build`.
#pragma once

#include <filesystem>

#include "dis/config/config.h"

namespace dis {

/// Files for data.train_file and data.test_file.
void write_boards(const RunConfig& config, const std::filesystem::path& folder);

}  // namespace dis
