#include "dis/report/report.h"

#include "page_style.h"
#include "sections.h"

namespace dis {
namespace {

std::string title_of(const std::vector<RunData>& runs) {
  std::string names;
  for (const auto& run : runs) names += (names.empty() ? "" : ", ") + run.name;
  return names;
}

}  // namespace

std::string report_html(const std::vector<RunData>& runs, int refresh_s) {
  const HtmlSection sections[] = {overview_section(runs), configuration_section(runs), training_section(runs),
                                  scores_section(runs),   analysis_section(runs),      examples_section(runs)};
  const auto title = xml_escaped(title_of(runs));
  const bool boards = !runs.empty() && runs.front().config.data.kind == DataKind::nqueens;
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n";
  if (refresh_s > 0) html += "<meta http-equiv=\"refresh\" content=\"" + std::to_string(refresh_s) + "\">\n";
  html += "<title>" + title + " - dis report</title>\n<style>" + plot_style() + kPageStyle + "</style></head>\n<body" +
          (boards ? " class=\"boards\"" : "") +
          "><a class=\"skip\" href=\"#main\">Skip to the content</a>\n<header><h1>" + title +
          "</h1>\n<nav aria-label=\"Sections\"><ul>";
  for (const auto& section : sections) {
    html += "<li><a href=\"#section-" + section.id + "\">" + xml_escaped(section.title) + "</a></li>";
  }
  html += "</ul></nav></header>\n<main id=\"main\">\n";
  for (const auto& section : sections) {
    html += "<section aria-labelledby=\"section-" + section.id + "\"><h2 id=\"section-" + section.id + "\">" +
            xml_escaped(section.title) + "</h2>\n" + section.content + "</section>\n";
  }
  return html + "</main>\n<script>" + kPageScript + "</script></body></html>\n";
}

}  // namespace dis
