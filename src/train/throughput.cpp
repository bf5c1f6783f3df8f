#include "dis/train/throughput.h"

#include <utility>

namespace dis {

Throughput::Throughput(double flops_per_batch, double peak_flops_per_s, std::function<double()> clock)
    : flops_per_batch_(flops_per_batch), peak_(peak_flops_per_s), clock_(std::move(clock)), begun_(clock_()) {}

void Throughput::batch(std::int64_t samples) {
  samples_ += samples;
  ++batches_;
}

Rates Throughput::interval() {
  const double now = clock_(), seconds = now - begun_;
  const double flops = flops_per_batch_ * static_cast<double>(batches_) / seconds;
  const Rates rates{static_cast<double>(samples_) / seconds, flops / 1e12, flops / peak_};
  begun_ = now;
  samples_ = batches_ = 0;
  return rates;
}

}  // namespace dis
