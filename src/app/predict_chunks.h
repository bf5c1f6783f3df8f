// The chunks of dis predict --chunks: groups of tasks, each fitted in a run folder of its own from the same checkpoint.
//
// The folder of the whole has chunks.json, which says what was asked for and which chunks are done, and for each chunk
// chunk_<k> (its run folder) and chunk_<k>.json (its submission), k from 0. With several ranks, rank 0 writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "dis/core/json.h"
#include "predict_fit.h"

namespace dis {

/// Whether this folder is one of chunks.
bool has_chunks(const std::filesystem::path& run);

class Chunks {
 public:
  /// Begins, or goes on: with options.resume, or when the launcher has started the ranks anew with the same command.
  /// UserError: the folder exists, fewer tasks than chunks.
  explicit Chunks(const PredictOptions& options);

  std::int64_t count() const { return asked_.chunks; }
  /// Those that are not done.
  std::vector<std::int64_t> todo() const;
  /// The command of one alone: it begins, or goes on with a fit that has begun.
  PredictOptions options(std::int64_t chunk) const;

  /// On rank 0, once all ranks have this: writes it down.
  void begin() const;
  /// On rank 0: notes that a chunk is done, and writes the submission so far.
  void finish(std::int64_t chunk);
  /// Every task of the input with the attempts of the chunks that are done, [[0]] elsewhere. Returns their number.
  std::size_t write_submission() const;

 private:
  std::filesystem::path file() const;

  PredictOptions asked_;
  Json state_;
};

}  // namespace dis
