// A user's own grid puzzles: one JSON file.
//
//   {"vocabulary": 10, "rows": 9, "columns": 9,
//    "train": [{"input": [[5, 3, ...], ...], "output": [[5, 3, ...], ...], "puzzle": "optional name"}, ...],
//    "test":  [...]}
//
// Cells hold the values 0..vocabulary-1; value v becomes token v + 1, and token 0 is the pad. Grids have at most
// rows x columns cells (1 to 256 each); smaller ones lie in the upper left corner, the rest is pad, and a pad in the
// output carries no loss. An example's input and output may differ in size.
//
// Examples with the same "puzzle" share an identifier, numbered from 1 in the order of the training examples, and make
// a group: each epoch shows all of them once. An example without a name has the blank identifier 0 and is a group of
// its own. A test example takes the identifier of its puzzle's training examples; where there are none, nothing was
// learnt about the puzzle, and its identifier is the blank one. "test" may be empty or left out; "train" may not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "dis/core/json.h"
#include "dis/data/arrays/puzzle_rows.h"

namespace dis {

/// Puzzles to be answered: {"test": [{"input": grid, "puzzle": "optional name", "output": grid, if it is known}, ...]}.
/// `identifier`: of a name. UserError as below.
std::vector<Example> read_grid_questions(const std::filesystem::path& file, const GridForm& form,
                                         const std::function<std::int32_t(const std::string&)>& identifier);
/// The grid in the upper left corner of tokens [rows columns] that is as large as the one in `like`, where pads and
/// kIgnore lie outside: what a network says there was never taught. A pad within it is null.
Json grid_as_written(std::span<const std::int32_t> tokens, std::span<const std::int32_t> like, const GridForm& form);

/// Reads such a file; its rows are held in memory. UserError: invalid JSON, a missing or unknown key, a grid that is
/// ragged, empty or too large, a value outside the vocabulary; it names file, example, row and column (from 0).
PuzzleRows read_grid_puzzles(const std::filesystem::path& file);

}  // namespace dis
