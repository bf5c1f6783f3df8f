#include "dis/report/svg.h"

#include <cstdio>

#include "dis/core/xml.h"

namespace dis {
namespace {

std::string number(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f", value);
  return buffer;
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

std::string colour_class(const char* kind, int colour) { return kind + std::to_string(colour % kSeriesColours); }

}  // namespace

std::string plot_style() {
  return "svg.plot text{font:13px system-ui,sans-serif;fill:#222}.grid{stroke:#ddd}.interval{stroke:#2166ac;"
         "stroke-width:2}.point{fill:#2166ac}.base{fill:#b2182b}.reference{stroke:#b2182b;stroke-dasharray:4 3}"
         ".axis{stroke:#888}svg.plot polyline{fill:none;stroke-width:2}.dashed{stroke-dasharray:5 4}"
         ".c0{stroke:#2166ac}.c1{stroke:#b2182b}.c2{stroke:#1b7837}.c3{stroke:#762a83}.c4{stroke:#e08214}"
         ".c5{stroke:#35978f}.c6{stroke:#c51b7d}.c7{stroke:#666}svg.plot .t0{fill:#2166ac}svg.plot .t1{fill:#b2182b}"
         "svg.plot .t2{fill:#1b7837}svg.plot .t3{fill:#762a83}svg.plot .t4{fill:#b35806}svg.plot .t5{fill:#01665e}"
         "svg.plot .t6{fill:#c51b7d}svg.plot .t7{fill:#444}";
}

void Svg::line(double x1, double y1, double x2, double y2, const std::string& style) {
  body_ += "<line" + attribute("class", style) + attribute("x1", number(x1)) + attribute("y1", number(y1)) +
           attribute("x2", number(x2)) + attribute("y2", number(y2)) + "/>\n";
}

void Svg::circle(double x, double y, double radius, const std::string& style) {
  body_ += "<circle" + attribute("class", style) + attribute("cx", number(x)) + attribute("cy", number(y)) +
           attribute("r", number(radius)) + "/>\n";
}

void Svg::polyline(const std::vector<std::pair<double, double>>& points, int colour, bool dashed) {
  std::string list;
  for (const auto& [x, y] : points) list += (list.empty() ? "" : " ") + number(x) + "," + number(y);
  body_ += "<polyline" + attribute("class", colour_class("c", colour) + (dashed ? " dashed" : "")) +
           attribute("points", list) + "/>\n";
}

void Svg::text(double x, double y, const std::string& content, const std::string& anchor, int colour) {
  body_ += "<text" + attribute("x", number(x)) + attribute("y", number(y)) + attribute("text-anchor", anchor);
  if (colour >= 0) body_ += attribute("class", colour_class("t", colour));
  body_ += ">" + xml_escaped(content) + "</text>\n";
}

std::string Svg::opening() const {
  return "<svg" + attribute("class", "plot") + attribute("viewBox", "0 0 " + number(width_) + " " + number(height_)) +
         attribute("role", "img");
}

std::string Svg::document() const {
  return opening() + attribute("xmlns", "http://www.w3.org/2000/svg") + attribute("width", number(width_)) +
         attribute("height", number(height_)) + ">\n<style>" + plot_style() +
         "</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n" + body_ + "</svg>\n";
}

std::string Svg::element(const std::string& title) const {
  return opening() + attribute("aria-label", xml_escaped(title)) + ">\n" + body_ + "</svg>\n";
}

}  // namespace dis
