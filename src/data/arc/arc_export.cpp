#include "dis/data/arc/arc_export.h"

#include <algorithm>
#include <future>
#include <utility>

#include "dis/data/arc/arc_json.h"

namespace dis {
namespace fs = std::filesystem;

namespace {

/// One split of the puzzles: which groups it has, and its rows by number.
class ArcRows {
 public:
  ArcRows(const ArcPuzzles& puzzles, ArcSplit split) : puzzles_(puzzles), split_(split) {
    for (const ArcGroup& group : puzzles.groups()) {
      if (pairs_of(group).empty()) continue;
      groups_.push_back(&group);
      starts_.push_back(rows_);
      rows_ += group.puzzles * std::ssize(pairs_of(group));
    }
  }

  std::int64_t rows() const { return rows_; }
  std::int64_t length() const { return std::int64_t{puzzles_.side()} * puzzles_.side(); }
  const std::vector<const ArcGroup*>& groups() const { return groups_; }
  const std::vector<int>& pairs_of(const ArcGroup& group) const {
    return split_ == ArcSplit::train ? group.train_pairs : group.test_pairs;
  }

  struct Fields {
    std::int64_t rows = 0;
    std::vector<std::uint8_t> inputs;
    std::vector<std::uint8_t> labels;
  };
  /// Rows first..first+count-1.
  Fields fields(std::int64_t first, std::int64_t count) const {
    const auto cells = static_cast<std::size_t>(length());
    const auto size = static_cast<std::size_t>(count) * cells;
    Fields fields{count, std::vector<std::uint8_t>(size), std::vector<std::uint8_t>(size)};
    for (std::int64_t i = 0; i < count; ++i) {
      const std::size_t at = static_cast<std::size_t>(i) * cells;
      write(first + i, std::span(fields.inputs).subspan(at, cells), std::span(fields.labels).subspan(at, cells));
    }
    return fields;
  }

 private:
  void write(std::int64_t row, std::span<std::uint8_t> input, std::span<std::uint8_t> label) const {
    constexpr std::uint8_t kPad = kPadToken;
    static const Grid unknown{1, 1, {0}};
    const auto place = static_cast<std::size_t>(std::ranges::upper_bound(starts_, row) - starts_.begin()) - 1;
    const ArcGroup& group = *groups_[place];
    const auto& pairs = pairs_of(group);
    const std::int64_t in_group = row - starts_[place];
    const auto puzzle = group.first_puzzle + in_group / std::ssize(pairs);
    const auto pair_index = static_cast<std::size_t>(pairs[static_cast<std::size_t>(in_group % std::ssize(pairs))]);
    const ArcPair& pair = group.task.pairs[pair_index];
    const Augmentation augmentation = puzzles_.augmentation(puzzle);
    Translation translation;
    if (split_ == ArcSplit::train && puzzles_.settings().frozen_translations) {
      translation = puzzles_.translation(group.first_example + in_group);
    }
    write_field(pair.input, augmentation, translation, puzzles_.side(), kPad, input);
    write_field(pair.output ? *pair.output : unknown, augmentation, translation, puzzles_.side(), kPad, label);
  }

  const ArcPuzzles& puzzles_;
  ArcSplit split_;
  std::vector<const ArcGroup*> groups_;
  std::vector<std::int64_t> starts_;  // first row of each group
  std::int64_t rows_ = 0;
};

void write_arc_fields(const ArcRows& rows, const std::string& split, ExportSink& sink, RowCounter& counter) {
  const auto inputs = sink.array(split + "/all__inputs.npy", NpyType::u1, {rows.rows(), rows.length()});
  const auto labels = sink.array(split + "/all__labels.npy", NpyType::u1, {rows.rows(), rows.length()});
  const auto make = [&rows](std::int64_t first) {
    return std::async(std::launch::async,
                      [&rows, first] { return rows.fields(first, std::min(kRowsAtOnce, rows.rows() - first)); });
  };
  auto next = make(0);
  for (std::int64_t first = 0; first < rows.rows(); first += kRowsAtOnce) {
    const ArcRows::Fields fields = next.get();
    if (first + kRowsAtOnce < rows.rows()) next = make(first + kRowsAtOnce);
    inputs->write(std::as_bytes(std::span(fields.inputs)));
    labels->write(std::as_bytes(std::span(fields.labels)));
    counter.add(fields.rows);
  }
  inputs->commit();
  labels->commit();
}

/// The small arrays of a split; returns what its dataset.json says.
RowsHeader write_arc_lists(const ArcRows& rows, const ArcPuzzles& puzzles, const std::string& split, ExportSink& sink) {
  std::vector<std::int32_t> identifiers;
  std::vector<std::int32_t> puzzle_indices{0};
  std::vector<std::int32_t> group_indices{0};
  for (const ArcGroup* group : rows.groups()) {
    for (std::int64_t puzzle = group->first_puzzle; puzzle < group->first_puzzle + group->puzzles; ++puzzle) {
      identifiers.push_back(static_cast<std::int32_t>(puzzle) + 1);
      puzzle_indices.push_back(puzzle_indices.back() + static_cast<std::int32_t>(rows.pairs_of(*group).size()));
    }
    group_indices.push_back(static_cast<std::int32_t>(identifiers.size()));
  }
  write_numbers(sink, split + "/all__puzzle_identifiers.npy", identifiers);
  write_numbers(sink, split + "/all__puzzle_indices.npy", puzzle_indices);
  write_numbers(sink, split + "/all__group_indices.npy", group_indices);

  RowsHeader header;
  header.ignore_label = kPadToken;
  header.vocabulary = kArcVocabulary;
  header.length = rows.length();
  header.identifiers = puzzles.identifiers();
  header.groups = std::ssize(rows.groups());
  header.puzzles = std::ssize(identifiers);
  header.mean_puzzle_examples = static_cast<double>(rows.rows()) / static_cast<double>(header.puzzles);
  header.sets = {"all"};
  return header;
}

/// A task as its file had it, with the outputs of its test pairs.
Json json_of(const ArcTask& task) {
  Json json = Json::object();
  for (const ArcPair& pair : task.pairs) {
    Json& pairs = json[pair.test ? "test" : "train"];
    pairs.push_back({{"input", grid_json(pair.input)}, {"output", grid_json(pair.output.value_or(Grid{1, 1, {0}}))}});
  }
  return json;
}

void write_test_puzzles(const ArcRows& test, ExportSink& sink) {
  TextWriter writer(sink, "test_puzzles.json");
  writer.write("{");
  for (std::size_t i = 0; i < test.groups().size(); ++i) {
    const ArcTask& task = test.groups()[i]->task;
    writer.write((i > 0 ? ", " : "") + python_json(Json(task.id)) + ": " + python_json(json_of(task)));
  }
  writer.write("}");
  writer.commit();
}

}  // namespace

void export_arc(const ArcPuzzles& puzzles, ExportSink& sink, const ExportProgress& progress) {
  const ArcRows train(puzzles, ArcSplit::train);
  const ArcRows test(puzzles, ArcSplit::test);
  const std::int64_t total = train.rows() + test.rows();
  if (!std::in_range<std::int32_t>(train.rows()) || !std::in_range<std::int32_t>(test.rows())) {
    throw UserError("the official format holds 2^31 - 1 examples of a split, found " + std::to_string(train.rows()) +
                    "; lower data.augmentations");
  }
  sink.expect(static_cast<std::uint64_t>(2 * total * train.length()));
  RowCounter counter(total, progress);

  write_identifiers(sink, puzzles.identifiers(), [&](std::int64_t i) { return puzzles.identifier(i); });
  write_test_puzzles(test, sink);
  write_arc_fields(train, "train", sink, counter);
  const RowsHeader train_header = write_arc_lists(train, puzzles, "train", sink);
  if (test.rows() > 0) {
    write_arc_fields(test, "test", sink, counter);
    write_header(sink, "test", write_arc_lists(test, puzzles, "test", sink));
  }
  write_header(sink, "train", train_header);
}

void export_arc(const ArcPuzzles& puzzles, const fs::path& folder, const ExportProgress& progress) {
  FolderSink sink(folder);
  export_arc(puzzles, sink, progress);
}

}  // namespace dis
