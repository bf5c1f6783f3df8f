#include "dis/data/arrays/grid_puzzles.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dis/core/error.h"
#include "dis/core/json.h"

namespace dis {
namespace {

constexpr std::int64_t kLongestSide = 256;
constexpr std::int64_t kLargestVocabulary = 65535;
constexpr std::int32_t kPad = 0;
constexpr std::int64_t kByteTokens = 256;
constexpr const char* kBlank = "<blank>";

/// What was found, cut to a length that a message can bear.
std::string found(const Json& json) { return ", found " + in_message(json); }

/// A whole number of a file from `least` to `most`.
std::int64_t integer_of(const Json& value, std::int64_t least, std::int64_t most, const std::string& place) {
  const bool fits = value.is_number_integer() &&
                    (!value.is_number_unsigned() || std::in_range<std::int64_t>(value.get<std::uint64_t>()));
  const std::int64_t number = fits ? value.get<std::int64_t>() : 0;
  if (!fits || number < least || number > most) {
    throw UserError(place + ": expected a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
                    found(value));
  }
  return number;
}

/// The entry `key` of an object, which must be there.
const Json& entry_of(const Json& object, const char* key, const std::string& place) {
  if (!object.contains(key)) throw UserError(place + ": expected the key \"" + key + "\", found none");
  return object[key];
}

void check_keys(const Json& object, const std::vector<std::string>& known, const std::string& place) {
  std::string list;
  for (const std::string& key : known) list += (list.empty() ? "" : ", ") + key;
  if (!object.is_object()) throw UserError(place + ": expected an object with " + list + found(object));
  for (const auto& [key, value] : object.items()) {
    if (std::ranges::find(known, key) == known.end()) {
      throw UserError(place + ": expected only the key" + (known.size() == 1 ? " " : "s ") + list + found(Json(key)));
    }
  }
}

/// Appends the tokens of a padded grid to `to`.
void read_grid(const Json& grid, const GridForm& sizes, const std::string& place, std::vector<std::int32_t>& to) {
  const auto check_size = [&](const Json& list, std::int64_t most, const std::string& where, const char* what) {
    if (!list.is_array() || list.empty() || std::cmp_greater(list.size(), most)) {
      throw UserError(where + ": expected a list of 1 to " + std::to_string(most) + " " + what +
                      (list.is_array() ? ", found " + std::to_string(list.size()) : found(list)));
    }
  };
  check_size(grid, sizes.rows, place, "rows");
  const auto start = to.size();
  to.resize(start + static_cast<std::size_t>(sizes.rows * sizes.columns), kPad);
  for (std::size_t row = 0; row < grid.size(); ++row) {
    const std::string in_row = place + ", row " + std::to_string(row);
    check_size(grid[row], sizes.columns, in_row, "cells");
    if (grid[row].size() != grid[0].size()) {
      throw UserError(in_row + ": expected " + std::to_string(grid[0].size()) + " cells, as row 0 has, found " +
                      std::to_string(grid[row].size()));
    }
    for (std::size_t column = 0; column < grid[row].size(); ++column) {
      const auto value =
          integer_of(grid[row][column], 0, sizes.vocabulary - 1, in_row + ", column " + std::to_string(column));
      to[start + row * static_cast<std::size_t>(sizes.columns) + column] = static_cast<std::int32_t>(value) + 1;
    }
  }
}

std::string name_of(const Json& puzzle, const std::string& where) {
  if (!puzzle.is_string() || puzzle == "" || puzzle == kBlank) {
    throw UserError(where + ": puzzle: expected a name that is not empty and not <blank>" + found(puzzle));
  }
  return puzzle.get<std::string>();
}

/// The examples of one puzzle, as padded rows.
struct PuzzleExamples {
  std::int32_t identifier = 0;
  std::int64_t examples = 0;
  std::vector<std::int32_t> inputs;
  std::vector<std::int32_t> labels;
};

/// Names of puzzles to their identifiers.
using Identifiers = std::map<std::string, std::int32_t>;

/// The puzzles of a list of examples. In training, names get identifiers, and a puzzle stands where its first example
/// does; in testing, every example is a puzzle of its own, so that the rows are in the order of the file.
std::vector<PuzzleExamples> read_examples(const Json& list, const GridForm& sizes, const std::string& place,
                                          bool training, Identifiers& identifiers) {
  if (!list.is_array()) throw UserError(place + ": expected a list of examples" + found(list));
  std::vector<PuzzleExamples> puzzles;
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string where = place + "[" + std::to_string(i) + "]";
    check_keys(list[i], {"input", "output", "puzzle"}, where);
    std::size_t at = puzzles.size();
    std::int32_t identifier = 0;
    if (list[i].contains("puzzle")) {
      const auto text = name_of(list[i]["puzzle"], where);
      if (training) {
        identifiers.emplace(text, static_cast<std::int32_t>(identifiers.size()) + 1);
        at = places.emplace(text, at).first->second;
      }
      const auto known = identifiers.find(text);
      if (known != identifiers.end()) identifier = known->second;
    }
    if (at == puzzles.size()) puzzles.push_back({identifier, 0, {}, {}});
    ++puzzles[at].examples;
    read_grid(entry_of(list[i], "input", where), sizes, where + ".input", puzzles[at].inputs);
    read_grid(entry_of(list[i], "output", where), sizes, where + ".output", puzzles[at].labels);
  }
  return puzzles;
}

/// Rows as an array of the smallest type.
NpyArray array_of(const std::string& name, const GridForm& sizes, const std::vector<PuzzleExamples>& puzzles,
                  std::vector<std::int32_t> PuzzleExamples::*rows) {
  std::vector<std::int32_t> tokens;
  for (const PuzzleExamples& puzzle : puzzles)
    tokens.insert(tokens.end(), (puzzle.*rows).begin(), (puzzle.*rows).end());
  const std::int64_t length = sizes.rows * sizes.columns;
  const NpyShape shape{std::ssize(tokens) / length, length};
  if (sizes.vocabulary + 1 > kByteTokens) return NpyArray(name, shape, std::move(tokens));
  std::vector<std::uint8_t> bytes(tokens.size());
  std::ranges::transform(tokens, bytes.begin(), [](std::int32_t token) { return static_cast<std::uint8_t>(token); });
  return NpyArray(name, shape, std::move(bytes));
}

RowSplit split_of(const std::string& place, const GridForm& sizes, const std::vector<PuzzleExamples>& puzzles,
                  std::int64_t identifiers) {
  std::vector<std::int32_t> puzzle_identifiers;
  std::vector<std::int32_t> puzzle_indices{0};
  std::vector<std::int32_t> group_indices{0};
  for (const PuzzleExamples& puzzle : puzzles) {
    puzzle_identifiers.push_back(puzzle.identifier);
    puzzle_indices.push_back(puzzle_indices.back() + static_cast<std::int32_t>(puzzle.examples));
    group_indices.push_back(group_indices.back() + 1);
  }
  const std::int64_t count = std::ssize(puzzles);
  RowsHeader header;
  header.ignore_label = kPad;
  header.vocabulary = sizes.vocabulary + 1;
  header.length = sizes.rows * sizes.columns;
  header.identifiers = identifiers;
  header.groups = count;
  header.puzzles = count;
  header.mean_puzzle_examples =
      count == 0 ? 0.0 : static_cast<double>(puzzle_indices.back()) / static_cast<double>(count);
  header.sets = {"all"};
  const auto list = [&](const char* name, std::vector<std::int32_t> numbers) {
    const NpyShape shape{std::ssize(numbers)};
    return NpyArray(place + ": " + name, shape, std::move(numbers));
  };
  std::vector<RowSet> sets;
  sets.push_back({array_of(place + ": input", sizes, puzzles, &PuzzleExamples::inputs),
                  array_of(place + ": output", sizes, puzzles, &PuzzleExamples::labels),
                  list("puzzle_identifiers", std::move(puzzle_identifiers)),
                  list("puzzle_indices", std::move(puzzle_indices)), list("group_indices", std::move(group_indices))});
  return RowSplit(place, std::move(header), std::move(sets));
}

}  // namespace

std::vector<Example> read_grid_questions(const std::filesystem::path& file, const GridForm& form,
                                         const std::function<std::int32_t(const std::string&)>& identifier) {
  const Json document = read_json(file);
  check_keys(document, {"test"}, file.string());
  const auto& list = entry_of(document, "test", file.string());
  if (!list.is_array() || list.empty()) {
    throw UserError(file.string() + ": test: expected a list of puzzles" + found(list));
  }
  std::vector<Example> examples;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string where = file.string() + ": test[" + std::to_string(i) + "]";
    check_keys(list[i], {"input", "output", "puzzle"}, where);
    auto& example = examples.emplace_back();
    read_grid(entry_of(list[i], "input", where), form, where + ".input", example.input);
    if (list[i].contains("output")) {
      read_grid(list[i]["output"], form, where + ".output", example.label);
      std::ranges::replace(example.label, kPad, kIgnore);
    } else {
      example.label.assign(example.input.size(), kIgnore);
    }
    if (list[i].contains("puzzle")) example.puzzle_id = identifier(name_of(list[i]["puzzle"], where));
  }
  return examples;
}

Json grid_as_written(std::span<const std::int32_t> tokens, std::span<const std::int32_t> like, const GridForm& form) {
  std::int64_t rows = 0, columns = 0;
  for (std::int64_t cell = 0; cell < std::ssize(like); ++cell) {
    if (like[static_cast<std::size_t>(cell)] <= kPad) continue;  // kIgnore is below it
    rows = std::max(rows, cell / form.columns + 1);
    columns = std::max(columns, cell % form.columns + 1);
  }
  Json grid = Json::array();
  for (std::int64_t row = 0; row < rows; ++row) {
    Json& line = grid.emplace_back(Json::array());
    for (std::int64_t column = 0; column < columns; ++column) {
      const auto token = tokens[static_cast<std::size_t>(row * form.columns + column)];
      line.push_back(token == kPad ? Json(nullptr) : Json(token - 1));
    }
  }
  return grid;
}

PuzzleRows read_grid_puzzles(const std::filesystem::path& file) {
  const std::string name = file.string();
  const Json document = read_json(file);
  check_keys(document, {"vocabulary", "rows", "columns", "train", "test"}, name);
  const auto size = [&](const char* key, std::int64_t most) {
    return integer_of(entry_of(document, key, name), 1, most, name + ": " + key);
  };
  const GridForm sizes{size("vocabulary", kLargestVocabulary), size("rows", kLongestSide),
                       size("columns", kLongestSide)};

  Identifiers identifiers;
  const auto train = read_examples(entry_of(document, "train", name), sizes, name + ": train", true, identifiers);
  if (train.empty()) throw UserError(name + ": train: expected at least one example, found none");
  std::vector<PuzzleExamples> test;
  if (document.contains("test")) {
    test = read_examples(document["test"], sizes, name + ": test", false, identifiers);
  }

  const std::int64_t count = std::ssize(identifiers) + 1;
  std::vector<std::string> names(static_cast<std::size_t>(count), kBlank);
  for (const auto& [puzzle, identifier] : identifiers) names[static_cast<std::size_t>(identifier)] = puzzle;
  NameList list;
  for (const std::string& puzzle : names) list.add(puzzle);
  std::optional<RowSplit> test_split;
  if (!test.empty()) test_split = split_of(name + ": test", sizes, test, count);
  PuzzleRows rows(split_of(name + ": train", sizes, train, count), std::move(test_split), std::move(list));
  rows.set_form(sizes);
  return rows;
}

}  // namespace dis
