#include "dis/data/arc/arc_export.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <future>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/data/arc/arc_json.h"

namespace dis {
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kRowsAtOnce = 4096;
constexpr std::size_t kTextAtOnce = 1 << 20;

// ---- JSON as Python's json.dump writes it

/// repr() of a float that needs no exponent: below 10^16, and 0 or not below 10^-4.
std::string python_float(double value) {
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed).ptr;
  std::string text(buffer.data(), end);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

std::string python_json(const Json& json) {
  std::string text;
  if (json.is_array()) {
    for (const Json& item : json) text += (text.empty() ? "" : ", ") + python_json(item);
    return "[" + text + "]";
  }
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      text += (text.empty() ? "" : ", ") + python_json(Json(key)) + ": " + python_json(value);
    }
    return "{" + text + "}";
  }
  if (json.is_number_float()) return python_float(json.get<double>());
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

/// A text that is written piece by piece.
class TextWriter {
 public:
  TextWriter(ExportSink& sink, const std::string& path) : file_(sink.text(path)) {}
  void write(std::string_view text) {
    pending_ += text;
    if (pending_.size() >= kTextAtOnce) flush();
  }
  void commit() {
    flush();
    file_->commit();
  }

 private:
  void flush() {
    file_->write(std::as_bytes(std::span(pending_)));
    pending_.clear();
  }

  std::unique_ptr<ExportFile> file_;
  std::string pending_;
};

void write_text(ExportSink& sink, const std::string& path, std::string_view text) {
  TextWriter writer(sink, path);
  writer.write(text);
  writer.commit();
}

void write_numbers(ExportSink& sink, const std::string& path, const std::vector<std::int32_t>& numbers) {
  const auto file = sink.array(path, NpyType::i4, {std::ssize(numbers)});
  file->write(std::as_bytes(std::span(numbers)));
  file->commit();
}

void write_header(ExportSink& sink, const std::string& split, const RowsHeader& header) {
  Json json;
  json["pad_id"] = 0;
  json["ignore_label_id"] = header.ignore_label ? Json(*header.ignore_label) : Json();
  json["blank_identifier_id"] = 0;
  json["vocab_size"] = header.vocabulary;
  json["seq_len"] = header.length;
  json["num_puzzle_identifiers"] = header.identifiers;
  json["total_groups"] = header.groups;
  json["mean_puzzle_examples"] = header.mean_puzzle_examples;
  json["total_puzzles"] = header.puzzles;
  json["sets"] = header.sets;
  write_text(sink, split + "/dataset.json", python_json(json));
}

void write_identifiers(ExportSink& sink, std::int64_t count, const std::function<std::string(std::int64_t)>& name) {
  TextWriter writer(sink, "identifiers.json");
  writer.write("[");
  for (std::int64_t i = 0; i < count; ++i) {
    if (i > 0) writer.write(", ");
    writer.write(python_json(Json(name(i))));
  }
  writer.write("]");
  writer.commit();
}

/// Adds up the rows done and tells about them.
class RowCounter {
 public:
  RowCounter(std::int64_t total, const ExportProgress& progress) : total_(total), progress_(progress) { add(0); }
  void add(std::int64_t rows) {
    done_ += rows;
    if (progress_) progress_(done_, total_);
  }

 private:
  std::int64_t done_ = 0;
  std::int64_t total_;
  const ExportProgress& progress_;
};

// ---- the rows of ARC

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

// ---- rows that exist

void copy_array(const NpyArray& array, const std::string& path, ExportSink& sink, RowCounter* counter) {
  const auto file = sink.array(path, array.type(), array.shape());
  const std::int64_t rows = array.shape()[0];
  const std::size_t row_bytes = rows == 0 ? 0 : array.bytes().size() / static_cast<std::size_t>(rows);
  for (std::int64_t first = 0; first < rows; first += kRowsAtOnce) {
    const std::int64_t count = std::min(kRowsAtOnce, rows - first);
    file->write(array.bytes().subspan(static_cast<std::size_t>(first) * row_bytes,
                                      static_cast<std::size_t>(count) * row_bytes));
    if (counter != nullptr) counter->add(count);
  }
  file->commit();
}

void copy_split(const RowSplit& split, const std::string& name, ExportSink& sink, RowCounter& counter) {
  for (std::size_t i = 0; i < split.sets().size(); ++i) {
    const RowSet& set = split.sets()[i];
    const std::string prefix = name + "/" + split.header().sets.at(i) + "__";
    copy_array(set.inputs, prefix + "inputs.npy", sink, nullptr);
    copy_array(set.labels, prefix + "labels.npy", sink, &counter);
    copy_array(set.puzzle_identifiers, prefix + "puzzle_identifiers.npy", sink, nullptr);
    copy_array(set.puzzle_indices, prefix + "puzzle_indices.npy", sink, nullptr);
    copy_array(set.group_indices, prefix + "group_indices.npy", sink, nullptr);
  }
}

std::uint64_t bytes_of(const RowSplit& split) {
  std::uint64_t bytes = 0;
  for (const RowSet& set : split.sets()) bytes += set.inputs.bytes().size() + set.labels.bytes().size();
  return bytes;
}

// ---- files

class ArrayFile : public ExportFile {
 public:
  ArrayFile(const fs::path& path, NpyType type, const NpyShape& shape) : writer_(path, type, shape) {}
  void write(std::span<const std::byte> bytes) override { writer_.append(bytes); }
  void commit() override { writer_.commit(); }

 private:
  NpyWriter writer_;
};

class TextFile : public ExportFile {
 public:
  explicit TextFile(const fs::path& path) : file_(path) {}
  void write(std::span<const std::byte> bytes) override { file_.write(bytes); }
  void commit() override { file_.commit(); }

 private:
  AtomicFile file_;
};

}  // namespace

FolderSink::FolderSink(fs::path folder) : folder_(std::move(folder)) {
  ensure_folder(folder_);
  std::error_code error;
  if (!fs::is_empty(folder_, error) && !error) {
    throw UserError("cannot export to '" + folder_.string() +
                    "': expected a new or an empty folder, found files in it; " + "name another one, or remove them");
  }
}

void FolderSink::expect(std::uint64_t bytes) {
  std::error_code error;
  const fs::space_info space = fs::space(folder_, error);
  if (error || space.available >= bytes) return;
  const auto megabytes = [](std::uint64_t size) { return std::to_string(size / 1'000'000) + " MB"; };
  throw UserError("cannot export to '" + folder_.string() + "': expected " + megabytes(bytes) +
                  " of free space, found " + megabytes(space.available) +
                  "; free some, or name a folder on another disk");
}

fs::path FolderSink::make_place(const std::string& path) const {
  const fs::path file = folder_ / path;
  ensure_folder(file.parent_path());
  return file;
}

std::unique_ptr<ExportFile> FolderSink::array(const std::string& path, NpyType type, const NpyShape& shape) {
  return std::make_unique<ArrayFile>(make_place(path), type, shape);
}

std::unique_ptr<ExportFile> FolderSink::text(const std::string& path) {
  return std::make_unique<TextFile>(make_place(path));
}

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

void export_rows(const PuzzleRows& rows, ExportSink& sink, const ExportProgress& progress) {
  sink.expect(bytes_of(rows.train()) + (rows.test() ? bytes_of(*rows.test()) : 0));
  RowCounter counter(rows.train().examples() + rows.test_examples(), progress);
  write_identifiers(sink, rows.shape().identifiers, [&](std::int64_t i) { return rows.identifier(i); });
  if (!rows.test_puzzles().empty()) write_text(sink, "test_puzzles.json", read_text(rows.test_puzzles()));
  copy_split(rows.train(), "train", sink, counter);
  if (rows.test()) copy_split(*rows.test(), "test", sink, counter);
  if (rows.test()) write_header(sink, "test", rows.test()->header());
  write_header(sink, "train", rows.train().header());
}

void export_rows(const PuzzleRows& rows, const fs::path& folder, const ExportProgress& progress) {
  FolderSink sink(folder);
  export_rows(rows, sink, progress);
}

}  // namespace dis
