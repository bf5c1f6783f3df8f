// `dis data` for N-Queens boards.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "dis/config/config.h"
#include "dis/core/json.h"

namespace dis {

/// Counts of the training boards and of each test set, and what they share.
Json boards_info(const RunConfig& config);
void print_boards_info(const Json& info);

struct ShowBoards {
  std::string test;  ///< name of a test set; empty: training boards
  std::int64_t first = 0;
  std::int64_t count = 8;
  bool plain = false;
};
void show_boards(const RunConfig& config, const ShowBoards& options);

/// Files for data.train_file and data.test_file.
void write_boards(const RunConfig& config, const std::filesystem::path& folder);

}  // namespace dis
