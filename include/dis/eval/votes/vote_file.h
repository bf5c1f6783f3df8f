// The votes of an evaluation on disk, so that an interrupted one can go on.
//
// The file grows by appending: a header with the fingerprint of what is evaluated (a text: weights, data, settings),
// then a record per prediction with its number, test input, probability and packed grid, each with a checksum. A tail
// that a crash tore is dropped when the file is opened. The votes come back in the order and with the bits with which
// they were written, so the evaluation ends as if it had never stopped:
//
//   VoteFile file(path, fingerprint, [&](const Ballots& ballots) { book.add(ballots); });
//   for (each batch that does not end before file.next_prediction()) {
//     ballots.read(batch, threads);
//     ballots.drop_before(file.next_prediction());  // a batch may have been written in part
//     file.append(ballots);
//     book.add(ballots);
//   }
//
// Format, little endian: "DISVOTES", u32 version, u32 length of the fingerprint, the fingerprint, u32 checksum;
// records: u32 checksum, u32 test input, i64 prediction, f64 probability, rows u8, columns u8, cells (ballots.h).
// Checksums are CRC-32C, of all of the header before it and of all of the record behind it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "dis/core/files.h"
#include "dis/eval/votes/ballots.h"

namespace dis {

class VoteFile {
 public:
  using Visit = std::function<void(const Ballots&)>;

  /// What the file's votes are for; none when there is no such file. UserError when it is no file of votes.
  static std::optional<std::string> fingerprint_of(const std::filesystem::path& path);

  /// Opens the file, hands its votes to `visit`, some thousands at a time, and is ready to append; makes it where there
  /// is none. UserError: no file of votes, or one with another fingerprint (look at fingerprint_of first, and remove
  /// the file to begin anew).
  VoteFile(const std::filesystem::path& path, const std::string& fingerprint, const Visit& visit);

  /// The number behind the last recorded prediction; 0: none is recorded.
  std::int64_t next_prediction() const { return next_; }

  /// Predictions in rising order, none before next_prediction().
  void append(const Ballots& ballots);
  void sync() { file_->sync(); }  ///< to the disk

 private:
  void read(const std::filesystem::path& path, const Visit& visit);

  std::optional<AppendFile> file_;
  std::int64_t next_ = 0;
};

}  // namespace dis
