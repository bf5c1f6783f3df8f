// Data sets in the official on-disk format, which the official code and read_puzzle_rows (puzzle_rows.h) read: where
// they are written, and the parts of a split that all of them have. Arrays, headers and texts are those of Python and
// numpy, byte for byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dis/core/json.h"
#include "dis/data/arrays/npy.h"
#include "dis/data/arrays/puzzle_rows.h"

namespace dis {

/// Rows that are made, or written, at once.
inline constexpr std::int64_t kRowsAtOnce = 4096;

/// A file under construction.
class ExportFile {
 public:
  virtual ~ExportFile() = default;
  virtual void write(std::span<const std::byte> bytes) = 0;
  /// Without it the file does not come to be.
  virtual void commit() = 0;
};

/// Where an export goes to; paths are relative, as "train/all__inputs.npy".
class ExportSink {
 public:
  virtual ~ExportSink() = default;
  /// About how many bytes will come; called first.
  virtual void expect(std::uint64_t bytes) = 0;
  /// A file of which only the numbers will be written, as many as the shape says.
  virtual std::unique_ptr<ExportFile> array(const std::string& path, NpyType type, const NpyShape& shape) = 0;
  virtual std::unique_ptr<ExportFile> text(const std::string& path) = 0;
};

/// Files in a folder. train/dataset.json comes last, so a folder that lacks it is not complete, and cannot be opened.
class FolderSink : public ExportSink {
 public:
  /// Makes the folder. UserError when it is there already and not empty.
  explicit FolderSink(std::filesystem::path folder);
  /// UserError when the disk has less space.
  void expect(std::uint64_t bytes) override;
  std::unique_ptr<ExportFile> array(const std::string& path, NpyType type, const NpyShape& shape) override;
  std::unique_ptr<ExportFile> text(const std::string& path) override;

 private:
  std::filesystem::path make_place(const std::string& path) const;

  std::filesystem::path folder_;
};

/// JSON as Python's json.dump writes it; of floats those that need no exponent: below 10^16, and 0 or not below 10^-4.
std::string python_json(const Json& json);

/// A text that is written piece by piece.
class TextWriter {
 public:
  TextWriter(ExportSink& sink, const std::string& path) : file_(sink.text(path)) {}
  void write(std::string_view text);
  void commit();

 private:
  void flush();

  std::unique_ptr<ExportFile> file_;
  std::string pending_;
};

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

void write_text(ExportSink& sink, const std::string& path, std::string_view text);
/// An array of int32.
void write_numbers(ExportSink& sink, const std::string& path, const std::vector<std::int32_t>& numbers);
/// <split>/dataset.json
void write_header(ExportSink& sink, const std::string& split, const RowsHeader& header);
/// identifiers.json
void write_identifiers(ExportSink& sink, std::int64_t count, const std::function<std::string(std::int64_t)>& name);

/// Writes a data set of rows; what came from an official folder comes out equal to it, but for the bytes of JSON files
/// whose writer was not Python.
void export_rows(const PuzzleRows& rows, ExportSink& sink, const ExportProgress& progress = {});
void export_rows(const PuzzleRows& rows, const std::filesystem::path& folder, const ExportProgress& progress = {});

}  // namespace dis
