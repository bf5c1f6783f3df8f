#include "dis/train/training_loop.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "dis/train/halting.h"
#include "dis/train/supervision.h"

namespace dis {

TickRecords gather(const Ranks& ranks, const TickRecords& own) {
  if (ranks.size() == 1) return own;
  const auto ticks = std::ssize(own.loss) / own.lanes;
  // The lanes come first in what is gathered, the ticks in the records.
  const auto all = [&]<class T>(const std::vector<T>& values, at::ScalarType type) {
    if (values.empty()) return values;
    auto tensor = at::empty({ticks, own.lanes}, type);
    std::copy(values.begin(), values.end(), tensor.template data_ptr<T>());
    const auto joined = ranks.gather(tensor.t().contiguous()).t().contiguous();
    return std::vector<T>(joined.template data_ptr<T>(), joined.template data_ptr<T>() + joined.numel());
  };
  return {own.lanes * ranks.size(),           all(own.step, at::kInt),      all(own.loss, at::kDouble),
          all(own.correct, at::kInt),         all(own.cells, at::kInt),     all(own.halted, at::kInt),
          all(own.halting_loss, at::kDouble), all(own.q_halt, at::kDouble), all(own.q_continue, at::kDouble)};
}

std::unique_ptr<TrainingLoop> make_training_loop(const RunConfig& config, const Ranks& ranks,
                                                 const TrainingStream& stream, FrameSource frames, Backbone& model,
                                                 Optimiser& optimiser) {
  if (config.method.algorithm == Algorithm::dis) {
    return std::make_unique<SupervisionLoop>(config, ranks, stream, std::move(frames), model, optimiser);
  }
  return std::make_unique<HaltingLoop>(config, ranks, stream, model, optimiser);
}

}  // namespace dis
