// The chunks of dis predict --chunks: groups of tasks, each fitted in a run folder of its own from the same checkpoint.
//
// The folder of the whole has chunks.json, which says what was asked for and which chunks are done; `input`, the tasks;
// and for each chunk chunk_<k> (its run folder) and chunk_<k>.json (its submission), k from 0. With several ranks, rank
// 0 writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dis/core/json.h"
#include "predict_fit.h"

namespace dis {

/// Whether this folder is one of chunks.
bool has_chunks(const std::filesystem::path& run);
/// What its files say that the chunks were made from; empty: it is none.
std::vector<std::filesystem::path> chunk_inputs(const std::filesystem::path& run);

class Chunks {
 public:
  /// To begin with, or to go on with: with options.resume, or when the launcher has started the ranks anew with the
  /// same command. UserError: the folder exists, fewer tasks than chunks; other settings or chunks than it was begun
  /// with.
  explicit Chunks(const PredictOptions& options);

  std::int64_t count() const { return asked_.chunks; }
  /// Those that are not done.
  std::vector<std::int64_t> todo() const;
  /// The command of one alone: it begins, or goes on with a fit that has begun.
  PredictOptions options(std::int64_t chunk) const;

  /// On rank 0, once all ranks have this: makes the folder, and a submission without answers. Nothing, if it is there.
  /// UserError: training saw answers of the tasks.
  void begin();
  /// On rank 0: notes that a chunk is done, with its evaluation, and writes the submission so far.
  void finish(std::int64_t chunk, const Json& evaluation);
  /// "25 tasks in 3 chunks, pass@2 0.120 [...] of 25 tasks": for people, of the chunks that are done.
  std::string text() const;
  std::size_t tasks() const { return tasks_; }

 private:
  std::filesystem::path file() const;
  /// Every task of the input with the attempts of the chunks that are done, [[0]] elsewhere.
  void write_submission();

  PredictOptions asked_;
  Json state_;
  std::size_t tasks_ = 0;  ///< in the submission
};

}  // namespace dis
