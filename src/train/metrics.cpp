#include "dis/train/metrics.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace dis {

double BatchMetrics::mean_loss() const {
  return std::accumulate(loss.begin(), loss.end(), 0.0) / static_cast<double>(loss.size());
}

BatchMetrics summarise(const TickRecords& records, std::int64_t N) {
  const auto size = static_cast<std::size_t>(N);
  std::vector<double> loss(size), exact(size), correct(size), cells(size), lanes(size);
  for (std::size_t i = 0; i < records.step.size(); ++i) {
    const auto s = static_cast<std::size_t>(records.step[i] - 1);
    lanes[s] += 1.0;
    loss[s] += records.loss[i];
    exact[s] += records.correct[i] == records.cells[i] ? 1.0 : 0.0;
    correct[s] += records.correct[i];
    cells[s] += records.cells[i];
  }
  for (std::size_t s = 0; s < size; ++s) {  // 0 / 0 is the NaN that is promised
    loss[s] /= lanes[s];
    exact[s] /= lanes[s];
    correct[s] /= cells[s];
  }
  return {loss, exact, correct};
}

std::optional<std::string> find_non_finite(const TickRecords& records) {
  const auto lanes = static_cast<std::size_t>(records.lanes);
  for (std::size_t tick = 0; tick * lanes < records.loss.size(); ++tick) {
    std::string bad;
    std::size_t count = 0, first = 0;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      if (std::isfinite(records.loss[tick * lanes + lane])) continue;
      if (count == 0) first = tick * lanes + lane;
      if (++count <= 8) bad += (bad.empty() ? "" : ", ") + std::to_string(lane);
    }
    if (count == 0) continue;
    return "supervision step " + std::to_string(records.step[first]) + ", " + (count == 1 ? "lane " : "lanes ") + bad +
           (count > 8 ? " and " + std::to_string(count - 8) + " more" : "");
  }
  return std::nullopt;
}

Json metrics_record(const BatchMetrics& metrics, const BatchCounters& counters) {
  const auto list = [](const std::vector<double>& values) {
    Json json = Json::array();
    for (const double value : values) json.push_back(number_or_text(value));
    return json;
  };
  return {{"step", counters.updates},
          {"batch", counters.batches},
          {"samples", counters.samples},
          {"loss", number_or_text(metrics.mean_loss())},
          {"loss_per_step", list(metrics.loss)},
          {"exact", number_or_text(metrics.exact.back())},
          {"exact_per_step", list(metrics.exact)},
          {"correct_per_step", list(metrics.correct)},
          {"lr", counters.lr},
          {"samples_per_s", counters.samples_per_s},
          {"seconds", counters.seconds}};
}

}  // namespace dis
