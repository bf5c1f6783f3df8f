// Targets `label`: the label at every step, what training without DIS's targets would teach.
#include <algorithm>

#include "generators.h"

namespace dis {
namespace {

class LabelTargets : public TargetGenerator {
 public:
  void frames(Draws, const ExampleView& example, const TrainingStream&, std::span<std::int32_t> out) const override {
    const auto length = example.label.size();
    std::ranges::copy(example.input, out.begin());
    for (auto at = length; at < out.size(); at += length) std::ranges::copy(example.label, out.subspan(at).begin());
  }
};

}  // namespace

MadeGenerator label_targets(const TargetSetting&) { return std::make_unique<LabelTargets>(); }

}  // namespace dis
