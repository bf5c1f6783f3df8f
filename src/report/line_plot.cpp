#include "dis/report/line_plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace dis {
namespace {

/// Round numbers that cover a range: 1, 2 or 5 times a power of ten apart.
struct Ticks {
  double first = 0.0, step = 1.0;
  int count = 1;
  double last() const { return first + step * (count - 1); }
};

Ticks ticks(double low, double high) {
  // What differs by rounding alone is constant.
  if (!(high - low > 1e-9 * std::max(std::abs(low), std::abs(high)))) high = low + (low == 0.0 ? 1.0 : std::abs(low));
  const double rough = (high - low) / 5.0, power = std::pow(10.0, std::floor(std::log10(rough)));
  const double share = rough / power;
  const double step = power * (share <= 1.0 ? 1.0 : share <= 2.0 ? 2.0 : share <= 5.0 ? 5.0 : 10.0);
  const double first = std::floor(low / step + 1e-9) * step;
  return {first, step, static_cast<int>(std::ceil((high - first) / step - 1e-9)) + 1};
}

/// The x axis: its ends (of a logarithmic one as powers of ten), and the numbers that are written.
struct Axis {
  double low, high;
  std::vector<double> marks;
};

Axis linear_axis(double low, double high) {
  const auto t = ticks(low, high);
  Axis axis{t.first, t.last(), {}};
  for (int i = 0; i < t.count; ++i) axis.marks.push_back(t.first + t.step * i);
  return axis;
}

/// 1, 2, 5, 10, 20, ... as far as they lie within the range.
Axis decades(double low, double high) {
  Axis axis{std::log10(low), std::log10(high), {}};
  if (axis.high - axis.low < 0.1) axis.high = axis.low + 0.1;
  const int first = static_cast<int>(std::floor(axis.low)), last = static_cast<int>(std::floor(axis.high));
  for (int power = first; power <= last; ++power) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double mark = digit * std::pow(10.0, power), at = std::log10(mark);
      if (at > axis.low - 1e-9 && at < axis.high + 1e-9) axis.marks.push_back(mark);
    }
  }
  return axis;
}

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

std::string dot_style(int colour) { return "f" + std::to_string(colour % kSeriesColours); }

bool finite(const std::pair<double, double>& point) {
  return std::isfinite(point.first) && std::isfinite(point.second);
}

constexpr double kPlotLeft = 76, kPlotWidth = 520, kPlotHeight = 240, kLegendLine = 18;

/// Where the axes stand on the drawing.
struct PlotFrame {
  double top;
  Ticks y_ticks;
  Axis x_axis;
  bool log_x;
  double bottom() const { return top + kPlotHeight; }
  double right() const { return kPlotLeft + kPlotWidth; }
  double x_of(double x) const {
    const double at = log_x ? std::log10(x) : x;
    return kPlotLeft + kPlotWidth * (at - x_axis.low) / (x_axis.high - x_axis.low);
  }
  double y_of(double y) const {
    return top + kPlotHeight * (1.0 - (y - y_ticks.first) / (y_ticks.last() - y_ticks.first));
  }
};

PlotFrame frame_of(const LinePlot& plot, double top) {
  Range xs, ys;
  for (const auto& series : plot.series) {
    for (const auto& point : series.points) {
      if (!finite(point)) continue;
      xs.include(point.first);
      ys.include(point.second);
    }
  }
  if (xs.empty()) xs = {plot.log_x ? 1.0 : 0.0, 10.0};
  if (plot.lowest <= plot.highest) {
    ys.include(plot.lowest);
    ys.include(plot.highest);
  }
  if (ys.empty()) ys = {0.0, 1.0};
  return {top, ticks(ys.low, ys.high), plot.log_x ? decades(xs.low, xs.high) : linear_axis(xs.low, xs.high),
          plot.log_x};
}

void draw_axes(Svg& svg, const LinePlot& plot, const PlotFrame& frame) {
  const auto& y_ticks = frame.y_ticks;
  for (int i = 0; i < y_ticks.count; ++i) {
    const double y = y_ticks.first + y_ticks.step * i;
    svg.line(kPlotLeft, frame.y_of(y), frame.right(), frame.y_of(y), "grid");
    svg.text(kPlotLeft - 8, frame.y_of(y) + 4, short_number(y), "end");
  }
  for (const double x : frame.x_axis.marks) svg.text(frame.x_of(x), frame.bottom() + 18, short_number(x), "middle");
  if (plot.zero_line && y_ticks.first < 0.0 && y_ticks.last() > 0.0) {
    svg.line(kPlotLeft, frame.y_of(0.0), frame.right(), frame.y_of(0.0), "axis");
  }
  svg.text(frame.right(), frame.bottom() + 36, plot.x_label, "end");
}

void draw_points(Svg& svg, const PlotSeries& series, const PlotFrame& frame) {
  std::vector<std::pair<double, double>> points;
  for (const auto& point : series.points) {
    if (finite(point)) points.emplace_back(frame.x_of(point.first), frame.y_of(point.second));
  }
  if (series.dots || points.size() == 1) {
    for (const auto& [x, y] : points) svg.circle(x, y, 4, dot_style(series.colour));
  } else if (!points.empty()) {
    svg.polyline(points, series.colour, series.dashed);
  }
}

/// As many columns as the longest name allows, at 9 units a character: enough for the larger letters of small screens.
std::size_t legend_columns(const LinePlot& plot) {
  std::size_t longest = 1;
  for (const auto& series : plot.series) longest = std::max(longest, series.name.size());
  return static_cast<std::size_t>(std::clamp(kPlotWidth / (36.0 + 9.0 * static_cast<double>(longest)), 1.0, 3.0));
}

/// The entry of a series in the legend, at the left end of its line of text.
void draw_name(Svg& svg, const PlotSeries& series, double x, double y) {
  if (series.dots) {
    svg.circle(x + 9, y - 4, 4, dot_style(series.colour));
  } else {
    svg.polyline({{x, y - 4}, {x + 18, y - 4}}, series.colour, series.dashed);
  }
  svg.text(x + 24, y, series.name, "start", series.colour);
}

}  // namespace

std::string short_number(double value) {
  if (std::isnan(value)) return "";
  char buffer[32];
  const bool whole = std::abs(value) < 1e7 && std::abs(value - std::round(value)) < 1e-9 * std::abs(value);
  std::snprintf(buffer, sizeof buffer, whole ? "%.0f" : "%.4g", std::abs(value) < 1e-12 ? 0.0 : value);
  return buffer;
}

Svg draw(const LinePlot& plot, bool titled) {
  const auto frame = frame_of(plot, titled ? 34 : 12);
  const auto columns = legend_columns(plot);
  const auto legend_rows = (plot.series.size() + columns - 1) / columns;
  Svg svg(frame.right() + 34, frame.bottom() + 50 + kLegendLine * static_cast<double>(legend_rows));
  if (titled) svg.text(kPlotLeft, 18, plot.title);
  draw_axes(svg, plot, frame);
  std::size_t number = 0;
  for (const auto& series : plot.series) {
    draw_points(svg, series, frame);
    draw_name(svg, series,
              kPlotLeft + kPlotWidth / static_cast<double>(columns) * static_cast<double>(number % columns),
              frame.bottom() + 54 + kLegendLine * static_cast<double>(number / columns));
    ++number;
  }
  return svg;
}

}  // namespace dis
