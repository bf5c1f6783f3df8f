// Puzzles as the hub's sets have them: CSV files with the columns source,question,answer,rating, a puzzle a line.
//
// Question and answer are texts of one length, row by row (puzzle_family.h); the rating is a whole number, for
// Sudoku-Extreme the guesses that a solver made. Nothing is quoted. Files may be gzipped, whatever their name says.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "dis/data/puzzles/puzzle_family.h"
#include "dis/data/puzzles/puzzle_table.h"

namespace dis {

/// Reads the puzzles of a file whose rating is at least `min_rating`. A file is read in pieces: memory holds the
/// puzzles alone. UserError, with the number of the line: not these four columns, a length that the family does not
/// have or that differs from the first puzzle's, a character of another alphabet, an answer that changes the question,
/// a rating that is no whole number, a file that is cut off; no puzzle at all.
PuzzleTable read_puzzle_csv(const std::filesystem::path& file, const PuzzleFamily& family, std::int64_t min_rating);

/// <folder>/<split>.csv, else <folder>/<split>.csv.gz; none: neither is there.
std::optional<std::filesystem::path> find_puzzle_csv(const std::filesystem::path& folder, const std::string& split);

}  // namespace dis
