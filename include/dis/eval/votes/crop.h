// From the field of tokens that a network predicts to the grid that it means: the reference's crop.
//
// The rows are read from the top. A row allows as many columns as it has colour tokens (2..11) in a run from the left
// edge, and never more than the rows above it. Of the rectangles in the top left corner that this allows, the one of
// largest area is the answer; of equal ones the first, which has the fewest rows. Without a colour in the corner the
// answer is the empty grid. End markers are not needed: whatever is no colour ends a grid.
#pragma once

#include <cstdint>
#include <span>

#include "dis/data/pictures/grid.h"

namespace dis {

struct GridSize {
  int rows = 0;
  int columns = 0;
  bool operator==(const GridSize&) const = default;
};

/// Size of the answer in a field [side * side] of tokens, any numbers; 0 x 0 when there is none.
GridSize crop_size(std::span<const std::uint8_t> tokens, int side);
GridSize crop_size(std::span<const std::int32_t> tokens, int side);

/// The answer in colours 0..9.
Grid crop_prediction(std::span<const std::uint8_t> tokens, int side);
Grid crop_prediction(std::span<const std::int32_t> tokens, int side);

}  // namespace dis
