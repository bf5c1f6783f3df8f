// Puzzles as the hub's sets have them: CSV files with the columns source,question,answer,rating, a puzzle a line.
//
// Question and answer are texts of one length, row by row (puzzle_family.h); the rating is a whole number, for
// Sudoku-Extreme the guesses that a solver made. Nothing is quoted. Files may be gzipped, whatever their name says.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "dis/data/puzzles/puzzle_family.h"
#include "dis/data/puzzles/puzzle_table.h"

namespace dis {

inline constexpr std::string_view kPuzzleColumns = "source,question,answer,rating";

/// The last three columns of a line, taken from the right, for a source may hold anything. none: there are fewer than
/// four.
struct PuzzleLine {
  std::string_view question, answer, rating;
};
std::optional<PuzzleLine> split_puzzle_line(std::string_view line);
/// A rating; none: it is no whole number from 0 on.
std::optional<std::int64_t> rating_of(std::string_view text);

/// Reads the puzzles of a file whose rating is at least `min_rating`. A file is read in pieces: memory holds the
/// puzzles alone. UserError, with the number of the line: not these four columns, a length that the family does not
/// have or that differs from the first puzzle's, a character of another alphabet, an answer that changes the question,
/// a rating that is no whole number, a file that is cut off; no puzzle at all.
PuzzleTable read_puzzle_csv(const std::filesystem::path& file, const PuzzleFamily& family, std::int64_t min_rating);

/// <folder>/<split>.csv, else <folder>/<split>.csv.gz; none: neither is there.
std::optional<std::filesystem::path> find_puzzle_csv(const std::filesystem::path& folder, const std::string& split);

}  // namespace dis
