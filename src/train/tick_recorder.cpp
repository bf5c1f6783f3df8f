#include "tick_recorder.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace dis {

TickRecorder::TickRecorder(std::int64_t ticks, std::int64_t lanes, const LaneTensors& now)
    : halting_(now.halted.defined()) {
  reals_ = at::empty({halting_ ? 4 : 1, ticks, lanes}, now.loss.options());
  counts_ = at::empty({halting_ ? 4 : 3, ticks, lanes}, now.correct.options());
}

void TickRecorder::add(std::int64_t tick, const LaneTensors& now) {
  std::vector<at::Tensor> counts = {now.steps, now.correct, (now.labels >= 0).sum(-1)};
  std::vector<at::Tensor> reals = {now.loss};
  if (halting_) {
    counts.push_back(now.halted);
    reals.insert(reals.end(), {now.halting_loss, now.q.select(1, 0), now.q.select(1, 1)});
  }
  for (std::size_t i = 0; i < counts.size(); ++i) counts_[static_cast<std::int64_t>(i)][tick].copy_(counts[i]);
  for (std::size_t i = 0; i < reals.size(); ++i) reals_[static_cast<std::int64_t>(i)][tick].copy_(reals[i]);
}

TickRecords TickRecorder::records() const {
  const auto reals = reals_.cpu(), counts = counts_.cpu();
  const auto list = [&]<class T>(const at::Tensor& all, std::int64_t which, T) {
    const auto one = all[which];
    return std::vector<T>(one.data_ptr<T>(), one.data_ptr<T>() + one.numel());
  };
  TickRecords records;
  records.lanes = counts_.size(2);
  records.step = list(counts, 0, std::int32_t{});
  records.correct = list(counts, 1, std::int32_t{});
  records.cells = list(counts, 2, std::int32_t{});
  records.loss = list(reals, 0, double{});
  if (!halting_) return records;
  records.halted = list(counts, 3, std::int32_t{});
  records.halting_loss = list(reals, 1, double{});
  records.q_halt = list(reals, 2, double{});
  records.q_continue = list(reals, 3, double{});
  return records;
}

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

}  // namespace dis
