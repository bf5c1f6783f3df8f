// How fast a run goes, interval by interval: a mean since the start would show a slowdown hours late.
#pragma once

#include <cstdint>
#include <functional>

#include "dis/core/clock.h"

namespace dis {

struct Rates {
  double samples_per_s = 0.0;
  double tflops_per_s = 0.0;  ///< 10^12 floating-point operations, counted as dis train --dry-run does
  double peak_share = 0.0;    ///< of the rate that the plan takes for the devices' peak
};

class Throughput {
 public:
  /// `flops_per_batch` of all ranks; `peak_flops_per_s` of all their devices; `clock` in seconds.
  Throughput(double flops_per_batch, double peak_flops_per_s, std::function<double()> clock = steady_seconds);

  /// A batch is done, with which so many samples ended.
  void batch(std::int64_t samples);

  /// Runs something that is no training, and keeps its time out of the rates.
  template <class Work>
  auto without(const Work& work) {
    struct Pause {
      Throughput& owner;
      double begun;
      ~Pause() { owner.begun_ += owner.clock_() - begun; }
    };
    const Pause pause{*this, clock_()};
    return work();
  }

  /// Rates since the last call, or since the start. At least one batch is done in between.
  Rates interval();

 private:
  double flops_per_batch_, peak_;
  std::function<double()> clock_;
  double begun_;
  std::int64_t samples_ = 0, batches_ = 0;
};

}  // namespace dis
