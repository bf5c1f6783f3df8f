// A few shapes of SVG, for plots.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace dis {

/// Eight colours of series are told apart by the classes c0..c7 (strokes) and t0..t7 (texts).
inline constexpr int kSeriesColours = 8;

class Svg {
 public:
  Svg(double width, double height) : width_(width), height_(height) {}

  void line(double x1, double y1, double x2, double y2, const std::string& style);
  void circle(double x, double y, double radius, const std::string& style);
  /// `colour` counts the series; `dashed` for those that are not measured.
  void polyline(const std::vector<std::pair<double, double>>& points, int colour, bool dashed = false);
  void text(double x, double y, const std::string& content, const std::string& anchor = "start", int colour = -1);

  /// A file of its own, with style sheet and a white ground.
  std::string document() const;
  /// An element of a page that has the classes of plot_style(); `title` is what a screen reader says.
  std::string element(const std::string& title) const;

 private:
  std::string opening() const;

  double width_, height_;
  std::string body_;
};

/// The style sheet of the classes that Svg uses, for light grounds.
std::string plot_style();

}  // namespace dis
