// Drawings of grids are read back: the text's cells, the SVG's rectangles, the PNG's pixels.
#include "dis/data/pictures/grid_picture.h"

#include <gtest/gtest.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>
#include <sstream>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"

namespace dis {
namespace {

const std::array<const char*, 10> kPalette{"#000000", "#0074d9", "#ff4136", "#2ecc40", "#ffdc00",
                                           "#aaaaaa", "#f012be", "#ff851b", "#7fdbff", "#870c25"};
constexpr const char* kLine = "#707070";

GridPanel panel(const std::string& title, const std::string& grid) { return {title, grid_from_text(grid)}; }
GridScene scene_of(std::vector<GridPanel> panels) { return {"", {{"", std::move(panels)}}}; }

/// Every colour, in 4 rows of 5.
const std::string kAllColours = "01234/56789/01122/99999";

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

// ------------------------------------------------------------------------------------------------------------- text

TEST(GridText, PanelsStandSideBySideUnderTheirTitles) {
  GridScene scene{"007bbfb7", {{"train[0]", {panel("input", "012/345"), panel("output", "9")}}}};
  scene.rows.push_back({"", {{"", grid_from_text("67"), "two cells"}}});
  EXPECT_EQ(grid_text(scene, {}),
            "007bbfb7\n"
            "\n"
            "train[0]\n"
            "input   output\n"
            "0 1 2   9\n"
            "3 4 5\n"
            "\n"
            "6 7\n"
            "two cells\n");
}

TEST(GridText, CellsShrinkThenPanelsWrapAtTheWidth) {
  const GridScene scene = scene_of({panel("", "01234"), panel("", "56789"), panel("", "00000")});
  EXPECT_EQ(grid_text(scene, {.width = 33}), "0 1 2 3 4   5 6 7 8 9   0 0 0 0 0\n");
  EXPECT_EQ(grid_text(scene, {.width = 32}), "01234   56789   00000\n");
  EXPECT_EQ(grid_text(scene, {.width = 21}), "01234   56789   00000\n");
  EXPECT_EQ(grid_text(scene, {.width = 20}), "01234   56789\n\n00000\n");
  EXPECT_EQ(grid_text(scene, {.width = 1}), "01234\n\n56789\n\n00000\n") << "always at least one";
}

TEST(GridText, UnknownEmptyRightAndWrong) {
  GridScene scene = scene_of({panel("first", "1"), {"second", Grid{}, "3 votes", GridMark::wrong}, {"truth"}});
  scene.rows[0].panels[0].mark = GridMark::right;
  EXPECT_EQ(grid_text(scene, {}),
            "first   second           truth\n"
            "1       (empty)          ?\n"
            "right   wrong, 3 votes\n");
}

/// The cells of coloured text, by the last colours named before them: `ground` for spaces, `ink` for half blocks.
std::vector<std::string> cells_of(const std::string& text, const std::string& kind) {
  std::vector<std::string> cells;
  std::map<std::string, std::string> current;
  for (std::size_t at = 0; at < text.size();) {
    int red = 0, green = 0, blue = 0, used = 0;
    std::array<char, 3> what{};
    if (std::sscanf(text.c_str() + at, "\x1b[%2[0-9];2;%d;%d;%dm%n", what.data(), &red, &green, &blue, &used) == 4) {
      std::array<char, 8> colour{};
      std::snprintf(colour.data(), colour.size(), "#%02x%02x%02x", static_cast<unsigned>(red) & 255U,
                    static_cast<unsigned>(green) & 255U, static_cast<unsigned>(blue) & 255U);
      current[what.data()] = colour.data();
      at += static_cast<std::size_t>(used);
    } else if (text.compare(at, 4, "\x1b[0m") == 0) {
      current.clear();
      at += 4;
    } else if (text.compare(at, 3, "\u2580") == 0) {
      cells.push_back(current[kind]);
      at += 3;
    } else if (text[at] == '\n') {
      ++at;
    } else {
      EXPECT_EQ(text.compare(at, 2, "  "), 0) << "at " << at;
      cells.push_back(current[kind]);
      at += 2;
    }
  }
  return cells;
}

std::vector<std::string> colours(const std::string& digits) {
  std::vector<std::string> result;
  for (const char c : digits) result.emplace_back(c == '-' ? "" : kPalette[static_cast<std::size_t>(c - '0')]);
  return result;
}

TEST(GridText, ColouredCells) {
  const GridScene scene = scene_of({panel("", kAllColours)});
  const std::string large = grid_text(scene, {.colour = true, .width = 10});
  EXPECT_EQ(cells_of(large, "48"), colours("01234567890112299999"));
  EXPECT_EQ(count(large, "\n"), 4);
  const std::string small = grid_text(scene, {.colour = true, .width = 9});
  EXPECT_EQ(cells_of(small, "38"), colours("0123401122"));
  EXPECT_EQ(cells_of(small, "48"), colours("5678999999"));
  EXPECT_EQ(count(small, "\n"), 2);
  for (const std::string& text : {large, small}) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) EXPECT_TRUE(line.ends_with("\x1b[0m")) << "reset";
  }

  const std::string ascii = grid_text(scene, {.colour = true, .unicode = false, .width = 9});
  EXPECT_TRUE(std::ranges::all_of(ascii, [](char c) { return c > 0; })) << ascii;
  EXPECT_EQ(std::ranges::count(ascii, '\n'), std::ranges::count(large, '\n')) << "a line a row";
  EXPECT_LT(std::ranges::count(ascii, ' '), std::ranges::count(large, ' ')) << "a column a cell";
  const std::string odd = grid_text(scene_of({panel("", "00/11/22")}), {.colour = true, .width = 1});
  EXPECT_EQ(cells_of(odd, "38"), colours("0022"));
  EXPECT_EQ(cells_of(odd, "48"), colours("11--")) << "nothing below the last row";
}

TEST(GridText, PlainHasNoEscapesAndNoTextSteersTheTerminal) {
  GridScene scene{"a\x1b[31mb\xc2\x9b", {{"row\n\t", {{"\x7f\xff ok \u00e9", grid_from_text("1"), "\xe2\x28"}}}}};
  scene.rows[0].panels[0].mark = GridMark::wrong;
  const std::string plain = grid_text(scene, {});
  EXPECT_EQ(plain, "a?[31mb??\n\nrow??\n?? ok \u00e9\n1\nwrong, ?(\n");
  EXPECT_EQ(grid_text(scene, {.colour = true}).find("\x1b[31m"), std::string::npos);
  EXPECT_EQ(grid_text({}, {}), "");
}

// -------------------------------------------------------------------------------------------------------------- SVG

/// The grids of an SVG, from the rectangles in their paths.
std::vector<Grid> grids_in(const std::string& svg, int cell) {
  std::vector<Grid> grids;
  for (auto group = svg.find("<g "); group != std::string::npos; group = svg.find("<g ", group + 1)) {
    std::map<std::pair<int, int>, std::uint8_t> cells;
    const auto end = svg.find("</g>", group);
    for (auto path = svg.find("<path fill=\"#", group); path < end; path = svg.find("<path fill=\"#", path + 1)) {
      const std::string colour = svg.substr(path + 12, 7);
      const auto number = std::find(kPalette.begin(), kPalette.end(), colour) - kPalette.begin();
      EXPECT_LT(number, 10) << colour;
      std::istringstream steps(svg.substr(svg.find("d=\"", path) + 3));
      int x = 0, y = 0, width = 0, height = 0, back = 0;
      char m = 0, h = 0, v = 0, b = 0, z = 0;
      while (steps >> m && m == 'M' && steps >> x >> y >> h >> width >> v >> height >> b >> back >> z) {
        EXPECT_EQ(std::string({h, v, b, z}), "hvhz");
        EXPECT_EQ(height, cell);
        EXPECT_EQ(back, -width);
        for (int i = 0; i < width / cell; ++i) {
          EXPECT_TRUE(cells.emplace(std::pair(y / cell, x / cell + i), static_cast<std::uint8_t>(number)).second);
        }
      }
    }
    Grid grid;
    for (const auto& [place, colour] : cells) {
      grid.rows = std::max(grid.rows, place.first + 1);
      grid.columns = std::max(grid.columns, place.second + 1);
      grid.cells.push_back(colour);
    }
    grids.push_back(grid);
  }
  return grids;
}

TEST(GridSvg, CellsHaveTheirColoursAndPlaces) {
  const std::string largest = to_text({30, 30, std::vector<std::uint8_t>(900, 3)});
  EXPECT_EQ(grids_in(grid_svg(scene_of({panel("", kAllColours), panel("", "5")})), 28),
            (std::vector{grid_from_text(kAllColours), grid_from_text("5")}));
  EXPECT_EQ(grids_in(grid_svg(scene_of({panel("", largest), panel("", "123")})), 12),
            (std::vector{grid_from_text(largest), grid_from_text("123")}));
}

TEST(GridSvg, TextsAreEscapedAndWellFormed) {
  GridScene scene{"<\"t\"&\x01>", {{"row \xff", {{"in]]>", grid_from_text("1"), "caption \u00e9"}, {"out"}}}}};
  scene.rows[0].panels[0].mark = GridMark::right;
  const std::string svg = grid_svg(scene);
  EXPECT_TRUE(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"")) << svg;
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_EQ(count(svg, ">&lt;&quot;t&quot;&amp;?&gt;<"), 2) << "title and heading";
  EXPECT_EQ(count(svg, ">row ?<"), 1);
  EXPECT_EQ(count(svg, ">in]]&gt;<"), 1);
  EXPECT_EQ(count(svg, ">right, caption \u00e9<"), 1);
  EXPECT_EQ(count(svg, ">?<"), 1) << "the unknown grid";
  // Tags open and close in turn.
  std::vector<std::string> open;
  for (std::size_t at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
    const std::string tag = svg.substr(at + 1, svg.find('>', at) - at - 1);
    ASSERT_EQ(tag.find('<'), std::string::npos) << tag;
    if (tag[0] == '/') {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ(tag.substr(1), open.back());
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
  }
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(svg.find("href"), std::string::npos) << "self-contained";
}

// -------------------------------------------------------------------------------------------------------------- PNG

struct Image {
  int width, height;
  std::vector<std::uint8_t> pixels;  // [height, width, 3]
  std::string at(int x, int y) const {
    const auto first = static_cast<std::size_t>((y * width + x) * 3);
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "#%02x%02x%02x", pixels[first], pixels[first + 1], pixels[first + 2]);
    return text.data();
  }
};

Image decoded(const std::string& png) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_memory(&image, png.data(), png.size()), 0);
  image.format = PNG_FORMAT_RGB;
  Image result{static_cast<int>(image.width), static_cast<int>(image.height),
               std::vector<std::uint8_t>(PNG_IMAGE_SIZE(image))};
  EXPECT_NE(png_image_finish_read(&image, nullptr, result.pixels.data(), 0, nullptr), 0);
  return result;
}

TEST(GridPng, CellsHaveTheirColoursAndPlaces) {
  for (const std::string& text : {kAllColours, to_text({30, 30, std::vector<std::uint8_t>(900, 8)})}) {
    const Grid grid = grid_from_text(text);
    const Image image = decoded(grid_png(scene_of({{"", grid}})));
    const std::string ground = image.at(0, 0);
    int first = 0;  // pixel of the grid
    while (first < image.width * image.height && image.at(first % image.width, first / image.width) == ground) ++first;
    const int left = first % image.width, top = first / image.width;
    ASSERT_LT(top, image.height);
    int cell = 1;
    while (image.at(left + cell, top + 1) != kLine) ++cell;
    EXPECT_EQ(cell, grid.rows == 30 ? 12 : 28);
    for (int row = 0; row < grid.rows; ++row) {
      for (int column = 0; column < grid.columns; ++column) {
        const int x = left + column * cell, y = top + row * cell;
        const char* colour = kPalette[grid.at(row, column)];
        EXPECT_EQ(image.at(x, y), kLine);
        EXPECT_EQ(image.at(x + 1, y + 1), colour);
        EXPECT_EQ(image.at(x + cell - 1, y + cell - 1), colour);
      }
    }
    const int right = left + grid.columns * cell, bottom = top + grid.rows * cell;
    EXPECT_EQ(image.at(right, bottom), kLine);
    EXPECT_EQ(image.at(right + 1, bottom), ground);
    EXPECT_EQ(image.at(right, bottom + 1), ground);
    EXPECT_EQ(image.width - right, left + 1) << "the same margin on both sides";
  }
}

TEST(GridPng, TheSameLayoutAsTheSvg) {
  const GridScene scene = scene_of(std::vector(9, panel("", to_text({20, 20, std::vector<std::uint8_t>(400, 1)}))));
  const Image image = decoded(grid_png(scene));
  const std::string svg = grid_svg(scene);
  EXPECT_NE(svg.find("width=\"" + std::to_string(image.width) + "\" height=\"" + std::to_string(image.height) + "\""),
            std::string::npos);
  EXPECT_LE(image.width, 1432) << "panels go below";
  EXPECT_GT(image.height, 3 * 360);
}

TEST(GridPng, EveryCharacterHasItsGlyph) {
  const auto pixels_of = [](const std::string& title) {
    const auto pixels = decoded(grid_png({title, {}})).pixels;
    return std::string(pixels.begin(), pixels.end());
  };
  std::set<std::string> images;
  for (char c = ' '; c <= '~'; ++c) images.insert(pixels_of(std::string("x") + c));
  EXPECT_EQ(images.size(), 95U);
  EXPECT_TRUE(images.contains(pixels_of("x\u00e9"))) << "others are '?'";
}

TEST(GridPng, MarksAreFrames) {
  const auto frame = [](GridMark mark) {
    const Image image = decoded(grid_png(scene_of({{"", grid_from_text("0"), "", mark}})));
    return image.at(14, 20);
  };
  EXPECT_EQ(frame(GridMark::right), "#1a7f37");
  EXPECT_EQ(frame(GridMark::wrong), "#c62828");
  EXPECT_EQ(frame(GridMark::none), "#fafaf8");
}

TEST(GridPng, TooLargeAScene) {
  const std::vector<GridRow> rows(20000, {"", {{"", Grid{30, 30, std::vector<std::uint8_t>(900, 0)}}}});
  EXPECT_TRUE(contains(user_error_of([&] { grid_png({"", rows}); }), "pixels is too large for PNG"));
}

TEST(GridPicture, TheEndingDecides) {
  const TemporaryFolder folder;
  const GridScene scene = scene_of({panel("", "123")});
  write_grid_picture(folder / "a.svg", scene);
  EXPECT_EQ(read_text(folder / "a.svg"), grid_svg(scene));
  write_grid_picture(folder / "a.png", scene);
  EXPECT_EQ(read_text(folder / "a.png"), grid_png(scene));
  EXPECT_TRUE(contains(user_error_of([&] { write_grid_picture(folder / "a.gif", scene); }),
                       "a.gif': expected a name that ends in .svg or .png"));
  EXPECT_TRUE(contains(user_error_of([&] { write_grid_picture(folder / "none/a.png", scene); }), "cannot write"));
  EXPECT_EQ(folder.count(), 2);
}

}  // namespace
}  // namespace dis
