#include "dis/data/arrays/rows_export.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/files.h"

namespace dis {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kTextAtOnce = 1 << 20;

/// repr() of a float that needs no exponent: below 10^16, and 0 or not below 10^-4.
std::string python_float(double value) {
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed).ptr;
  std::string text(buffer.data(), end);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

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

void TextWriter::write(std::string_view text) {
  pending_ += text;
  if (pending_.size() >= kTextAtOnce) flush();
}

void TextWriter::commit() {
  flush();
  file_->commit();
}

void TextWriter::flush() {
  file_->write(std::as_bytes(std::span(pending_)));
  pending_.clear();
}

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
