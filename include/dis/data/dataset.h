// What training and evaluation draw from: examples by their place in a stream, without any state.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dis/data/pair_keys.h"

namespace dis {

/// Label of a cell that carries no loss.
inline constexpr std::int32_t kIgnore = -100;

/// Sizes that the model needs to know.
struct DataShape {
  std::int64_t vocabulary = 0;   ///< V: tokens 0..V-1, 0 is the pad
  std::int64_t length = 0;       ///< L: cells of one example
  std::int64_t identifiers = 1;  ///< puzzle identifiers, the blank one (0) included
};

/// Where an example of the stream comes from.
struct Origin {
  std::int64_t item = 0;       ///< number of the example among the training examples before augmentation
  std::int64_t transform = 0;  ///< what the augmentation did to it, in the data set's own numbering; 0: nothing
};

/// A batch of B examples, row by row.
struct Batch {
  std::int64_t lanes = 0;                ///< B
  std::int64_t length = 0;               ///< L
  std::vector<std::int32_t> inputs;      ///< [B, L] tokens
  std::vector<std::int32_t> labels;      ///< [B, L] tokens, or kIgnore
  std::vector<std::int32_t> puzzle_ids;  ///< [B]
  std::vector<Origin> origins;           ///< [B]
};

/// The training side of a data set: an endless stream of examples, each a function of (seed, position).
class TrainingStream {
 public:
  virtual ~TrainingStream() = default;
  virtual DataShape shape() const = 0;
  /// Writes example `position` (0, 1, 2, ...) of the stream that belongs to `seed`: input [L], label [L], its
  /// identifier. One pass over the data is one epoch, in an order drawn anew for each. Safe to call from several
  /// threads.
  virtual Origin example(std::uint64_t seed, std::uint64_t position, std::span<std::int32_t> input,
                         std::span<std::int32_t> label, std::int32_t& puzzle_id) const = 0;
  /// Does to `frame` [L], a frame of the un-augmented item, what the augmentation did to the item itself.
  virtual void augment(const Origin& origin, std::span<std::int32_t> frame) const = 0;
  /// Name of identifier `index`, 0..shape().identifiers-1; that of 0 is "<blank>". A data set may have a million of
  /// them, so a name is made when it is asked for.
  virtual std::string identifier(std::int64_t index) const = 0;
  /// Tasks whose test answers are among the examples, so that a score on them says nothing; none where that is not
  /// known or has no meaning.
  virtual std::optional<std::vector<std::string>> answered_tasks() const { return std::nullopt; }
  /// The pairs that training shows, and those that are kept for tests, by their content. Those of ARC's test set and of
  /// boards stand in the order of groups and test pairs, or of test sets and boards; rows in that of the file. Rows of
  /// ARC's builders with an augmented puzzle have kNoPair in training, for their base puzzle stands for them.
  virtual PairList trained_pairs() const { return {}; }
  virtual PairList tested_pairs() const { return {}; }
  /// What the data hold, to the last cell: changes under the same names show. One entry a task of ARC, else one.
  virtual std::vector<ContentHash> content() const { return {}; }
  /// Examples of one pass over the data; 0 where that has no meaning.
  virtual std::int64_t epoch_length() const { return 0; }
};

/// Examples first..first+lanes-1 of the stream as a batch.
Batch draw_batch(const TrainingStream& stream, std::uint64_t seed, std::uint64_t first, std::int64_t lanes);

}  // namespace dis
