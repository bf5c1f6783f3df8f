#include "dis/report/scaling_figure.h"

#include <algorithm>

namespace dis {
namespace {

double any_of(const Json& point) {
  return point.at("pass_at").at(point.at("rollouts").dump()).at("value").get<double>();
}

std::int64_t largest_of(const Json& scaling, const char* what) {
  std::int64_t largest = 0;
  for (const auto& point : scaling.at("points")) largest = std::max(largest, point.at(what).get<std::int64_t>());
  return largest;
}

/// The points at which `fixed` is largest, against their passes.
LinePlot scaling_plot(const Json& scaling, const std::string& title, const char* fixed) {
  LinePlot plot{title, "passes per row", {}};
  plot.log_x = true;
  const auto most = largest_of(scaling, fixed);
  const auto add = [&](const std::string& name, bool dashed, auto value) {
    PlotSeries series{name, {}, static_cast<int>(plot.series.size()), dashed};
    for (const auto& point : scaling.at("points")) {
      if (point.at(fixed).get<std::int64_t>() != most) continue;
      series.points.emplace_back(point.at("passes_per_row").get<double>(), value(point));
    }
    if (series.points.size() > 1) plot.series.push_back(std::move(series));
  };
  add("any", true, any_of);
  for (const auto& [name, rate] : scaling.at("points").front().at("selectors").items()) {
    if (name == "last") continue;  // a single rollout, as the mean is
    const auto key = name;
    add(name, false,
        [&](const Json& point) { return point.at("selectors").at(key).at("value").template get<double>(); });
  }
  add("mean", true, [](const Json& point) { return point.at("mean").get<double>(); });
  return plot;
}

}  // namespace

LinePlot scaling_by_rollouts(const Json& scaling, const std::string& title) {
  return scaling_plot(scaling, title, "steps");
}

LinePlot scaling_by_steps(const Json& scaling, const std::string& title) {
  return scaling_plot(scaling, title, "rollouts");
}

}  // namespace dis
