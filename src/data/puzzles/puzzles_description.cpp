// Sudokus and mazes for people, and written as the official builders do.
#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>

#include "dis/data/arc/arc_data.h"
#include "dis/data/arrays/rows_export.h"
#include "dis/data/puzzles/puzzles_data.h"
#include "dis/data/shared_pairs.h"

namespace dis {
namespace {

Json table_json(const PuzzleTable& table, const PuzzleFamily& family) {
  std::array<std::int64_t, kRatingClasses> classes{};
  std::vector<std::int32_t> input(table.length()), label(table.length());
  std::int64_t sum = 0, obey = 0;
  for (std::int64_t number = 0; number < table.size(); ++number) {
    table.read(number, input, label);
    sum += table.rating(number);
    ++classes[static_cast<std::size_t>(rating_class(table.rating(number)))];
    obey += family.obeys(input, label) ? 1 : 0;
  }
  Json by_rating = Json::object();
  for (int i = 0; i < kRatingClasses; ++i) by_rating[rating_class_name(i)] = classes[static_cast<std::size_t>(i)];
  return {{"puzzles", table.size()},
          {"mean_rating", static_cast<double>(sum) / static_cast<double>(table.size())},
          {"by_rating", by_rating},
          {"answers_obey_rules", obey}};
}

std::string table_text(const Json& table) {
  std::ostringstream text;
  char mean[64];
  std::snprintf(mean, sizeof mean, "%.2f", table["mean_rating"].get<double>());
  text << "  puzzles           " << table["puzzles"] << ", answers that obey the rules: " << table["answers_obey_rules"]
       << "\n  rating            mean " << mean;
  for (const auto& [name, count] : table["by_rating"].items()) {
    if (count != 0) text << ", " << name << ": " << count;
  }
  text << "\n";
  return text.str();
}

/// Fills a split's inputs and labels, T numbers.
template <class T>
void write_fields(ExportSink& sink, const std::string& split, const NpyShape& shape, RowCounter& counter,
                  const std::function<void(std::int64_t, std::span<std::int32_t>, std::span<std::int32_t>)>& row_at) {
  const auto inputs = sink.array(split + "/all__inputs.npy", npy_type_of<T>(), shape);
  const auto labels = sink.array(split + "/all__labels.npy", npy_type_of<T>(), shape);
  const auto length = static_cast<std::size_t>(shape[1]);
  std::vector<std::int32_t> input(length), label(length);
  std::vector<T> wide;
  const auto write = [&](ExportFile& file, const std::vector<std::int32_t>& tokens) {
    wide.assign(tokens.begin(), tokens.end());
    file.write(std::as_bytes(std::span(wide)));
  };
  for (std::int64_t row = 0; row < shape[0]; ++row) {
    row_at(row, input, label);
    write(*inputs, input);
    write(*labels, label);
    if ((row + 1) % kRowsAtOnce == 0 || row + 1 == shape[0]) counter.add(row % kRowsAtOnce + 1);
  }
  inputs->commit();
  labels->commit();
}

/// The small arrays of a split of groups with `copies` puzzles of one example each.
void write_lists(ExportSink& sink, const std::string& split, std::int64_t groups, std::int64_t copies) {
  std::vector<std::int32_t> puzzles, starts;
  for (std::int64_t i = 0; i <= groups * copies; ++i) puzzles.push_back(static_cast<std::int32_t>(i));
  for (std::int64_t i = 0; i <= groups; ++i) starts.push_back(static_cast<std::int32_t>(i * copies));
  write_numbers(sink, split + "/all__puzzle_identifiers.npy", std::vector<std::int32_t>(puzzles.size() - 1));
  write_numbers(sink, split + "/all__puzzle_indices.npy", puzzles);
  write_numbers(sink, split + "/all__group_indices.npy", starts);
}

}  // namespace

ExampleList PuzzlesData::list_of(const std::string& name, bool test) const {
  const auto& table = test ? tests_ : training_;
  const auto at = [this, &table, test](std::int64_t number) {
    const auto row = row_of(number, test);
    Example example{std::vector<std::int32_t>(table.length()), std::vector<std::int32_t>(table.length())};
    table.read(row, example.input, example.label);
    const int rating = table.rating(row);
    example.note = "rating " + std::to_string(rating);
    return example;
  };
  return {name, "puzzle", table.size(), at};
}

std::optional<ExampleList> PuzzlesData::trained() const { return list_of("training", false); }

std::vector<ExampleList> PuzzlesData::tests() const {
  if (tests_.size() == 0) return {};
  return {list_of("test", true)};
}

Json PuzzlesData::describe(const RunConfig& config) const {
  Json json = {{"kind", to_string(config.data.kind)},  {"path", data_path(config.data).string()},
               {"length", training_.length()},         {"copies", to_string(config.data.copies)},
               {"build_seed", config.data.build_seed}, {"training", table_json(training_, family_)}};
  json["test"] = tests_.size() > 0 ? table_json(tests_, family_) : Json();
  json["trained_test_pairs"] = to_json(shared_pairs(*this));
  return json;
}

std::string PuzzlesData::description_text(const Json& description) const {
  std::string text = description["path"].get<std::string>() + ": " + family_.name() + " puzzles of " +
                     description["length"].dump() + " cells, copies " + description["copies"].get<std::string>() +
                     "\n\ntraining\n" + table_text(description["training"]);
  if (!description["test"].is_null()) text += "\ntest\n" + table_text(description["test"]);
  return text + leak_check_text(description["trained_test_pairs"]);
}

std::optional<Drawing> PuzzlesData::draw(std::span<const DrawnExample> examples, const TextStyle& style) const {
  std::vector<TextBlock> blocks;
  for (const auto& example : examples) blocks.push_back(family_.drawing(example, style));
  return Drawing{family_.legend(), side_by_side(blocks, style.width)};
}

void PuzzlesData::write_rows(const std::filesystem::path& folder, const ExportProgress& progress) const {
  FolderSink sink(folder);
  const auto length = static_cast<std::int64_t>(training_.length());
  const auto rows = training_.size() * copies();
  const bool wide = copies() > 1 && family_.copies_are_wide();
  sink.expect(static_cast<std::uint64_t>(2 * length * (rows * (wide ? 8 : 1) + tests_.size())));
  RowCounter counter(rows + tests_.size(), progress);
  const auto training_row = [&](std::int64_t row, std::span<std::int32_t> input, std::span<std::int32_t> label) {
    copy(row / copies(), row % copies(), input, label);
  };
  RowsHeader header;
  header.ignore_label = 0;
  header.vocabulary = shape().vocabulary;
  header.length = length;
  header.mean_puzzle_examples = 1.0;
  header.sets = {"all"};
  write_identifiers(sink, 1, [](std::int64_t) { return "<blank>"; });
  if (tests_.size() > 0) {
    write_fields<std::uint8_t>(sink, "test", {tests_.size(), length}, counter,
                               [&](std::int64_t row, std::span<std::int32_t> input, std::span<std::int32_t> label) {
                                 tests_.read(row, input, label);
                               });
    write_lists(sink, "test", tests_.size(), 1);
    header.groups = header.puzzles = tests_.size();
    write_header(sink, "test", header);
  }
  if (wide) {
    write_fields<std::int64_t>(sink, "train", {rows, length}, counter, training_row);
  } else {
    write_fields<std::uint8_t>(sink, "train", {rows, length}, counter, training_row);
  }
  write_lists(sink, "train", training_.size(), copies());
  header.groups = header.puzzles = training_.size();
  write_header(sink, "train", header);
}

}  // namespace dis
