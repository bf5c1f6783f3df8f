#include "dis/eval/votes/crop.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "dis/core/error.h"
#include "dis/data/arc/arc_puzzles.h"

namespace dis {
namespace {

template <class Token>
bool is_colour(Token token) {
  return token >= kFirstColourToken && token < kFirstColourToken + kColours;
}

static_assert(std::endian::native == std::endian::little, "the first of eight tokens is the lowest byte of a word");

/// How many of the first `most` tokens are colours, before the first that is none.
template <class Token>
int colours_at_start(std::span<const Token> tokens, int most) {
  int run = 0;
  while (run < most && is_colour(tokens[static_cast<std::size_t>(run)])) ++run;
  return run;
}

/// The same, eight tokens at a time: the highest bit of a byte of `no_colours` is set where the token is no colour.
int colours_at_start(std::span<const std::uint8_t> tokens, int most) {
  constexpr std::uint64_t kEach = 0x0101010101010101ULL;
  constexpr std::uint64_t kHighest = 0x80 * kEach;
  int run = 0;
  while (run < most && static_cast<std::size_t>(run) + 8 <= tokens.size()) {
    std::uint64_t word;
    std::memcpy(&word, tokens.data() + run, sizeof word);
    const std::uint64_t low = word & ~kHighest;
    const std::uint64_t too_large = low + (0x80 - kFirstColourToken - kColours) * kEach;
    const std::uint64_t large_enough = low + (0x80 - kFirstColourToken) * kEach;
    const std::uint64_t no_colours = (word | too_large | ~large_enough) & kHighest;
    if (no_colours != 0) return std::min(most, run + std::countr_zero(no_colours) / 8);
    run += 8;
  }
  if (run >= most) return most;
  return run + colours_at_start<std::uint8_t>(tokens.subspan(static_cast<std::size_t>(run)), most - run);
}

template <class Token>
GridSize size_in(std::span<const Token> tokens, int side) {
  ensure(side >= 1 && tokens.size() == static_cast<std::size_t>(side) * static_cast<std::size_t>(side), "crop_size",
         "a field [side * side]");
  GridSize best;
  int area = 0;
  int width = side;
  // No later rectangle is larger than width * side, so the rows below need not be read once that is too small.
  for (int rows = 1; rows <= side && width * side > area; ++rows) {
    width = colours_at_start(tokens, width);
    tokens = tokens.subspan(static_cast<std::size_t>(side));
    if (rows * width > area) {
      area = rows * width;
      best = {rows, width};
    }
  }
  return best;
}

template <class Token>
Grid grid_in(std::span<const Token> tokens, int side) {
  const auto size = size_in(tokens, side);
  Grid grid{size.rows, size.columns, {}};
  grid.cells.reserve(static_cast<std::size_t>(size.rows * size.columns));
  for (int row = 0; row < size.rows; ++row) {
    const Token* from = tokens.data() + row * side;
    for (int column = 0; column < size.columns; ++column) {
      grid.cells.push_back(static_cast<std::uint8_t>(from[column] - kFirstColourToken));
    }
  }
  return grid;
}

}  // namespace

GridSize crop_size(std::span<const std::uint8_t> tokens, int side) { return size_in(tokens, side); }
GridSize crop_size(std::span<const std::int32_t> tokens, int side) { return size_in(tokens, side); }
Grid crop_prediction(std::span<const std::uint8_t> tokens, int side) { return grid_in(tokens, side); }
Grid crop_prediction(std::span<const std::int32_t> tokens, int side) { return grid_in(tokens, side); }

}  // namespace dis
