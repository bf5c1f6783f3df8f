#include "dis/train/metrics.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace dis {

std::int64_t HaltingMetrics::samples() const { return std::accumulate(ended.begin(), ended.end(), std::int64_t{0}); }

double HaltingMetrics::mean_steps() const {
  double steps = 0.0;
  for (std::size_t s = 0; s < ended.size(); ++s) steps += static_cast<double>(ended[s]) * static_cast<double>(s + 1);
  return steps / static_cast<double>(samples());
}

double BatchMetrics::final_exact() const { return halting ? halting->exact : exact.back(); }

double BatchMetrics::mean_loss() const {
  if (halting) return halting->label_loss;
  return std::accumulate(loss.begin(), loss.end(), 0.0) / static_cast<double>(loss.size());
}

namespace {

HaltingMetrics summarise_halting(const TickRecords& records, std::size_t N) {
  HaltingMetrics metrics;
  metrics.ended.resize(N);
  double exact = 0.0, agree = 0.0;
  const auto count = static_cast<double>(records.step.size());
  for (std::size_t i = 0; i < records.step.size(); ++i) {
    const bool solved = records.correct[i] == records.cells[i];
    agree += (records.q_halt[i] > 0.0) == solved ? 1.0 : 0.0;
    metrics.loss += records.halting_loss[i] / count;
    metrics.label_loss += records.loss[i] / count;
    if (records.halted[i] == 0) continue;
    ++metrics.ended[static_cast<std::size_t>(records.step[i] - 1)];
    exact += solved ? 1.0 : 0.0;
  }
  metrics.agreement = agree / count;
  metrics.exact = exact / static_cast<double>(metrics.samples());
  return metrics;
}

}  // namespace

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
  BatchMetrics metrics{loss, exact, correct};
  if (records.halting()) metrics.halting = summarise_halting(records, size);
  return metrics;
}

std::optional<std::string> find_non_finite(const TickRecords& records) {
  const auto lanes = static_cast<std::size_t>(records.lanes);
  for (std::size_t tick = 0; tick * lanes < records.loss.size(); ++tick) {
    std::string bad;
    std::size_t count = 0, first = 0;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const auto at = tick * lanes + lane;
      if (std::isfinite(records.loss[at]) && (!records.halting() || std::isfinite(records.halting_loss[at]))) continue;
      if (count == 0) first = tick * lanes + lane;
      if (++count <= 8) bad += (bad.empty() ? "" : ", ") + std::to_string(lane);
    }
    if (count == 0) continue;
    return "supervision step " + std::to_string(records.step[first]) + ", " + (count == 1 ? "lane " : "lanes ") + bad +
           (count > 8 ? " and " + std::to_string(count - 8) + " more" : "");
  }
  return std::nullopt;
}

Json metrics_record(const BatchMetrics& metrics, const BatchCounters& counters, const Expense& expense) {
  const auto list = [](const std::vector<double>& values) {
    Json json = Json::array();
    for (const double value : values) json.push_back(number_or_text(value));
    return json;
  };
  Json json = {{"step", counters.updates},
               {"batch", counters.batches},
               {"samples", counters.samples},
               {"loss", number_or_text(metrics.mean_loss())},
               {"loss_per_step", list(metrics.loss)},
               {"exact", number_or_text(metrics.final_exact())},
               {"exact_per_step", list(metrics.exact)},
               {"correct_per_step", list(metrics.correct)}};
  if (const auto& halting = metrics.halting) {
    json["halting"] = {{"samples", halting->samples()},
                       {"mean_steps", number_or_text(halting->mean_steps())},
                       {"ended", halting->ended},
                       {"loss", number_or_text(halting->loss)},
                       {"agreement", number_or_text(halting->agreement)}};
  }
  json["lr"] = counters.lr;
  json["samples_per_s"] = expense.rates.samples_per_s;
  json["tflops_per_s"] = expense.rates.tflops_per_s;
  json["peak_share"] = expense.rates.peak_share;
  json["peak_memory_mb"] = expense.peak_memory_mb;
  json["seconds"] = expense.seconds;
  return json;
}

}  // namespace dis
