#include "svg.h"

#include <cstdio>

namespace dis {
namespace {

std::string number(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f", value);
  return buffer;
}

std::string escaped(const std::string& content) {
  std::string result;
  for (const char c : content) {
    if (c == '<') {
      result += "&lt;";
    } else if (c == '&') {
      result += "&amp;";
    } else {
      result += c;
    }
  }
  return result;
}

/// `name="value"`, with a space in front.
std::string attribute(const char* name, const std::string& value) {
  std::string result = " ";
  result += name;
  result += "=\"";
  result += value;
  result += '"';
  return result;
}

}  // namespace

Svg::Svg(double width, double height) {
  body_ = "<svg xmlns=\"http://www.w3.org/2000/svg\"";
  body_ += attribute("viewBox", "0 0 " + number(width) + " " + number(height));
  body_ += attribute("width", number(width)) + attribute("height", number(height)) + attribute("role", "img") + ">\n";
  body_ +=
      "<style>text{font:13px system-ui,sans-serif;fill:#222}.grid{stroke:#ddd}.interval{stroke:#2166ac;stroke-width:2}"
      ".point{fill:#2166ac}.base{fill:#b2182b}.reference{stroke:#b2182b;stroke-dasharray:4 3}.axis{stroke:#888}"
      "polyline{fill:none;stroke-width:2}.c0{stroke:#2166ac}.c1{stroke:#b2182b}.c2{stroke:#1b7837}.c3{stroke:#762a83}"
      ".c4{stroke:#e08214}.c5{stroke:#35978f}.c6{stroke:#c51b7d}.c7{stroke:#666}"
      ".t0{fill:#2166ac}.t1{fill:#b2182b}.t2{fill:#1b7837}.t3{fill:#762a83}.t4{fill:#b35806}.t5{fill:#01665e}"
      ".t6{fill:#c51b7d}.t7{fill:#444}</style>\n";
  body_ += "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
}

void Svg::line(double x1, double y1, double x2, double y2, const std::string& style) {
  body_ += "<line" + attribute("class", style) + attribute("x1", number(x1)) + attribute("y1", number(y1)) +
           attribute("x2", number(x2)) + attribute("y2", number(y2)) + "/>\n";
}

void Svg::circle(double x, double y, double radius, const std::string& style) {
  body_ += "<circle" + attribute("class", style) + attribute("cx", number(x)) + attribute("cy", number(y)) +
           attribute("r", number(radius)) + "/>\n";
}

void Svg::polyline(const std::vector<std::pair<double, double>>& points, int colour) {
  std::string list;
  for (const auto& [x, y] : points) list += number(x) + "," + number(y) + " ";
  body_ += "<polyline" + attribute("class", "c" + std::to_string(colour % 8)) + attribute("points", list) + "/>\n";
}

void Svg::text(double x, double y, const std::string& content, const std::string& anchor, int colour) {
  body_ += "<text" + attribute("x", number(x)) + attribute("y", number(y)) + attribute("text-anchor", anchor);
  if (colour >= 0) body_ += attribute("class", "t" + std::to_string(colour % 8));
  body_ += ">" + escaped(content) + "</text>\n";
}

std::string Svg::finish() { return std::move(body_) + "</svg>\n"; }

}  // namespace dis
