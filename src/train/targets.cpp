#include "dis/train/targets.h"

#include <algorithm>
#include <stdexcept>

#include "dis/core/error.h"
#include "targets/generators.h"

namespace dis {

void TargetGenerator::frames(Draws, const ExampleView&, const TrainingStream&, std::span<std::int32_t>) const {
  throw std::logic_error("[TargetGenerator::frames] this rule asks the network");
}

at::Tensor TargetGenerator::frame(const NetworkView&, const at::Tensor&) const {
  throw std::logic_error("[TargetGenerator::frame] this rule does not ask the network");
}

TargetBuilder::TargetBuilder(const MethodConfig& method, const DataShape& shape,
                             std::shared_ptr<const Trajectories> trajectories)
    : shape_(shape), N_(method.num_supervision) {
  ensure(shape.vocabulary >= 2 && shape.length >= 1, "TargetBuilder", "a token beside the pad, and cells");
  const auto* entry = std::ranges::find(kTargetGenerators, method.targets, [](const auto& row) { return row.first; });
  ensure(entry != std::end(kTargetGenerators), "TargetBuilder", "a generator in the table");
  generator_ = entry->second({method, shape, std::move(trajectories)});
}

std::int64_t TargetBuilder::vocabulary() const { return shape_.vocabulary + (mask_token() ? 1 : 0); }

TargetSource TargetBuilder::source(std::uint64_t seed, const TrainingStream& stream) const {
  if (generator_->asks_network()) return {{}, generator_.get()};
  return {[this, seed, &stream](std::uint64_t first, const Batch& batch) {
            return batch_frames(seed, first, batch, stream);
          },
          nullptr};
}

void TargetBuilder::frames(std::uint64_t seed, std::uint64_t position, const ExampleView& example,
                           const TrainingStream& stream, std::span<std::int32_t> out) const {
  const auto length = static_cast<std::size_t>(shape_.length);
  ensure(example.input.size() == length && example.label.size() == length &&
             out.size() == static_cast<std::size_t>(N_ + 1) * length,
         "TargetBuilder::frames", "input and label [L], frames [N+1, L]");
  generator_->frames(Draws(seed, Purpose::targets, 0, position), example, stream, out);
  if (generator_->teaches_unlabelled_cells()) return;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (example.label[i % length] == kIgnore) out[i] = kIgnore;
  }
}

std::vector<std::int32_t> TargetBuilder::batch_frames(std::uint64_t seed, std::uint64_t first, const Batch& batch,
                                                      const TrainingStream& stream) const {
  const auto length = static_cast<std::size_t>(shape_.length);
  const auto lanes = static_cast<std::size_t>(batch.lanes);
  const std::size_t size = (static_cast<std::size_t>(N_) + 1) * length;
  ensure(batch.length == shape_.length, "TargetBuilder::batch_frames", "examples of the data's length");
  std::vector<std::int32_t> out(lanes * size);
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    const ExampleView example{std::span(batch.inputs).subspan(lane * length, length),
                              std::span(batch.labels).subspan(lane * length, length), batch.origins[lane]};
    frames(seed, first + lane, example, stream, std::span(out).subspan(lane * size, size));
  }
  return out;
}

}  // namespace dis
