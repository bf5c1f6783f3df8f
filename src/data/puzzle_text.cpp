#include "dis/data/puzzle_text.h"

#include <cmath>
#include <string_view>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/json.h"
#include "text_lines.h"

namespace dis {
namespace {

std::string place_of(const std::filesystem::path& file, std::int64_t line) {
  return file.string() + ": line " + std::to_string(line) + ": ";
}

}  // namespace

std::vector<PuzzleText> read_puzzle_texts(const std::filesystem::path& file, std::size_t length) {
  const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(length))));
  std::vector<PuzzleText> puzzles;
  PuzzleText rows;  // of the puzzle that is being read
  const auto end_rows = [&] {
    if (rows.cells.empty()) return;
    if (rows.cells.size() != length) {
      throw UserError(place_of(file, rows.line) + "expected a puzzle of " + std::to_string(side) + " lines, found " +
                      std::to_string(rows.cells.size() / side));
    }
    puzzles.push_back(std::move(rows));
    rows = {};
  };
  TextLines lines(file);
  for (std::string_view line; lines.next(line);) {
    if (line.empty()) {
      end_rows();
    } else if (line.size() == length) {
      end_rows();
      puzzles.push_back({std::string(line), lines.number()});
    } else if (line.size() == side) {
      if (rows.cells.empty()) rows.line = lines.number();
      rows.cells += line;
      if (rows.cells.size() == length) end_rows();
    } else {
      throw UserError(lines.here() + "expected a puzzle of " + std::to_string(length) + " characters, or a row of " +
                      std::to_string(side) + " (the network was trained on " + std::to_string(side) + " x " +
                      std::to_string(side) + "), found " + std::to_string(line.size()));
    }
  }
  end_rows();
  if (puzzles.empty()) throw UserError(file.string() + ": expected a puzzle a line, found none");
  return puzzles;
}

std::vector<std::int32_t> tokens_of(const PuzzleText& puzzle, const std::filesystem::path& file,
                                    const std::string& alphabet,
                                    const std::function<std::optional<std::uint8_t>(char)>& token) {
  std::vector<std::int32_t> tokens;
  for (const char character : puzzle.cells) {
    const auto found = token(character);
    if (!found) {
      throw UserError(place_of(file, puzzle.line) + "expected " + alphabet + ", found " +
                      in_message(Json(std::string(1, character))) + " in cell " + std::to_string(tokens.size() + 1));
    }
    tokens.push_back(*found);
  }
  return tokens;
}

}  // namespace dis
