// Targets `trajectory`: frames that were made elsewhere.
#include <algorithm>

#include "dis/core/error.h"
#include "generators.h"

namespace dis {
namespace {

class TrajectoryTargets : public TargetGenerator {
 public:
  explicit TrajectoryTargets(const TargetSetting& setting)
      : N_(setting.method.num_supervision), trajectories_(setting.trajectories) {
    ensure(trajectories_ != nullptr, "TrajectoryTargets", "trajectories");
  }

  void frames(Draws, const ExampleView& example, const TrainingStream& stream,
              std::span<std::int32_t> out) const override {
    const std::size_t length = example.label.size();
    std::ranges::copy(example.input, out.begin());
    for (std::int64_t s = 1; s <= N_; ++s) {
      const auto frame = out.subspan(static_cast<std::size_t>(s) * length, length);
      const auto found = trajectories_->at_step(example.origin.item, s, N_);
      std::ranges::copy(found.empty() ? example.label : found, frame.begin());
      if (!found.empty()) stream.augment(example.origin, frame);  // the label is augmented already
    }
  }

 private:
  std::int64_t N_;
  std::shared_ptr<const Trajectories> trajectories_;
};

}  // namespace

MadeGenerator trajectory_targets(const TargetSetting& setting) { return std::make_unique<TrajectoryTargets>(setting); }

}  // namespace dis
