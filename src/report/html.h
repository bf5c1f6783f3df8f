// The pieces that the sections of a report are made of.
#pragma once

#include <string>
#include <vector>

#include "dis/core/json.h"
#include "dis/core/xml.h"
#include "dis/report/line_plot.h"

namespace dis {

/// A cell of a table. A number is shown shortened and kept whole in the attribute data-value, so that a program can
/// read the page.
struct HtmlCell {
  std::string text;
  std::string value = {};

  HtmlCell(std::string content) : text(std::move(content)) {}  // NOLINT: a cell is made of a text
  HtmlCell(const char* content) : text(content) {}             // NOLINT
  HtmlCell(double number);                                     // NOLINT
  HtmlCell(std::int64_t number);                               // NOLINT
  /// A rate {"value", "lower", "upper"}: "0.435 [0.368, 0.504]"; its value is data-value. Empty for null.
  static HtmlCell rate(const Json& json);
};

/// A table with a caption; the first cell of each row is its heading.
struct HtmlTable {
  std::string id;  ///< of the element
  std::string caption;
  std::vector<std::string> head;
  std::vector<std::vector<HtmlCell>> rows;
};
/// `region`: a place of its own for the keyboard and screen readers, so that a wide one can be scrolled.
std::string to_html(const HtmlTable& table, bool region = true);

/// The drawing, and its numbers as a table to open.
std::string figure(const LinePlot& plot, const std::string& id);

std::string paragraph(const std::string& text);
std::string warning(const std::string& text);

/// Text that opens: `content` is HTML. `hidden` ends the summary for screen readers alone.
std::string details(const std::string& summary, const std::string& content, bool open = false,
                    const std::string& hidden = {});

/// A section of the page with its heading, and for the list of sections.
struct HtmlSection {
  std::string id, title, content;
};

}  // namespace dis
