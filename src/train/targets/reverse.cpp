// Targets `reverse`: from the input to the label, the differing cells taking turns from the last to the first.
#include "generators.h"

namespace dis {
namespace {

class ReverseTargets : public TargetGenerator {
 public:
  explicit ReverseTargets(const MethodConfig& method) : N_(method.num_supervision) {}

  void frames(Draws, const ExampleView& example, const TrainingStream&, std::span<std::int32_t> out) const override {
    std::vector<double> turns(example.input.size());  // [L], the last cell first
    for (std::size_t cell = 0; cell < turns.size(); ++cell) turns[cell] = -static_cast<double>(cell);
    path_frames(example.input, example.label, turns, N_, PathCells::labelled, out);
  }

 private:
  std::int64_t N_;
};

}  // namespace

MadeGenerator reverse_targets(const TargetSetting& setting) { return std::make_unique<ReverseTargets>(setting.method); }

}  // namespace dis
