#include "dis/report/report.h"

#include <cstdio>
#include <cstring>

#include "dis/core/error.h"
#include "page_style.h"
#include "sections.h"

namespace dis {
namespace {

std::string title_of(const std::vector<RunData>& runs) {
  std::string names;
  for (const auto& run : runs) names += (names.empty() ? "" : ", ") + run.name;
  return names;
}

std::vector<HtmlSection> sections_of(const std::vector<RunData>& runs) {
  return {overview_section(runs), configuration_section(runs), training_section(runs),
          scores_section(runs),   analysis_section(runs),      examples_section(runs)};
}

/// Sections of all runs. UserError: results of a run that lack what they should have; it names the run.
std::vector<HtmlSection> checked_sections(const std::vector<RunData>& runs) {
  try {
    return sections_of(runs);
  } catch (const Json::exception&) {
    for (const auto& run : runs) {
      try {
        sections_of({run});
      } catch (const Json::exception& error) {
        throw UserError("a result in '" + run.path + "' is not what this version writes (" + error.what() +
                        "): run `dis eval` and `dis analyze` again");
      }
    }
    throw;
  }
}

/// The script of a page that is written again and again.
std::string follow_script(int seconds) {
  std::vector<char> text(std::strlen(kFollowScript) + 32);
  std::snprintf(text.data(), text.size(), kFollowScript, seconds);
  return text.data();
}

}  // namespace

std::string report_html(const std::vector<RunData>& runs, int refresh_s) {
  const auto sections = checked_sections(runs);
  const auto title = xml_escaped(title_of(runs));
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n<title>" +
      title + " - dis report</title>\n<style>" + plot_style() + kPageStyle +
      "</style></head>\n<body><a class=\"skip\" href=\"#main\">Skip to the content</a>\n<header><h1>" + title +
      "</h1>\n";
  if (refresh_s > 0) {
    html += "<p>Loaded again every " + std::to_string(refresh_s) +
            " s while the run goes on. <button id=\"pause\">Pause</button></p>\n";
  }
  html += "<nav aria-label=\"Sections\"><ul>";
  for (const auto& section : sections) {
    html += "<li><a href=\"#section-" + section.id + "\">" + xml_escaped(section.title) + "</a></li>";
  }
  html += "</ul></nav></header>\n<main id=\"main\">\n";
  for (const auto& section : sections) {
    html += "<section aria-labelledby=\"section-" + section.id + "\"><h2 id=\"section-" + section.id + "\">" +
            xml_escaped(section.title) + "</h2>\n" + section.content + "</section>\n";
  }
  return html + "</main>\n<script>" + kPageScript + (refresh_s > 0 ? ";" + follow_script(refresh_s) : "") +
         "</script></body></html>\n";
}

}  // namespace dis
