#include "dis/data/arrays/puzzle_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/data/arrays/grid_puzzles.h"
#include "dis/data/arrays/puzzle_rules.h"

namespace dis {
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kMostTokens = std::numeric_limits<std::int32_t>::max();

std::string number(std::int64_t value) { return std::to_string(value); }

/// What was found, cut to a length that a message can bear.
std::string found(const Json& json) { return ", found " + in_message(json); }

// ---- dataset.json

/// The fields of one dataset.json, with the messages for those that are missing or wrong.
class HeaderFields {
 public:
  explicit HeaderFields(const fs::path& path) : path_(path.string()), json_(read_json(path)) {
    if (!json_.is_object()) throw UserError(path_ + ": expected an object" + found(json_));
  }

  bool has(const char* key) const { return json_.contains(key); }

  const Json& at(const char* key) const {
    if (!has(key)) throw UserError(path_ + ": expected the key \"" + std::string(key) + "\", found none");
    return json_[key];
  }

  std::int64_t integer(const char* key, std::int64_t least, std::int64_t most) const {
    const Json& value = at(key);
    const bool fits = value.is_number_integer() &&
                      (!value.is_number_unsigned() || std::in_range<std::int64_t>(value.get<std::uint64_t>()));
    const std::int64_t result = fits ? value.get<std::int64_t>() : 0;
    if (!fits || result < least || result > most) {
      fail(key, "a whole number from " + number(least) + " to " + number(most), value);
    }
    return result;
  }

  [[noreturn]] void fail(const char* key, const std::string& expected, const Json& value) const {
    throw UserError(path_ + ": " + key + ": expected " + expected + found(value));
  }

 private:
  std::string path_;
  Json json_;
};

RowsHeader read_header(const fs::path& path) {
  constexpr std::int64_t kLowestLabel = std::numeric_limits<std::int32_t>::min();
  const HeaderFields fields(path);
  RowsHeader header;
  // This program's pad and blank identifier are 0, as those of every official builder are.
  fields.integer("pad_id", 0, 0);
  fields.integer("blank_identifier_id", 0, 0);
  if (!fields.at("ignore_label_id").is_null()) {
    header.ignore_label = fields.integer("ignore_label_id", kLowestLabel, kMostTokens);
  }
  header.vocabulary = fields.integer("vocab_size", 1, kMostTokens);
  header.length = fields.integer("seq_len", 1, kMostTokens);
  header.identifiers = fields.integer("num_puzzle_identifiers", 1, kMostTokens);
  header.groups = fields.integer("total_groups", 0, kMostTokens);
  // Older official builders do not write it.
  header.puzzles = fields.has("total_puzzles") ? fields.integer("total_puzzles", 0, kMostTokens) : header.groups;
  const Json& mean = fields.at("mean_puzzle_examples");
  if (!mean.is_number() || !std::isfinite(mean.get<double>()) || mean.get<double>() < 0) {
    fields.fail("mean_puzzle_examples", "a number, 0 or more", mean);
  }
  header.mean_puzzle_examples = mean.get<double>();
  const Json& sets = fields.at("sets");
  const auto is_name = [](const Json& name) {
    return name.is_string() && !name.get_ref<const std::string&>().empty() &&
           name.get_ref<const std::string&>().find('/') == std::string::npos;
  };
  if (!sets.is_array() || sets.empty() || !std::ranges::all_of(sets, is_name)) {
    fields.fail("sets", "a list of names of sets, as [\"all\"]", sets);
  }
  header.sets = sets.get<std::vector<std::string>>();
  return header;
}

RowSplit read_split(const fs::path& folder) {
  RowsHeader header = read_header(folder / "dataset.json");
  std::vector<RowSet> sets;
  for (const std::string& name : header.sets) {
    const auto array = [&](const char* what) { return NpyArray(folder / (name + "__" + what + ".npy")); };
    sets.push_back({array("inputs"), array("labels"), array("puzzle_identifiers"), array("puzzle_indices"),
                    array("group_indices")});
  }
  return RowSplit(folder.string(), std::move(header), std::move(sets));
}

// ---- identifiers.json

/// Takes a JSON list of texts apart without building it; any other content ends the parse.
class NameListReader : public Json::json_sax_t {
 public:
  explicit NameListReader(NameList& names) : names_(names) {}

  bool start_array(std::size_t) override { return depth_++ == 0; }
  bool end_array() override { return true; }
  bool string(std::string& text) override {
    names_.add(text);
    return depth_ == 1;
  }
  bool null() override { return false; }
  bool boolean(bool) override { return false; }
  bool number_integer(std::int64_t) override { return false; }
  bool number_unsigned(std::uint64_t) override { return false; }
  bool number_float(double, const std::string&) override { return false; }
  bool binary(Json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return false; }
  bool key(std::string&) override { return false; }
  bool end_object() override { return false; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  NameList& names_;
  int depth_ = 0;
};

NameList read_names(const fs::path& path) {
  const std::string text = read_text(path);
  NameList names;
  NameListReader reader(names);
  if (Json::sax_parse(text, &reader)) return names;
  parse_json(text, path.string());  // tells the place of a mistake in the JSON
  throw UserError(path.string() + ": expected a list of texts, the names of the identifiers, found another content");
}

// ---- arrays

/// An array of indices, checked: [0, ..., end], ascending.
std::vector<std::int64_t> read_indices(const NpyArray& array, std::int64_t end, const std::string& of_what) {
  if (array.shape().size() != 1 || array.size() == 0) {
    throw UserError(array.name() + ": expected a list of one number more than there are parts, found the shape " +
                    npy_shape_text(array.shape()));
  }
  auto indices = array.numbers();
  if (indices.front() != 0 || indices.back() != end) {
    throw UserError(array.name() + ": expected numbers from 0 to " + number(end) + ", the number of " + of_what +
                    ", found " + number(indices.front()) + " to " + number(indices.back()));
  }
  const auto wrong = std::ranges::adjacent_find(indices, std::ranges::greater_equal());
  if (wrong != indices.end()) {
    throw UserError(array.name() + ": expected ascending numbers, found " + number(*wrong) + " before " +
                    number(*(wrong + 1)) + " at place " + number(wrong - indices.begin()));
  }
  return indices;
}

void check_shapes(const RowSet& set, const RowsHeader& header) {
  const auto refuse = [](const NpyArray& array, const std::string& expected) {
    throw UserError(array.name() + ": expected " + expected + ", found the shape " + npy_shape_text(array.shape()));
  };
  for (const NpyArray* array : {&set.inputs, &set.labels}) {
    if (array->shape().size() != 2 || array->shape()[1] != header.length) {
      refuse(*array, "rows of " + number(header.length) + " tokens, as seq_len in dataset.json says");
    }
  }
  if (set.labels.shape() != set.inputs.shape()) {
    refuse(set.labels, number(set.inputs.shape()[0]) + " rows, as the inputs have");
  }
  if (set.puzzle_identifiers.shape().size() != 1) refuse(set.puzzle_identifiers, "a list of numbers");
  if (set.puzzle_indices.size() != set.puzzle_identifiers.size() + 1) {
    refuse(set.puzzle_indices,
           number(set.puzzle_identifiers.size() + 1) + " numbers, one more than there are puzzle_identifiers");
  }
}

/// Smallest and largest number of a row; of none: low > high.
struct Range {
  std::int64_t low = std::numeric_limits<std::int64_t>::max();
  std::int64_t high = std::numeric_limits<std::int64_t>::min();
};

/// Copies row `row` into `to`. A number beyond 32 bits loses its upper ones, but the result is right.
template <class T>
Range copy_row(std::span<const std::byte> bytes, std::int64_t row, std::span<std::int32_t> to) {
  const std::byte* from = bytes.data() + static_cast<std::size_t>(row) * to.size() * sizeof(T);
  T low = std::numeric_limits<T>::max();
  T high = std::numeric_limits<T>::min();
  for (std::size_t i = 0; i < to.size(); ++i) {
    T token;
    std::memcpy(&token, from + i * sizeof(T), sizeof(T));
    low = std::min(low, token);
    high = std::max(high, token);
    to[i] = static_cast<std::int32_t>(token);
  }
  return {low, high};
}

Range range_without(std::span<const std::int32_t> tokens, std::int32_t ignored) {
  Range range;
  for (const std::int32_t token : tokens) {
    if (token == ignored) continue;
    range.low = std::min<std::int64_t>(range.low, token);
    range.high = std::max<std::int64_t>(range.high, token);
  }
  return range;
}

Range copy_row(const NpyArray& array, std::int64_t row, std::span<std::int32_t> to) {
  switch (array.type()) {
    case NpyType::u1:
      return copy_row<std::uint8_t>(array.bytes(), row, to);
    case NpyType::i4:
      return copy_row<std::int32_t>(array.bytes(), row, to);
    case NpyType::i8:
      return copy_row<std::int64_t>(array.bytes(), row, to);
  }
  return {};
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------- a split

RowSplit::RowSplit(std::string place, RowsHeader header, std::vector<RowSet> sets)
    : place_(std::move(place)),
      header_(std::move(header)),
      sets_(std::move(sets)),
      puzzle_starts_{0},
      group_starts_{0} {
  for (const RowSet& set : sets_) add(set);
  const std::string file = place_ + ": dataset.json: ";
  if (groups() != header_.groups) {
    throw UserError(file + "total_groups: expected " + number(groups()) + ", as group_indices has, found " +
                    number(header_.groups));
  }
  if (puzzles() != header_.puzzles && groups() != header_.puzzles) {
    throw UserError(file + "total_puzzles: expected " + number(puzzles()) + ", as puzzle_identifiers has, or " +
                    number(groups()) + ", the number of groups, found " + number(header_.puzzles));
  }
}

void RowSplit::add(const RowSet& set) {
  check_shapes(set, header_);
  const std::int64_t puzzles_before = puzzles();
  const std::int64_t examples_before = examples();
  const auto examples_of = read_indices(set.puzzle_indices, set.inputs.shape()[0], "rows");
  const auto puzzles_of = read_indices(set.group_indices, set.puzzle_identifiers.size(), "puzzles");
  for (std::size_t i = 1; i < examples_of.size(); ++i) puzzle_starts_.push_back(examples_before + examples_of[i]);
  for (std::size_t i = 1; i < puzzles_of.size(); ++i) group_starts_.push_back(puzzles_before + puzzles_of[i]);
  for (const std::int64_t identifier : set.puzzle_identifiers.numbers()) {
    if (identifier < 0 || identifier >= header_.identifiers) {
      throw UserError(set.puzzle_identifiers.name() + ": expected identifiers from 0 to " +
                      number(header_.identifiers - 1) + ", as num_puzzle_identifiers in dataset.json says, found " +
                      number(identifier));
    }
    identifiers_.push_back(static_cast<std::int32_t>(identifier));
  }
  set_starts_.push_back(examples_before);
}

std::int64_t RowSplit::puzzle_of(std::int64_t example) const {
  ensure(example >= 0 && example < examples(), "RowSplit::puzzle_of", "the number of an example");
  return std::ranges::upper_bound(puzzle_starts_, example) - puzzle_starts_.begin() - 1;
}

void RowSplit::read(std::int64_t example, std::span<std::int32_t> input, std::span<std::int32_t> label) const {
  ensure(example >= 0 && example < examples(), "RowSplit::read", "the number of an example");
  ensure(std::cmp_equal(input.size(), header_.length) && std::cmp_equal(label.size(), header_.length), "RowSplit::read",
         "input and label of seq_len cells");
  // An empty set starts where the next one does; the last one that starts there has the example.
  const auto set = static_cast<std::size_t>(std::ranges::upper_bound(set_starts_, example) - set_starts_.begin()) - 1;
  const std::int64_t row = example - set_starts_[set];
  const auto refuse = [&](const NpyArray& array, Range range) {
    throw UserError(array.name() + ": row " + number(row) + ": expected tokens from 0 to " +
                    number(header_.vocabulary - 1) + ", as vocab_size in dataset.json says, found " +
                    number(range.low < 0 ? range.low : range.high));
  };
  const auto is_wrong = [&](Range range) { return range.low < 0 || range.high >= header_.vocabulary; };

  const Range of_input = copy_row(sets_[set].inputs, row, input);
  if (is_wrong(of_input)) refuse(sets_[set].inputs, of_input);
  Range of_label = copy_row(sets_[set].labels, row, label);
  if (header_.ignore_label) {
    const auto ignored = static_cast<std::int32_t>(*header_.ignore_label);
    const bool exact = std::in_range<std::int32_t>(of_label.low) && std::in_range<std::int32_t>(of_label.high);
    if (is_wrong(of_label) && exact) of_label = range_without(label, ignored);
    std::ranges::replace(label, ignored, kIgnore);
  }
  if (is_wrong(of_label)) refuse(sets_[set].labels, of_label);
}

// ------------------------------------------------------------------------------------------------------ the data set

void NameList::add(std::string_view name) {
  text_ += name;
  ends_.push_back(text_.size());
}

std::string NameList::operator[](std::int64_t index) const {
  const auto place = static_cast<std::size_t>(index);
  const std::size_t start = place == 0 ? 0 : ends_.at(place - 1);
  return text_.substr(start, ends_.at(place) - start);
}

namespace {

GroupSampler sampler_of(const RowSplit& split) {
  if (split.groups() == 0) throw UserError(split.place() + ": expected at least one group to train on, found none");
  std::vector<SampledGroup> groups;
  for (std::int64_t group = 0; group < split.groups(); ++group) {
    const std::int64_t first = split.first_puzzle(group);
    const std::int64_t puzzles = split.first_puzzle(group + 1) - first;
    const auto examples = [&](std::int64_t puzzle) {
      return split.first_example(puzzle + 1) - split.first_example(puzzle);
    };
    for (std::int64_t puzzle = first; puzzle < first + puzzles; ++puzzle) {
      if (examples(puzzle) == examples(first)) continue;
      throw UserError(split.place() + ": group " + number(group) + ": expected puzzles with " +
                      number(examples(first)) + " examples each, as its first one has, found " +
                      number(examples(puzzle)) + " in puzzle " + number(puzzle) +
                      "; put puzzles of different sizes into groups of their own");
    }
    groups.push_back({puzzles, examples(first)});
  }
  return GroupSampler(std::move(groups));
}

void check_match(const RowSplit& train, const RowSplit& test) {
  const auto same = [&](const char* key, std::int64_t expected, std::int64_t value) {
    if (value != expected) {
      throw UserError(test.place() + ": dataset.json: " + key + ": expected " + number(expected) +
                      ", as the training split has, found " + number(value));
    }
  };
  same("vocab_size", train.header().vocabulary, test.header().vocabulary);
  same("seq_len", train.header().length, test.header().length);
  same("num_puzzle_identifiers", train.header().identifiers, test.header().identifiers);
}

}  // namespace

PuzzleRows::PuzzleRows(RowSplit train, std::optional<RowSplit> test, NameList identifiers, fs::path test_puzzles)
    : train_(std::move(train)),
      test_(std::move(test)),
      identifiers_(std::move(identifiers)),
      test_puzzles_(std::move(test_puzzles)),
      sampler_(sampler_of(train_)) {
  if (test_) check_match(train_, *test_);
  if (identifiers_.size() != train_.header().identifiers) {
    throw UserError(train_.place() + ": expected " + number(train_.header().identifiers) +
                    " names of identifiers, as num_puzzle_identifiers in dataset.json says, found " +
                    number(identifiers_.size()) + " in identifiers.json");
  }
}

DataShape PuzzleRows::shape() const {
  return {train_.header().vocabulary, train_.header().length, train_.header().identifiers};
}

Origin PuzzleRows::example(std::uint64_t seed, std::uint64_t position, std::span<std::int32_t> input,
                           std::span<std::int32_t> label, std::int32_t& puzzle_id) const {
  const Pick pick = sampler_.pick(seed, position);
  const std::int64_t puzzle = train_.first_puzzle(pick.group) + pick.puzzle;
  const std::int64_t row = train_.first_example(puzzle) + pick.example;
  train_.read(row, input, label);
  puzzle_id = train_.identifier(puzzle);
  return {row, 0};
}

void PuzzleRows::augment(const Origin& origin, std::span<std::int32_t> frame) const {
  ensure(origin.transform == 0 && std::cmp_equal(frame.size(), shape().length), "PuzzleRows::augment",
         "an origin of this data set and a frame of seq_len cells");
}

std::string PuzzleRows::identifier(std::int64_t index) const { return identifiers_[index]; }

void PuzzleRows::test_example(std::int64_t index, std::span<std::int32_t> input, std::span<std::int32_t> label,
                              std::int32_t& puzzle_id) const {
  ensure(test_.has_value(), "PuzzleRows::test_example", "a test split");
  test_->read(index, input, label);
  puzzle_id = test_->identifier(test_->puzzle_of(index));
}

PuzzleRows read_puzzle_rows(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw UserError("'" + folder.string() + "': expected a folder with train/dataset.json, found " +
                    (fs::exists(folder, error) ? "a file" : "nothing"));
  }
  RowSplit train = read_split(folder / "train");
  std::optional<RowSplit> test;
  if (fs::exists(folder / "test", error)) test = read_split(folder / "test");
  NameList names;
  const fs::path names_file = folder / "identifiers.json";
  if (fs::exists(names_file, error) || train.header().identifiers > 1) {
    names = read_names(names_file);
  } else {
    names.add("<blank>");
  }
  const fs::path tasks = folder / "test_puzzles.json";
  return PuzzleRows(std::move(train), std::move(test), std::move(names), fs::exists(tasks, error) ? tasks : fs::path());
}

std::vector<Example> PuzzleRows::questions(const fs::path& file) const {
  if (!form_) return DataSet::questions(file);
  std::map<std::string, std::int32_t> names;
  for (std::int64_t i = 1; i < identifiers_.size(); ++i) names[identifiers_[i]] = static_cast<std::int32_t>(i);
  return read_grid_questions(file, *form_, [&](const std::string& name) {
    const auto known = names.find(name);
    return known == names.end() ? 0 : known->second;
  });
}

Json PuzzleRows::written(std::span<const std::int32_t> tokens, std::span<const std::int32_t> like) const {
  return form_ ? grid_as_written(tokens, like, *form_) : DataSet::written(tokens, like);
}

std::optional<bool> PuzzleRows::obeys_rules(std::span<const std::int32_t> input,
                                            std::span<const std::int32_t> answer) const {
  if (rules_ == Rules::unknown) return std::nullopt;
  return rules_ == Rules::sudoku ? is_sudoku_solution(input, answer) : is_maze_path(input, answer);
}

}  // namespace dis
