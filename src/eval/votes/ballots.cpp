#include "dis/eval/votes/ballots.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "dis/core/error.h"
#include "dis/core/parts.h"
#include "dis/data/arc/arc_puzzles.h"
#include "dis/eval/votes/crop.h"

namespace dis {
namespace {

static_assert(std::endian::native == std::endian::little, "cells are packed through 64-bit words");

constexpr std::size_t kCellsAtOnce = 8;
constexpr std::size_t kRoom = 2 + (kLargestPackedGrid + kCellsAtOnce - 1) / kCellsAtOnce * kCellsAtOnce;
constexpr std::size_t kCellRoom = kLargestGrid * kLargestGrid + kCellsAtOnce;
constexpr std::size_t kFewestRows = 1024;  // a third of a millisecond; fewer are not worth a thread

/// Two cells a byte. Reads and writes whole groups of eight cells: `cells` must be 0 behind the last one.
void pack_cells(const std::uint8_t* cells, std::size_t count, std::uint8_t* to) {
  for (std::size_t i = 0; i < count; i += kCellsAtOnce) {
    std::uint64_t word;
    std::memcpy(&word, cells + i, sizeof word);
    word = (word | word >> 4) & 0x00FF00FF00FF00FFULL;
    word = (word | word >> 8) & 0x0000FFFF0000FFFFULL;
    const auto packed = static_cast<std::uint32_t>(word | word >> 16);
    std::memcpy(to + i / 2, &packed, sizeof packed);
  }
}

void unpack_cells(const std::uint8_t* packed, std::span<std::uint8_t> cells) {
  std::size_t i = 0;
  for (; i + kCellsAtOnce <= cells.size(); i += kCellsAtOnce) {
    std::uint32_t half;
    std::memcpy(&half, packed + i / 2, sizeof half);
    std::uint64_t word = half;
    word = (word | word << 16) & 0x0000FFFF0000FFFFULL;
    word = (word | word << 8) & 0x00FF00FF00FF00FFULL;
    word = (word | word << 4) & 0x0F0F0F0F0F0F0F0FULL;
    std::memcpy(cells.data() + i, &word, sizeof word);
  }
  for (; i < cells.size(); ++i) cells[i] = packed[i / 2] >> (i % 2 == 0 ? 0 : 4) & 0xF;
}

/// Colour tokens to the colours before the augmentation.
using TokenMap = std::array<std::uint8_t, kArcVocabulary>;

TokenMap colours_before(const ColourMap& colours) {
  TokenMap map{};
  for (std::size_t colour = 0; colour < colours.size(); ++colour) {
    map[colours[colour] + static_cast<std::size_t>(kFirstColourToken)] = static_cast<std::uint8_t>(colour);
  }
  return map;
}

/// The view of the top left corner of a field that is `side` cells wide: view_of counts the corner's own cells.
SymmetryView view_in_field(int tid, const GridSize& size, int side) {
  SymmetryView view = view_of(tid, size.rows, size.columns);
  if (size.columns == 0) return view;
  view.base = view.base / size.columns * side + view.base % size.columns;
  const bool turned = tid == 1 || tid == 3 || tid == 6 || tid == 7;  // rows become columns
  int& down = turned ? view.column_step : view.row_step;
  down = down > 0 ? side : -side;
  return view;
}

/// Crops a field, undoes what was done to its test input, packs the result into `to` [kRoom].
void pack_answer(std::span<const std::uint8_t> tokens, int side, const Augmentation& augmentation, std::uint8_t* to) {
  const auto view = view_in_field(inverse_symmetry(augmentation.tid), crop_size(tokens, side), side);
  const auto map = colours_before(augmentation.colours);
  std::array<std::uint8_t, kCellRoom> cells;
  std::uint8_t* next = cells.data();
  for (int row = 0; row < view.rows; ++row) {
    int from = view.base + row * view.row_step;
    for (int column = 0; column < view.columns; ++column, from += view.column_step) {
      *next++ = map[tokens[static_cast<std::size_t>(from)]];
    }
  }
  std::fill_n(next, kCellsAtOnce, std::uint8_t{0});
  to[0] = static_cast<std::uint8_t>(view.rows);
  to[1] = static_cast<std::uint8_t>(view.columns);
  pack_cells(cells.data(), static_cast<std::size_t>(view.rows * view.columns), to + 2);
}

double number_or_0(double probability) { return std::isnan(probability) ? 0.0 : probability; }

PackedGrid packed_at(const std::uint8_t* bytes) { return {bytes, packed_size(bytes[0], bytes[1])}; }

}  // namespace

std::vector<std::uint8_t> pack_grid(const Grid& grid) {
  ensure(grid.rows >= 0 && grid.rows <= kLargestGrid && grid.columns >= 0 && grid.columns <= kLargestGrid &&
             grid.cells.size() == static_cast<std::size_t>(grid.rows * grid.columns),
         "pack_grid", "a grid of at most 30 x 30");
  std::vector<std::uint8_t> packed(packed_size(grid.rows, grid.columns));
  packed[0] = static_cast<std::uint8_t>(grid.rows);
  packed[1] = static_cast<std::uint8_t>(grid.columns);
  for (std::size_t i = 0; i < grid.cells.size(); ++i) {
    packed[2 + i / 2] |= static_cast<std::uint8_t>(grid.cells[i] << (i % 2 == 0 ? 0 : 4));
  }
  return packed;
}

Grid unpack_grid(PackedGrid packed) {
  Grid grid{packed[0], packed[1], {}};
  grid.cells.resize(static_cast<std::size_t>(grid.rows * grid.columns));
  unpack_cells(packed.data() + 2, grid.cells);
  return grid;
}

std::uint64_t hash_of(PackedGrid packed) {
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15ULL;
  std::uint64_t hash = packed.size() * kFactor;
  const auto mix_in = [&](std::uint64_t word) {
    hash = (hash ^ word) * kFactor;
    hash ^= hash >> 32;
  };
  std::size_t i = 0;
  std::uint64_t word = 0;
  for (; i + sizeof word <= packed.size(); i += sizeof word) {
    std::memcpy(&word, packed.data() + i, sizeof word);
    mix_in(word);
  }
  word = 0;
  std::memcpy(&word, packed.data() + i, packed.size() - i);
  mix_in(word);
  mix_in(0);
  return hash;
}

Ballot Ballots::operator[](std::size_t row) const {
  const auto& r = rows_[row];
  return {r.prediction, r.test, r.probability, r.hash, packed_at(bytes_.data() + r.place)};
}

void Ballots::add(std::int64_t prediction, std::int64_t test, double probability, PackedGrid grid) {
  if (bytes_.size() < used_ + grid.size()) bytes_.resize(2 * used_ + kRoom);
  std::copy(grid.begin(), grid.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(used_));
  rows_.push_back({prediction, test, number_or_0(probability), hash_of(grid), used_});
  used_ += grid.size();
}

void Ballots::add(std::int64_t prediction, std::int64_t test, double probability, const Grid& grid) {
  add(prediction, test, probability, pack_grid(grid));
}

void Ballots::read_rows(const PredictionBatch& batch, std::size_t first, std::size_t last) {
  const auto length = static_cast<std::size_t>(batch.side * batch.side);
  for (std::size_t i = first; i < last; ++i) {
    const std::size_t place = i * kRoom;
    auto* grid = bytes_.data() + place;
    rows_[i] = {batch.first + static_cast<std::int64_t>(i), batch.tests[i], number_or_0(batch.probabilities[i]), 0,
                place};
    if (batch.tests[i] < 0) continue;
    pack_answer(batch.tokens.subspan(i * length, length), batch.side, batch.augmentations[i], grid);
    rows_[i].hash = hash_of(packed_at(grid));
  }
}

void Ballots::read(const PredictionBatch& batch, int threads) {
  const auto rows = batch.tests.size();
  ensure(batch.side >= 1 && batch.side <= kLargestGrid && batch.augmentations.size() == rows &&
             batch.probabilities.size() == rows &&
             batch.tokens.size() == rows * static_cast<std::size_t>(batch.side * batch.side),
         "Ballots::read", "rows of tests, augmentations, tokens [side * side] and probabilities");
  rows_.resize(rows);
  used_ = rows * kRoom;
  if (bytes_.size() < used_) bytes_.resize(used_);
  const auto parts = std::clamp<std::size_t>(rows / kFewestRows, 1, static_cast<std::size_t>(std::max(1, threads)));
  in_parts(rows, parts, [&](std::size_t first, std::size_t last) { read_rows(batch, first, last); });
  std::erase_if(rows_, [](const Row& row) { return row.test < 0; });
}

void Ballots::drop_before(std::int64_t prediction) {
  std::erase_if(rows_, [&](const Row& row) { return row.prediction < prediction; });
}

}  // namespace dis
