#include "html.h"

#include <charconv>
#include <cmath>
#include <map>

namespace dis {
namespace {

/// The shortest text that reads back as the same number.
std::string whole_number(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

}  // namespace

HtmlCell::HtmlCell(double number)
    : text(short_number(number)), value(std::isnan(number) ? std::string() : whole_number(number)) {}

HtmlCell::HtmlCell(std::int64_t number) : text(std::to_string(number)), value(text) {}

HtmlCell HtmlCell::rate(const Json& json) {
  if (json.is_null()) return {""};
  char buffer[64];
  const auto number = [&](const char* key) { return json.at(key).get<double>(); };
  std::snprintf(buffer, sizeof buffer, "%.3f [%.3f, %.3f]", number("value"), number("lower"), number("upper"));
  HtmlCell cell(buffer);
  cell.value = whole_number(number("value"));
  return cell;
}

std::string to_html(const HtmlTable& table, bool region) {
  const auto caption = xml_escaped(table.caption);
  std::string html = "<div class=\"scroll\"";
  if (region) html += " tabindex=\"0\" role=\"region\" aria-label=\"" + caption + "\"";
  html += "><table id=\"" + table.id + "\"><caption>" + caption + "</caption>\n<thead><tr>";
  for (const auto& head : table.head) html += "<th scope=\"col\">" + xml_escaped(head) + "</th>";
  html += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto& cell = row[i];
      html += i == 0 ? "<th scope=\"row\"" : "<td";
      if (!cell.value.empty()) html += " data-value=\"" + cell.value + "\"";
      html += ">" + xml_escaped(cell.text) + (i == 0 ? "</th>" : "</td>");
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string figure(const LinePlot& plot, const std::string& id) {
  HtmlTable numbers{id, plot.title, {plot.x_label}, {}};
  std::map<double, std::vector<HtmlCell>> rows;
  for (const auto& series : plot.series) {
    for (const auto& [x, y] : series.points) {
      if (!std::isnan(y)) rows.try_emplace(x, std::vector<HtmlCell>(plot.series.size() + 1, HtmlCell("")));
    }
  }
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    numbers.head.push_back(plot.series[i].name);
    for (const auto& [x, y] : plot.series[i].points) {
      if (!std::isnan(y)) rows.at(x)[i + 1] = HtmlCell(y);
    }
  }
  for (auto& [x, cells] : rows) {
    cells[0] = HtmlCell(x);
    numbers.rows.push_back(std::move(cells));
  }
  return "<figure>\n<figcaption>" + xml_escaped(plot.title) + "</figcaption>\n" +
         draw(plot, false).element(plot.title) +
         details("Numbers", to_html(numbers, false), false, " of: " + plot.title) + "</figure>\n";
}

std::string paragraph(const std::string& text) { return "<p>" + xml_escaped(text) + "</p>\n"; }

std::string warning(const std::string& text) { return "<p class=\"warning\">" + xml_escaped(text) + "</p>\n"; }

std::string details(const std::string& summary, const std::string& content, bool open, const std::string& hidden) {
  std::string html = open ? "<details open><summary>" : "<details><summary>";
  html += xml_escaped(summary);
  if (!hidden.empty()) html += "<span class=\"hidden\">" + xml_escaped(hidden) + "</span>";
  return html + "</summary>\n" + content + "</details>\n";
}

}  // namespace dis
