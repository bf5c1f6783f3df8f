// A user's puzzles as text, of families whose cells are characters: boards, Sudokus, mazes.
//
// A line of L characters is a puzzle by itself; lines of sqrt(L) characters are rows, sqrt(L) of them a puzzle. Empty
// lines may stand between puzzles. The file may be gzipped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace dis {

struct PuzzleText {
  std::string cells;      ///< [L]
  std::int64_t line = 0;  ///< of the file, from 1, in which it begins
};

/// UserError, with the line: another length, a puzzle without all its rows; a file without any puzzle.
std::vector<PuzzleText> read_puzzle_texts(const std::filesystem::path& file, std::size_t length);

/// The tokens [L] of a puzzle. UserError with line, place and `alphabet`: a character without a token.
std::vector<std::int32_t> tokens_of(const PuzzleText& puzzle, const std::filesystem::path& file,
                                    const std::string& alphabet,
                                    const std::function<std::optional<std::uint8_t>(char)>& token);

}  // namespace dis
