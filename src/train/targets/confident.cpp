// Targets `confident`: the differing cells take the label's token in the order in which the network is sure of them.
#include <ATen/ATen.h>

#include <limits>

#include "generators.h"

namespace dis {
namespace {

class ConfidentTargets : public TargetGenerator {
 public:
  explicit ConfidentTargets(const MethodConfig& method) : N_(method.num_supervision) {}

  bool asks_network() const override { return true; }

  /// The input with the label at floor(s d / N) of the d differing cells, those of the highest log-probability; ties by
  /// cell.
  at::Tensor frame(const NetworkView& network, const at::Tensor& s) const override {
    const auto labelled = network.labels >= 0;
    const auto differing = labelled & (network.labels != network.inputs);                      // [B, L]
    const auto shown = (s * differing.sum(-1)).div(N_, "floor").unsqueeze(-1);                 // [B, 1]
    const auto certainty = network.label_log_p.masked_fill(differing.logical_not(), kNever);   // [B, L]
    const auto order = std::get<1>(certainty.sort(/*stable=*/true, -1, /*descending=*/true));  // [B, L] cells
    const auto rank = at::empty_like(order).scatter_(
        1, order, at::arange(order.size(1), order.options()).expand_as(order));  // [B, L]
    const auto frame = at::where(differing & (rank < shown), network.labels, network.inputs);
    return frame.masked_fill(labelled.logical_not(), kIgnore);
  }

 private:
  static constexpr double kNever = -std::numeric_limits<double>::infinity();
  std::int64_t N_;
};

}  // namespace

MadeGenerator confident_targets(const TargetSetting& setting) {
  return std::make_unique<ConfidentTargets>(setting.method);
}

}  // namespace dis
