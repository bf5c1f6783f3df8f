#include "dis/data/pair_keys.h"

#include <algorithm>

#include "content_hash.h"
#include "dis/core/error.h"

namespace dis {
namespace {

/// One symmetry's image as text, colours numbered as they come; black stays.
std::string image_text(const Grid& input, const Grid& output, int tid) {
  ColourMap number{};
  std::uint8_t next = 1;
  std::string text;
  for (const Grid* grid : {&input, &output}) {
    const auto view = view_of(tid, grid->rows, grid->columns);
    text += static_cast<char>(view.rows);
    text += static_cast<char>(view.columns);
    for (int row = 0; row < view.rows; ++row) {
      for (int column = 0; column < view.columns; ++column) {
        const int cell = view.base + row * view.row_step + column * view.column_step;
        const auto colour = grid->cells[static_cast<std::size_t>(cell)];
        if (colour != 0 && number[colour] == 0) number[colour] = next++;
        text += static_cast<char>(number[colour]);
      }
    }
  }
  return text;
}

std::string columns_text(const Placement& placement) {
  const auto* columns = reinterpret_cast<const char*>(placement.column.data());
  return {columns, static_cast<std::size_t>(placement.size)};
}

/// Tokens in a byte each, as far as they fit.
void append_tokens(std::span<const std::int32_t> tokens, std::string& text) {
  constexpr std::int32_t kLong = 255;
  for (const auto token : tokens) {
    const bool fits = token >= 0 && token < kLong;
    text += static_cast<char>(fits ? token : kLong);
    if (!fits) text.append(reinterpret_cast<const char*>(&token), sizeof token);
  }
}

}  // namespace

PairKey arc_pair_key(const Grid& input, const Grid& output) {
  std::string smallest = image_text(input, output, 0);
  for (int tid = 1; tid < kSymmetries; ++tid) smallest = std::min(smallest, image_text(input, output, tid));
  return key_of_text(smallest);
}

PairKey board_pair_key(const Placement& givens, const Placement& solution, bool augmented) {
  std::string smallest = columns_text(givens) + columns_text(solution);
  for (int symmetry = 1; augmented && symmetry < kSymmetries; ++symmetry) {
    smallest =
        std::min(smallest, columns_text(transformed(givens, symmetry)) + columns_text(transformed(solution, symmetry)));
  }
  return key_of_text(smallest);
}

PairKey row_pair_key(std::span<const std::int32_t> input, std::span<const std::int32_t> label) {
  std::string text;
  text.reserve(input.size() + label.size());
  append_tokens(input, text);
  append_tokens(label, text);
  return key_of_text(text);
}

}  // namespace dis
