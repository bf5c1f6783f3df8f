// A few shapes of SVG, for plots. Colours suit light and dark pages.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace dis {

class Svg {
 public:
  Svg(double width, double height);

  void line(double x1, double y1, double x2, double y2, const std::string& style);
  void circle(double x, double y, double radius, const std::string& style);
  /// `colour` is one of the eight of Svg::series.
  void polyline(const std::vector<std::pair<double, double>>& points, int colour);
  void text(double x, double y, const std::string& content, const std::string& anchor = "start", int colour = -1);
  std::string finish();

 private:
  std::string body_;
};

}  // namespace dis
