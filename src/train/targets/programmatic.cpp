// Targets `programmatic`: boards on which the label's missing queens appear one after the other.
#include <algorithm>

#include "dis/core/error.h"
#include "dis/data/boards/queens.h"
#include "generators.h"

namespace dis {
namespace {

/// King moves between two cells of a board.
std::size_t king_distance(std::size_t a, std::size_t b, std::size_t side) {
  const auto apart = [](std::size_t x, std::size_t y) { return x > y ? x - y : y - x; };
  return std::max(apart(a / side, b / side), apart(a % side, b % side));
}

/// Twice the king moves from a cell to the centre, which lies between cells if `side` is even.
std::size_t distance_to_centre(std::size_t cell, std::size_t side) {
  const auto apart = [&](std::size_t x) { return 2 * x > side - 1 ? 2 * x - (side - 1) : side - 1 - 2 * x; };
  return std::max(apart(cell / side), apart(cell % side));
}

/// Puts the `missing` queens (ascending cells) into the order `nearest`: each next one is nearest to any queen on the
/// board so far, the first of an empty board nearest to the centre; ties by cell.
void order_nearest(std::vector<std::size_t> placed, std::span<std::size_t> missing, std::size_t side) {
  const auto distance = [&](std::size_t cell) {
    if (placed.empty()) return distance_to_centre(cell, side);
    std::size_t nearest = side;
    for (const std::size_t queen : placed) nearest = std::min(nearest, king_distance(cell, queen, side));
    return nearest;
  };
  for (std::size_t i = 0; i < missing.size(); ++i) {
    const auto rest = missing.subspan(i);
    const auto next = std::ranges::min_element(rest, {}, distance);
    std::rotate(rest.begin(), next, next + 1);  // the others stay in ascending order
    placed.push_back(rest.front());
  }
}

class ProgrammaticTargets : public TargetGenerator {
 public:
  explicit ProgrammaticTargets(const MethodConfig& method)
      : N_(static_cast<std::size_t>(method.num_supervision)), order_(method.programmatic_order) {}

  void frames(Draws draws, const ExampleView& example, const TrainingStream&,
              std::span<std::int32_t> out) const override {
    const std::size_t length = example.label.size();
    const std::vector<std::uint8_t> input(example.input.begin(), example.input.end());
    if (!is_valid_completion(input, example.label)) {
      throw UserError(
          "method.targets: programmatic needs labels that complete their board with N queens, none attacking "
          "another, but the label of training board " +
          std::to_string(example.origin.item) + " does not; correct the board or choose other targets");
    }
    std::vector<std::size_t> given;
    std::vector<std::size_t> missing;
    for (std::size_t cell = 0; cell < length; ++cell) {
      if (example.label[cell] == kQueenCell) (example.input[cell] == kQueenCell ? given : missing).push_back(cell);
    }
    if (order_ == ProgrammaticOrder::nearest) {
      order_nearest(given, missing, static_cast<std::size_t>(*board_size_of(length)));
    } else {
      draws.shuffle(std::span(missing));
    }
    const auto steps = N_;
    for (std::size_t s = 0; s <= steps; ++s) {
      const auto frame = out.subspan(s * length, length);
      std::ranges::copy(example.input, frame.begin());
      for (std::size_t i = 0; i < s * missing.size() / steps; ++i) frame[missing[i]] = kQueenCell;
    }
  }

 private:
  std::size_t N_;
  ProgrammaticOrder order_;
};

}  // namespace

MadeGenerator programmatic_targets(const TargetSetting& setting) {
  const auto& shape = setting.shape;
  if (shape.vocabulary != kQueenCell + 1 || !board_size_of(static_cast<std::size_t>(shape.length))) {
    throw UserError("method.targets: programmatic needs N-Queens boards (3 tokens, N x N cells), found " +
                    std::to_string(shape.vocabulary) + " tokens and " + std::to_string(shape.length) +
                    " cells; choose other targets");
  }
  return std::make_unique<ProgrammaticTargets>(setting.method);
}

}  // namespace dis
