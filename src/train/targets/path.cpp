// Targets `path`: from the input to the label along one random order of the differing cells.
#include <algorithm>

#include "dis/core/error.h"
#include "generators.h"

namespace dis {
namespace {

class PathTargets : public TargetGenerator {
 public:
  explicit PathTargets(const MethodConfig& method) : N_(method.num_supervision), cells_(method.path_cells) {}

  void frames(Draws draws, const ExampleView& example, const TrainingStream&,
              std::span<std::int32_t> out) const override {
    std::vector<double> keys(example.input.size());
    for (double& key : keys) key = draws.uniform();
    path_frames(example.input, example.label, keys, N_, cells_, out);
  }
  bool teaches_unlabelled_cells() const override { return cells_ == PathCells::all; }

 private:
  std::int64_t N_;
  PathCells cells_;
};

}  // namespace

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

MadeGenerator path_targets(const TargetSetting& setting) { return std::make_unique<PathTargets>(setting.method); }

}  // namespace dis
