// Data sets in the official on-disk format, which the official code and read_puzzle_rows (puzzle_rows.h) read.
//
// For ARC every file equals that of the official builder, arrays, headers and texts byte for byte, when the puzzles
// have frozen translations; with translations drawn per visit all examples stand at the origin instead. As there, a
// test input whose answer is not known has the answer [[0]], a single black cell: do not score it.
//
// Rows are made while earlier ones are written, so memory does not grow with the data set (7 GB for ARC-1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "dis/data/arc/arc_puzzles.h"
#include "dis/data/arrays/npy.h"
#include "dis/data/arrays/puzzle_rows.h"

namespace dis {

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

/// Writes train, identifiers.json, test_puzzles.json, and test when there is a test set.
void export_arc(const ArcPuzzles& puzzles, ExportSink& sink, const ExportProgress& progress = {});
void export_arc(const ArcPuzzles& puzzles, const std::filesystem::path& folder, const ExportProgress& progress = {});

/// Writes a data set of rows; what came from an official folder comes out equal to it, but for the bytes of JSON files
/// whose writer was not Python.
void export_rows(const PuzzleRows& rows, ExportSink& sink, const ExportProgress& progress = {});
void export_rows(const PuzzleRows& rows, const std::filesystem::path& folder, const ExportProgress& progress = {});

}  // namespace dis
