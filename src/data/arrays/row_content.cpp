// Rows of tokens by their content.
#include <algorithm>
#include <optional>

#include "../content_hash.h"
#include "dis/data/arc/arc_puzzles.h"
#include "dis/data/arrays/puzzle_rows.h"

namespace dis {
namespace {

bool is_colour_token(std::int32_t token) { return token >= kFirstColourToken && token < kArcVocabulary; }

/// The grid that a field of ARC's builders shows, wherever it lies; nothing if the colours make no rectangle.
std::optional<Grid> grid_in_field(std::span<const std::int32_t> field, int side) {
  int top = side, left = side, bottom = -1, right = -1, colours = 0;
  for (int cell = 0; cell < side * side; ++cell) {
    if (!is_colour_token(field[static_cast<std::size_t>(cell)])) continue;
    const int row = cell / side, column = cell % side;
    top = std::min(top, row), bottom = std::max(bottom, row);
    left = std::min(left, column), right = std::max(right, column);
    ++colours;
  }
  if (colours == 0 || colours != (bottom - top + 1) * (right - left + 1)) return std::nullopt;
  Grid grid{bottom - top + 1, right - left + 1, {}};
  for (int row = top; row <= bottom; ++row) {
    for (int column = left; column <= right; ++column) {
      grid.cells.push_back(
          static_cast<std::uint8_t>(field[static_cast<std::size_t>(row * side + column)] - kFirstColourToken));
    }
  }
  return grid;
}

/// Side of the fields if the names are those of ARC's builders, else 0.
int arc_side(const PuzzleRows& data) {
  const auto shape = data.shape();
  int side = 0;
  while (side * side < shape.length) ++side;
  if (shape.vocabulary != kArcVocabulary || side > kLargestGrid || side * side != shape.length) return 0;
  if (!data.test_puzzles().empty()) return side;
  for (std::int64_t i = 1; i < shape.identifiers; ++i) {
    if (data.identifier(i).find("|||t") != std::string::npos) return side;
  }
  return 0;
}

PairKey key_of_row(std::span<const std::int32_t> input, std::span<const std::int32_t> label, int side) {
  if (side > 0) {
    const auto question = grid_in_field(input, side), answer = grid_in_field(label, side);
    if (question && answer) return arc_pair_key(*question, *answer);
    // An answer that is not known is a field of pads.
    if (std::ranges::none_of(label, is_colour_token)) return kNoPair;
  }
  const bool known = std::ranges::any_of(label, [](std::int32_t token) { return token >= 0; });
  return known ? row_pair_key(input, label) : kNoPair;
}

/// Of the rows that `wanted` holds for; the others have kNoPair.
std::vector<PairKey> keys_of(const RowSplit& split, int side, const std::function<bool(std::int64_t)>& wanted) {
  const auto length = static_cast<std::size_t>(split.header().length);
  std::vector<std::int32_t> input(length), label(length);
  std::vector<PairKey> keys(static_cast<std::size_t>(split.examples()), kNoPair);
  for (std::int64_t row = 0; row < split.examples(); ++row) {
    if (!wanted(row)) continue;
    split.read(row, input, label);
    keys[static_cast<std::size_t>(row)] = key_of_row(input, label, side);
  }
  return keys;
}

std::string hash_of_split(const RowSplit& split) {
  Sha256 hash;
  for (const auto& set : split.sets()) {
    for (const auto* array : {&set.inputs, &set.labels}) hash.update(array->bytes());
  }
  return short_hash(hash);
}

}  // namespace

PairList PuzzleRows::trained_pairs() const {
  const int side = arc_side(*this);
  // An augmented puzzle of ARC has the key of its base puzzle.
  const auto wanted = [&](std::int64_t row) {
    return side == 0 || identifier(train_.identifier(train_.puzzle_of(row))).find("|||") == std::string::npos;
  };
  return {keys_of(train_, side, wanted), [](std::int64_t row) { return "training example " + std::to_string(row); }};
}

PairList PuzzleRows::tested_pairs() const {
  if (!test_) return {};
  return {keys_of(*test_, arc_side(*this), [](std::int64_t) { return true; }),
          [](std::int64_t row) { return "example " + std::to_string(row); }};
}

std::vector<ContentHash> PuzzleRows::content() const {
  return {{"examples", hash_of_split(train_), test_ ? hash_of_split(*test_) : "", false}};
}

}  // namespace dis
