#include "dis/data/puzzles/puzzle_csv.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "../text_lines.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"

namespace dis {
namespace fs = std::filesystem;

namespace {

struct Fields {
  std::string_view question, answer;
  std::int64_t rating = 0;
};

std::string shown(std::string_view text) { return in_message(Json(std::string(text.substr(0, 40)))); }

Fields fields_of(std::string_view line, const TextLines& lines) {
  const auto columns = split_puzzle_line(line);
  if (!columns) {
    throw UserError(lines.here() + "expected four columns, " + std::string(kPuzzleColumns) + ", found " + shown(line));
  }
  const auto rating = rating_of(columns->rating);
  if (!rating) {
    throw UserError(lines.here() + "rating: expected a whole number from 0 to 9223372036854775807, found " +
                    shown(columns->rating));
  }
  return {columns->question, columns->answer, *rating};
}

class CsvReader {
 public:
  CsvReader(const TextLines& lines, const PuzzleFamily& family, std::size_t length)
      : lines_(lines), family_(family), length_(length), question_(length), answer_(length) {
    for (int character = 0; character < 256; ++character) {
      for (const bool answer : {false, true}) {
        tokens_[answer][static_cast<std::size_t>(character)] =
            family.token(static_cast<char>(character), answer, length).value_or(kNone);
      }
    }
  }

  void add(const Fields& fields, PuzzleTable& table) {
    translate(fields.question, false, question_);
    translate(fields.answer, true, answer_);
    // A cell of the question that is no blank stands in the answer, too: an empty cell is the only token that turns.
    for (std::size_t cell = 0; cell < length_; ++cell) {
      if (question_[cell] != answer_[cell] && question_[cell] != family_.open_token()) {
        throw UserError(lines_.here() + "answer: expected what the question gives, " +
                        shown(fields.question.substr(cell, 1)) + ", at character " + std::to_string(cell + 1) +
                        ", found " + shown(fields.answer.substr(cell, 1)));
      }
    }
    table.add(question_, answer_, fields.rating);
  }

 private:
  static constexpr std::uint8_t kNone = 255;

  void translate(std::string_view text, bool answer, std::vector<std::uint8_t>& tokens) const {
    const std::string column = answer ? "answer: " : "question: ";
    if (text.size() != length_) {
      throw UserError(lines_.here() + column + "expected " + std::to_string(length_) +
                      " characters, as the first puzzle has, found " + std::to_string(text.size()));
    }
    for (std::size_t cell = 0; cell < length_; ++cell) {
      tokens[cell] = tokens_[answer][static_cast<unsigned char>(text[cell])];
      if (tokens[cell] == kNone) {
        throw UserError(lines_.here() + column + "expected " + family_.alphabet(answer, length_) + ", found " +
                        shown(text.substr(cell, 1)) + " at character " + std::to_string(cell + 1));
      }
    }
  }

  const TextLines& lines_;
  const PuzzleFamily& family_;
  std::size_t length_;
  std::array<std::array<std::uint8_t, 256>, 2> tokens_{};
  std::vector<std::uint8_t> question_, answer_;
};

}  // namespace

std::optional<PuzzleLine> split_puzzle_line(std::string_view line) {
  std::array<std::string_view, 3> last;
  for (auto& field : last) {
    const auto comma = line.rfind(',');
    if (comma == std::string_view::npos) return std::nullopt;
    field = line.substr(comma + 1);
    line = line.substr(0, comma);
  }
  return PuzzleLine{last[2], last[1], last[0]};
}

std::optional<std::int64_t> rating_of(std::string_view text) {
  std::int64_t rating = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rating);
  if (error != std::errc() || end != text.data() + text.size() || rating < 0) return std::nullopt;
  return rating;
}

PuzzleTable read_puzzle_csv(const fs::path& file, const PuzzleFamily& family, std::int64_t min_rating) {
  TextLines lines(file);
  std::string_view line;
  if (!lines.next(line) || line != kPuzzleColumns) {
    throw UserError(file.string() + ": expected the columns " + std::string(kPuzzleColumns) +
                    " in the first line, found " + shown(line));
  }
  PuzzleTable table;
  std::optional<CsvReader> reader;
  while (lines.next(line)) {
    if (line.empty()) continue;
    const auto fields = fields_of(line, lines);
    if (!reader) {
      if (!family.has_size(fields.question.size())) {
        throw UserError(lines.here() + "question: expected a " + family.name() + ", whose number of characters is " +
                        family.sizes() + ", found " + std::to_string(fields.question.size()));
      }
      table = PuzzleTable(fields.question.size(), family.open_token());
      reader.emplace(lines, family, fields.question.size());
    }
    if (fields.rating >= min_rating) reader->add(fields, table);
  }
  if (table.size() == 0) {
    throw UserError(
        file.string() + ": expected at least one puzzle" +
        (min_rating > 0 ? " with a rating of " + std::to_string(min_rating) + " or more (data.min_rating)" : "") +
        ", found none");
  }
  return table;
}

std::optional<fs::path> find_puzzle_csv(const fs::path& folder, const std::string& split) {
  for (const char* ending : {".csv", ".csv.gz"}) {
    const auto file = folder / (split + ending);
    if (fs::exists(file)) return file;
  }
  return std::nullopt;
}

}  // namespace dis
