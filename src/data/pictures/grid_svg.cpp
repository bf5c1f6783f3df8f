// SVG of a scene of grids, and the choice between SVG and PNG.
#include <array>
#include <cstdio>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/xml.h"
#include "grid_layout.h"

namespace dis {
namespace {

// Of the text below, roughly: fonts differ, and no text has anything on its right that it could run into.
constexpr CharacterSize kCharacterBox{8, 20};
constexpr int kFontSize = 14;
constexpr int kBaseline = 15;  // below the top of a line

std::string hex(Rgb colour) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "#%02x%02x%02x", colour.red, colour.green, colour.blue);
  return text.data();
}

std::string number(int value) { return std::to_string(value); }

std::string rectangle(int x, int y, int width, int height, const std::string& attributes) {
  return "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(width) + "\" height=\"" +
         number(height) + "\" " + attributes + "/>\n";
}

/// One path a colour, of a rectangle for every run of it in a row.
std::string cells_svg(const Grid& grid, int cell) {
  std::array<std::string, kColours> paths;
  for (int row = 0; row < grid.rows; ++row) {
    for (int first = 0; first < grid.columns;) {
      int last = first;
      while (last < grid.columns && grid.at(row, last) == grid.at(row, first)) ++last;
      const std::string width = number((last - first) * cell);
      paths[grid.at(row, first)] +=
          "M" + number(first * cell) + " " + number(row * cell) + "h" + width + "v" + number(cell) + "h-" + width + "z";
      first = last;
    }
  }
  std::string svg;
  for (std::size_t colour = 0; colour < paths.size(); ++colour) {
    if (!paths[colour].empty())
      svg += "<path fill=\"" + hex(kGridColours[colour]) + "\" d=\"" + paths[colour] + "\"/>\n";
  }
  return svg;
}

std::string lines_svg(const Grid& grid, int cell) {
  std::string path;
  for (int row = 0; row <= grid.rows; ++row) {
    path += "M0 " + number(row * cell) + "h" + number(grid.columns * cell);
  }
  for (int column = 0; column <= grid.columns; ++column) {
    path += "M" + number(column * cell) + " 0v" + number(grid.rows * cell);
  }
  return "<path fill=\"none\" stroke=\"" + hex(kLineColour) + "\" stroke-width=\"1\" d=\"" + path + "\"/>\n";
}

std::string letters_svg(const PlacedGrid& placed, int cell) {
  if (placed.letters == nullptr || placed.letters->empty() || cell < kCellForLetters) return "";
  std::string svg = "<g text-anchor=\"middle\" fill=\"" + hex(kTextColour) + "\">\n";
  for (int row = 0; row < placed.grid->rows; ++row) {
    for (int column = 0; column < placed.grid->columns; ++column) {
      const char letter = (*placed.letters)[static_cast<std::size_t>(row * placed.grid->columns + column)];
      if (letter == ' ') continue;
      svg += "<text x=\"" + number(column * cell + cell / 2) + "\" y=\"" + number(row * cell + cell / 2 + 5) + "\">" +
             xml_escaped(std::string(1, letter)) + "</text>\n";
    }
  }
  return svg + "</g>\n";
}

std::string grid_svg(const PlacedGrid& placed, int cell) {
  std::string svg;
  if (placed.mark != GridMark::none) {
    const Rgb colour = placed.mark == GridMark::right ? kRightColour : kWrongColour;
    svg += rectangle(placed.x - kFrame, placed.y - kFrame, placed.width + 2 * kFrame, placed.height + 2 * kFrame,
                     "rx=\"2\" fill=\"" + hex(colour) + "\"");
  }
  if (placed.grid == nullptr) {
    return svg + rectangle(placed.x, placed.y, placed.width, placed.height,
                           "fill=\"" + hex(kGroundColour) + "\" stroke=\"" + hex(kLineColour) +
                               "\" stroke-dasharray=\"4 4\"");
  }
  // Half a pixel, so that the lines fill one row of pixels each.
  svg += "<g transform=\"translate(" + number(placed.x) + ".5 " + number(placed.y) +
         ".5)\" shape-rendering=\"crispEdges\">\n";
  return svg + cells_svg(*placed.grid, cell) + lines_svg(*placed.grid, cell) + letters_svg(placed, cell) + "</g>\n";
}

std::string text_svg(const PlacedText& placed) {
  const Rgb colour = placed.mark == GridMark::right   ? kRightColour
                     : placed.mark == GridMark::wrong ? kWrongColour
                                                      : kTextColour;
  return "<text x=\"" + number(placed.x) + "\" y=\"" + number(placed.y + kBaseline) + "\" fill=\"" + hex(colour) +
         "\"" + (placed.bold ? " font-weight=\"bold\"" : "") + ">" + xml_escaped(placed.text) + "</text>\n";
}

}  // namespace

std::string grid_svg(const GridScene& scene) {
  const GridLayout layout = lay_out(scene, kCharacterBox);
  const std::string width = number(layout.width), height = number(layout.height);
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" + height +
                    "\" viewBox=\"0 0 " + width + " " + height +
                    "\" font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"" + number(kFontSize) + "\">\n";
  if (!scene.title.empty()) svg += "<title>" + xml_escaped(clean_text(scene.title)) + "</title>\n";
  svg += rectangle(0, 0, layout.width, layout.height, "rx=\"6\" fill=\"" + hex(kGroundColour) + "\"");
  for (const PlacedGrid& grid : layout.grids) svg += grid_svg(grid, layout.cell);
  for (const PlacedText& text : layout.texts) svg += text_svg(text);
  return svg + "</svg>\n";
}

void check_picture_name(const std::filesystem::path& file) {
  const auto ending = file.extension();
  if (ending == ".svg" || ending == ".png") return;
  throw UserError("cannot write a picture to '" + file.string() + "': expected a name that ends in .svg or .png");
}

void write_grid_picture(const std::filesystem::path& file, const GridScene& scene) {
  check_picture_name(file);
  write_atomically(file, file.extension() == ".svg" ? grid_svg(scene) : grid_png(scene));
}

}  // namespace dis
