#include "dis/train/targets.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "dis/core/error.h"
#include "dis/data/queens.h"

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

}  // namespace

double corruption_rate(Schedule schedule, std::int64_t s, std::int64_t N) {
  ensure(N >= 1 && s >= 0 && s <= N, "corruption_rate", "0 <= s <= N");
  if (s == N) return 0.0;  // cos(pi / 2) is not 0 in floating point
  const double share = static_cast<double>(s) / static_cast<double>(N);
  return schedule == Schedule::linear ? 1.0 - share : std::cos(std::numbers::pi / 2.0 * share);
}

void path_frames(std::span<const std::int32_t> input, std::span<const std::int32_t> label, std::span<const double> keys,
                 std::int64_t N, PathCells cells, std::span<std::int32_t> frames) {
  const std::size_t length = input.size();
  const auto steps = static_cast<std::size_t>(N);
  ensure(N >= 1 && label.size() == length && keys.size() == length && frames.size() == (steps + 1) * length,
         "path_frames", "input, label and keys [L], frames [N+1, L]");
  std::vector<std::size_t> differing;
  for (std::size_t cell = 0; cell < length; ++cell) {
    const bool left_out = cells == PathCells::labelled && label[cell] == kIgnore;
    for (std::size_t s = 0; s <= steps; ++s) frames[s * length + cell] = left_out ? kIgnore : input[cell];
    if (!left_out && label[cell] != input[cell]) differing.push_back(cell);
  }
  std::ranges::stable_sort(differing, {}, [&](std::size_t cell) { return keys[cell]; });
  for (std::size_t s = 0; s <= steps; ++s) {
    const std::size_t shown = s * differing.size() / steps;
    for (std::size_t rank = 0; rank < shown; ++rank) frames[s * length + differing[rank]] = label[differing[rank]];
  }
}

TargetBuilder::TargetBuilder(const MethodConfig& method, const DataShape& shape,
                             std::shared_ptr<const Trajectories> trajectories)
    : method_(method), shape_(shape), trajectories_(std::move(trajectories)) {
  ensure(shape.vocabulary >= 2 && shape.length >= 1, "TargetBuilder", "a token beside the pad, and cells");
  ensure(method.targets != TargetKind::trajectory || trajectories_, "TargetBuilder", "trajectories");
  if (method.targets == TargetKind::programmatic &&
      (shape.vocabulary != kQueenCell + 1 || !board_size_of(static_cast<std::size_t>(shape.length)))) {
    throw UserError("method.targets: programmatic needs N-Queens boards (3 tokens, N x N cells), found " +
                    std::to_string(shape.vocabulary) + " tokens and " + std::to_string(shape.length) +
                    " cells; choose path, mask or replace");
  }
}

std::optional<std::int32_t> TargetBuilder::mask_token() const {
  if (method_.targets != TargetKind::mask || method_.masked_cells != MaskedCells::token) return std::nullopt;
  return static_cast<std::int32_t>(shape_.vocabulary);
}

std::int64_t TargetBuilder::vocabulary() const { return shape_.vocabulary + (mask_token() ? 1 : 0); }

void TargetBuilder::frames(std::uint64_t seed, std::uint64_t position, const ExampleView& example,
                           const TrainingStream& stream, std::span<std::int32_t> out) const {
  const auto length = static_cast<std::size_t>(shape_.length);
  const auto steps = static_cast<std::size_t>(method_.num_supervision);
  ensure(example.input.size() == length && example.label.size() == length && out.size() == (steps + 1) * length,
         "TargetBuilder::frames", "input and label [L], frames [N+1, L]");
  Draws draws(seed, Purpose::targets, 0, position);
  switch (method_.targets) {
    case TargetKind::path: {
      std::vector<double> keys(length);
      for (double& key : keys) key = draws.uniform();
      return path_frames(example.input, example.label, keys, method_.num_supervision, method_.path_cells, out);
    }
    case TargetKind::mask:
    case TargetKind::replace:
      corrupted(draws, example, out);
      break;
    case TargetKind::programmatic:
      programmatic(draws, example, out);
      break;
    case TargetKind::trajectory:
      from_file(example, stream, out);
      break;
    case TargetKind::label:
      std::ranges::copy(example.input, out.begin());
      for (std::size_t s = 1; s <= steps; ++s) std::ranges::copy(example.label, out.subspan(s * length).begin());
      break;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (example.label[i % length] == kIgnore) out[i] = kIgnore;
  }
}

std::vector<std::int32_t> TargetBuilder::batch_frames(std::uint64_t seed, std::uint64_t first, const Batch& batch,
                                                      const TrainingStream& stream) const {
  const auto length = static_cast<std::size_t>(shape_.length);
  const auto lanes = static_cast<std::size_t>(batch.lanes);
  const std::size_t size = (static_cast<std::size_t>(method_.num_supervision) + 1) * length;
  ensure(batch.length == shape_.length, "TargetBuilder::batch_frames", "examples of the data's length");
  std::vector<std::int32_t> out(lanes * size);
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    const ExampleView example{std::span(batch.inputs).subspan(lane * length, length),
                              std::span(batch.labels).subspan(lane * length, length), batch.origins[lane]};
    frames(seed, first + lane, example, stream, std::span(out).subspan(lane * size, size));
  }
  return out;
}

void TargetBuilder::corrupted(Draws draws, const ExampleView& example, std::span<std::int32_t> out) const {
  const bool replace = method_.targets == TargetKind::replace;
  std::vector<double> rates;
  for (std::int64_t s = 0; s <= method_.num_supervision; ++s) {
    rates.push_back(corruption_rate(method_.schedule, s, method_.num_supervision));
  }
  for (std::size_t cell = 0; cell < example.label.size(); ++cell) {
    const double u = draws.uniform();  // one for all steps: this nests the masks
    const std::int32_t hidden =
        replace ? 1 + static_cast<std::int32_t>(draws.below(static_cast<std::uint32_t>(shape_.vocabulary - 1)))
                : mask_token().value_or(kIgnore);
    for (std::size_t s = 0; s < rates.size(); ++s) {
      out[s * example.label.size() + cell] = u < rates[s] ? hidden : example.label[cell];
    }
  }
}

void TargetBuilder::programmatic(Draws draws, const ExampleView& example, std::span<std::int32_t> out) const {
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
  if (method_.programmatic_order == ProgrammaticOrder::nearest) {
    order_nearest(given, missing, static_cast<std::size_t>(*board_size_of(length)));
  } else {
    draws.shuffle(std::span(missing));
  }
  const auto steps = static_cast<std::size_t>(method_.num_supervision);
  for (std::size_t s = 0; s <= steps; ++s) {
    const auto frame = out.subspan(s * length, length);
    std::ranges::copy(example.input, frame.begin());
    for (std::size_t i = 0; i < s * missing.size() / steps; ++i) frame[missing[i]] = kQueenCell;
  }
}

void TargetBuilder::from_file(const ExampleView& example, const TrainingStream& stream,
                              std::span<std::int32_t> out) const {
  const std::size_t length = example.label.size();
  std::ranges::copy(example.input, out.begin());
  for (std::int64_t s = 1; s <= method_.num_supervision; ++s) {
    const auto frame = out.subspan(static_cast<std::size_t>(s) * length, length);
    const auto found = trajectories_->at_step(example.origin.item, s, method_.num_supervision);
    std::ranges::copy(found.empty() ? example.label : found, frame.begin());
    if (!found.empty()) stream.augment(example.origin, frame);  // the label is augmented already
  }
}

}  // namespace dis
