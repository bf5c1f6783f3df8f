// Lines over a common pair of axes, with a legend.
#pragma once

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "dis/report/svg.h"

namespace dis {

struct PlotSeries {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< in the order of x; those with a NaN are left out
  int colour = 0;
  bool dashed = false;
  bool dots = false;  ///< no line, a dot for each point
};

struct LinePlot {
  std::string title;
  std::string x_label;
  std::vector<PlotSeries> series;
  /// The y axis shows at least this much.
  double lowest = std::numeric_limits<double>::infinity();
  double highest = -std::numeric_limits<double>::infinity();
  bool zero_line = false;  ///< marks y = 0
  bool log_x = false;      ///< x > 0 on a logarithmic axis
};

/// The drawing; without any point it has axes alone. `titled`: with the title in it.
Svg draw(const LinePlot& plot, bool titled = true);

/// A short text for a number on an axis or in a table: four significant digits, whole numbers up to a million as they
/// are.
std::string short_number(double value);

}  // namespace dis
