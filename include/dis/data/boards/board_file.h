// Board files: JSON with a list of N-Queens boards under the key "boards" or "test". data/README.md describes them.
//
// A board is {"input": "1121...", "label": "1121..."}, N x N characters, row by row, 1 empty, 2 queen (other keys are
// ignored), or a string "30471625 xxxx.xxx": the column of every row's queen (0..9, a..f), then x where it is given.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "dis/core/json.h"
#include "dis/data/boards/queens.h"

namespace dis {

/// The boards of a file for boards of size `n`; `key` is the configuration field that names the file.
/// UserError with field, file, number of the board (from 0) and reason: no list or an empty one, a wrong length, a
/// wrong character, a given queen missing in the label, a label that is no solution.
std::vector<CompactBoard> read_board_file(const std::filesystem::path& path, int n, const std::string& key);

/// Writes `count` boards as {"k", "completions", "input", "label"} under `list` ("boards" or "test"), after the entries
/// of `head`; k: number of givens, completions: counted up to kCompletionsCap.
void write_board_file(const std::filesystem::path& path, const Json& head, const std::string& list, std::int64_t count,
                      const std::function<Board(std::int64_t)>& board);

}  // namespace dis
