// Pictures of grids: a scene of panels, drawn in the terminal, as SVG or as PNG.
//
// A scene says what is to be seen, not where: rows of panels, each with a title above its grid and a caption below. A
// demonstration is a row "input", "output"; a solution a row with the answer after each supervision step. Sizes,
// colours and line breaks are the drawings' affair. Colours are those that ARC's grids are commonly shown in.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dis/data/boards/board_text.h"
#include "dis/data/pictures/grid.h"

namespace dis {

enum class GridMark { none, right, wrong };

struct GridPanel {
  std::string title;
  std::optional<Grid> grid = {};  ///< none: not known, drawn as "?"; 0 x 0: drawn as "empty"
  std::string caption = {};
  GridMark mark = GridMark::none;  ///< a frame, and "right" or "wrong" before the caption
  std::string letters = {};        ///< [cells] of pictures: what stands in each cell, blank for nothing; empty: nothing
};

struct GridRow {
  std::string title;  ///< above its panels; may be empty
  std::vector<GridPanel> panels;
};

struct GridScene {
  std::string title;  ///< may be empty
  std::vector<GridRow> rows;
};

/// For a terminal. With colour: cells are pairs of spaces on 24-bit grounds where the row's panels fit side by side in
/// style.width, half blocks, a quarter of the area, where they do not. Without: digits, with gaps between them where
/// that fits. Panels that still do not fit go below. Each line ends with an end of line; text of the scene that could
/// steer a terminal is replaced.
std::string grid_text(const GridScene& scene, const TextStyle& style);

/// A self-contained SVG document with a light ground of its own; texts are text elements.
std::string grid_svg(const GridScene& scene);

/// The bytes of a PNG file of the same drawing. Texts are in a built-in font of 5 x 7 pixels that has the printable
/// ASCII characters; others become '?'. UserError for a scene of more than 2^26 pixels.
std::string grid_png(const GridScene& scene);

/// UserError unless it ends in .svg or .png.
void check_picture_name(const std::filesystem::path& file);
/// Writes `file` as SVG or PNG, by its ending. UserError for another ending.
void write_grid_picture(const std::filesystem::path& file, const GridScene& scene);

}  // namespace dis
