// Targets `mask` and `replace`: a cell of the label is hidden at step s iff u < beta_s, with one u per cell: what is
// hidden is nested, frame 0 hides every cell and frame N none. A hidden cell is kIgnore or the mask token; under
// `replace` one token drawn once per cell, uniform over 1..V-1 (never the pad, and the label like any other).
#include <cmath>
#include <numbers>

#include "dis/core/error.h"
#include "generators.h"

namespace dis {
namespace {

class CorruptedTargets : public TargetGenerator {
 public:
  explicit CorruptedTargets(const TargetSetting& setting)
      : replace_(setting.method.targets == TargetKind::replace), tokens_(setting.shape.vocabulary - 1) {
    if (!replace_ && setting.method.masked_cells == MaskedCells::token) {
      mask_ = static_cast<std::int32_t>(setting.shape.vocabulary);
    }
    const auto N = setting.method.num_supervision;
    for (std::int64_t s = 0; s <= N; ++s) rates_.push_back(corruption_rate(setting.method.schedule, s, N));
  }

  std::optional<std::int32_t> mask_token() const override { return mask_; }

  void frames(Draws draws, const ExampleView& example, const TrainingStream&,
              std::span<std::int32_t> out) const override {
    for (std::size_t cell = 0; cell < example.label.size(); ++cell) {
      const double u = draws.uniform();  // one for all steps: this nests the masks
      const std::int32_t hidden = replace_
                                      ? 1 + static_cast<std::int32_t>(draws.below(static_cast<std::uint32_t>(tokens_)))
                                      : mask_.value_or(kIgnore);
      for (std::size_t s = 0; s < rates_.size(); ++s) {
        out[s * example.label.size() + cell] = u < rates_[s] ? hidden : example.label[cell];
      }
    }
  }

 private:
  bool replace_;
  std::int64_t tokens_;  ///< that a hidden cell may show: all but the pad
  std::optional<std::int32_t> mask_;
  std::vector<double> rates_;  ///< [N + 1]
};

}  // namespace

double corruption_rate(Schedule schedule, std::int64_t s, std::int64_t N) {
  ensure(N >= 1 && s >= 0 && s <= N, "corruption_rate", "0 <= s <= N");
  if (s == N) return 0.0;  // cos(pi / 2) is not 0 in floating point
  const double share = static_cast<double>(s) / static_cast<double>(N);
  return schedule == Schedule::linear ? 1.0 - share : std::cos(std::numbers::pi / 2.0 * share);
}

MadeGenerator corrupted_targets(const TargetSetting& setting) { return std::make_unique<CorruptedTargets>(setting); }

}  // namespace dis
