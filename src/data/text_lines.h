// The lines of a text file that may be gzipped, whatever its name says. A byte order mark is skipped.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace dis {

class TextLines {
 public:
  /// UserError, here and below: a file that cannot be read, is cut off, or has a line of more than a million
  /// characters.
  explicit TextLines(std::filesystem::path path);

  /// The next line without its end; false behind the last one. The text stays until the next call.
  bool next(std::string_view& line);

  std::int64_t number() const { return number_; }  ///< of the line that next() gave, from 1
  /// "<file>: line 12: "
  std::string here() const;

 private:
  /// More of the file behind what is not yet read; false at its end.
  bool fill();

  std::filesystem::path path_;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
  std::string buffer_;
  std::size_t first_ = 0;
  std::int64_t number_ = 0;
};

}  // namespace dis
