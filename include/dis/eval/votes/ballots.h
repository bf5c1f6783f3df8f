// What is voted with: the answers of some predictions, cropped, with their augmentation undone, in half a byte a cell.
//
// Predictions pass through here in batches, so that memory holds the fields of one batch at a time. A ballot is also
// what a file of votes keeps (vote_file.h), so that votes which were read again count as they did at first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dis/data/pictures/grid.h"

namespace dis {

/// A grid: rows, columns, then two cells a byte, row by row, the first in the lower half; an unused half is 0.
using PackedGrid = std::span<const std::uint8_t>;
inline constexpr std::size_t packed_size(int rows, int columns) {
  return 2 + (static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns) + 1) / 2;
}
inline constexpr std::size_t kLargestPackedGrid = packed_size(kLargestGrid, kLargestGrid);

/// At most kLargestGrid rows and columns.
std::vector<std::uint8_t> pack_grid(const Grid& grid);
Grid unpack_grid(PackedGrid packed);
std::uint64_t hash_of(PackedGrid packed);

/// Predictions, row by row. Rows whose test input is negative are padding and are skipped, but counted in `first`.
struct PredictionBatch {
  std::int64_t first = 0;                       ///< number of the batch's first prediction in the whole evaluation
  int side = kLargestGrid;                      ///< rows and columns of the field
  std::span<const std::int64_t> tests;          ///< [rows] number of the test input
  std::span<const Augmentation> augmentations;  ///< [rows] what was done to the test input
  std::span<const std::uint8_t> tokens;         ///< [rows, side * side] the prediction
  std::span<const double> probabilities;        ///< [rows] of halting; the same number where a network has none
};

struct Ballot {
  std::int64_t prediction = 0;  ///< its number in the whole evaluation
  std::int64_t test = 0;        ///< number of the test input
  double probability = 0.0;     ///< of halting; never NaN
  std::uint64_t hash = 0;       ///< hash_of(grid)
  PackedGrid grid;              ///< as long as the Ballots are not changed
};

class Ballots {
 public:
  std::size_t size() const { return rows_.size(); }
  Ballot operator[](std::size_t row) const;

  void clear() { rows_.clear(), used_ = 0; }
  /// A probability that is not a number counts as 0.
  void add(std::int64_t prediction, std::int64_t test, double probability, PackedGrid grid);
  void add(std::int64_t prediction, std::int64_t test, double probability, const Grid& grid);

  /// Replaces the ballots by those of a batch, in the order of its rows, whatever the number of threads: at most
  /// `threads`, and one for each 1024 rows.
  void read(const PredictionBatch& batch, int threads);
  /// Leaves out the predictions below `prediction`, which were counted before.
  void drop_before(std::int64_t prediction);

 private:
  struct Row {
    std::int64_t prediction;
    std::int64_t test;
    double probability;
    std::uint64_t hash;
    std::size_t place;  // of the grid in bytes_
  };
  void read_rows(const PredictionBatch& batch, std::size_t first, std::size_t last);

  std::vector<Row> rows_;
  std::vector<std::uint8_t> bytes_;  // kept from batch to batch
  std::size_t used_ = 0;             // of bytes_
};

}  // namespace dis
