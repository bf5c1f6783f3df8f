#include "grid_layout.h"

#include <algorithm>
#include <cstdlib>

namespace dis {
namespace {

constexpr int kMargin = 16;
constexpr int kPanelGap = 24;
constexpr int kWidest = 1400;  // a row of panels that is wider breaks
constexpr int kLargestCell = 28;
constexpr int kLargestPanel = 360;  // where cells get smaller, down to
constexpr int kSmallestCell = 8;
constexpr int kPlaceholderCells = 3;
constexpr std::size_t kLongestText = 160;

int cell_size(const GridScene& scene) {
  int longest = 1;
  for (const GridRow& row : scene.rows) {
    for (const GridPanel& panel : row.panels) {
      if (panel.grid) longest = std::max({longest, panel.grid->rows, panel.grid->columns});
    }
  }
  return std::clamp(kLargestPanel / longest, kSmallestCell, kLargestCell);
}

/// Bytes of the character at `text[at]`, 0 where it is no valid UTF-8 or a control character.
std::size_t character_at(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= ' ' && first != 0x7F ? 1 : 0;
  if (first >= 0xC2 && first < 0xE0 && follows(1)) return first == 0xC2 && byte(1) < 0xA0 ? 0 : 2;
  if (first >= 0xE0 && first < 0xF0 && follows(1) && follows(2)) {
    const unsigned code = (first & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
    const bool character = code >= 0x800 && (code < 0xD800 || code > 0xDFFF) && code < 0xFFFE;
    return character ? 3 : 0;
  }
  if (first >= 0xF0 && first < 0xF5 && follows(1) && follows(2) && follows(3)) {
    const unsigned code = (first & 0x07U) << 18U | (byte(1) & 0x3FU) << 12U;
    return code >= 0x10000 && code <= 0x10FFFF ? 4 : 0;
  }
  return 0;
}

class Builder {
 public:
  Builder(const GridScene& scene, CharacterSize character) : character_(character) {
    layout_.cell = cell_size(scene);
    if (!scene.title.empty()) {
      write(kMargin, y_, clean_text(scene.title), true);
      y_ += character.height * 3 / 2;
    }
    for (const GridRow& row : scene.rows) add_row(row);
    layout_.width += kMargin;
    layout_.height = std::max(y_, kMargin + character.height) + kMargin - (scene.rows.empty() ? 0 : kRowGap);
  }
  GridLayout take() { return std::move(layout_); }

 private:
  static constexpr int kRowGap = 14;
  static constexpr int kTextGap = 4;  // between a grid, with a mark's frame, and a text

  void write(int x, int y, const std::string& text, bool bold = false, GridMark mark = GridMark::none) {
    if (text.empty()) return;
    layout_.texts.push_back({x, y, text, bold, mark});
    layout_.width = std::max(layout_.width, x + length_of(text) * character_.width);
  }

  int pixels(int cells) const { return cells * layout_.cell + 1; }
  int grid_width(const GridPanel& panel) const {
    const std::string text = placeholder_of(panel);
    if (text.empty()) return pixels(panel.grid->columns);
    return std::max(pixels(kPlaceholderCells), (length_of(text) + 2) * character_.width);
  }
  int grid_height(const GridPanel& panel) const {
    return pixels(placeholder_of(panel).empty() ? panel.grid->rows : kPlaceholderCells);
  }
  int panel_width(const GridPanel& panel) const {
    const int longest = std::max(length_of(clean_text(panel.title)), length_of(caption_of(panel)));
    return std::max(grid_width(panel), longest * character_.width);
  }

  void add_row(const GridRow& row) {
    if (!row.title.empty()) {
      write(kMargin, y_, clean_text(row.title), true);
      y_ += character_.height;
    }
    for (std::size_t first = 0; first < row.panels.size();) {
      std::size_t last = first;
      int width = 0;
      do {
        width += panel_width(row.panels[last++]) + kPanelGap;
      } while (last < row.panels.size() && width + panel_width(row.panels[last]) <= kWidest);
      add_line(std::span(row.panels).subspan(first, last - first));
      first = last;
    }
    y_ += kRowGap / 2;
  }

  /// Panels side by side: titles, grids and captions.
  void add_line(std::span<const GridPanel> panels) {
    const bool titled =
        std::any_of(panels.begin(), panels.end(), [](const auto& panel) { return !panel.title.empty(); });
    const int top = y_ + (titled ? character_.height + kTextGap : 0);
    int x = kMargin, bottom = top;
    for (const GridPanel& panel : panels) {
      write(x, y_, clean_text(panel.title));
      bottom = std::max(bottom, add_panel(panel, x, top));
      x += panel_width(panel) + kPanelGap;
    }
    y_ = bottom + kRowGap / 2;
  }

  /// The grid and its caption; returns where they end.
  int add_panel(const GridPanel& panel, int x, int y) {
    const int width = grid_width(panel), height = grid_height(panel);
    const std::string text = placeholder_of(panel);
    layout_.grids.push_back({x, y, width, height, text.empty() ? &*panel.grid : nullptr, panel.mark, &panel.letters});
    layout_.width = std::max(layout_.width, x + width);
    write(x + (width - length_of(text) * character_.width) / 2, y + (height - character_.height) / 2, text);
    const std::string caption = caption_of(panel);
    if (caption.empty()) return y + height;
    write(x, y + height + kTextGap, caption, false, panel.mark);
    return y + height + kTextGap + character_.height;
  }

  CharacterSize character_;
  GridLayout layout_;
  int y_ = kMargin;
};

}  // namespace

GridLayout lay_out(const GridScene& scene, CharacterSize character) { return Builder(scene, character).take(); }

std::string clean_text(const std::string& text) {
  std::string clean;
  for (std::size_t at = 0; at < text.size();) {
    if (clean.size() >= kLongestText) return clean + "...";
    const std::size_t bytes = character_at(text, at);
    clean += bytes > 0 ? text.substr(at, bytes) : "?";
    at += std::max<std::size_t>(bytes, 1);
  }
  return clean;
}

int length_of(const std::string& text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string caption_of(const GridPanel& panel) {
  const std::string caption = clean_text(panel.caption);
  if (panel.mark == GridMark::none) return caption;
  return (panel.mark == GridMark::right ? "right" : "wrong") + (caption.empty() ? "" : ", " + caption);
}

std::string placeholder_of(const GridPanel& panel) {
  if (!panel.grid) return "?";
  return panel.grid->cells.empty() ? "empty" : "";
}

}  // namespace dis
