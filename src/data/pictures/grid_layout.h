// Where the parts of a scene of grids stand in a picture; SVG and PNG draw the same layout.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "dis/data/pictures/grid_picture.h"

namespace dis {

struct Rgb {
  std::uint8_t red, green, blue;
};

/// The colours 0 to 9 as ARC's grids are commonly shown.
inline constexpr std::array<Rgb, kColours> kGridColours{{{0x00, 0x00, 0x00},
                                                         {0x00, 0x74, 0xD9},
                                                         {0xFF, 0x41, 0x36},
                                                         {0x2E, 0xCC, 0x40},
                                                         {0xFF, 0xDC, 0x00},
                                                         {0xAA, 0xAA, 0xAA},
                                                         {0xF0, 0x12, 0xBE},
                                                         {0xFF, 0x85, 0x1B},
                                                         {0x7F, 0xDB, 0xFF},
                                                         {0x87, 0x0C, 0x25}}};
inline constexpr Rgb kGroundColour{0xFA, 0xFA, 0xF8};
inline constexpr Rgb kLineColour{0x70, 0x70, 0x70};
inline constexpr Rgb kTextColour{0x22, 0x22, 0x22};
inline constexpr Rgb kRightColour{0x1A, 0x7F, 0x37};
inline constexpr Rgb kWrongColour{0xC6, 0x28, 0x28};

inline constexpr int kFrame = 4;  ///< width of a mark's frame, in pixels

/// Everything in pixels; places are top left corners.
struct PlacedText {
  int x, y;
  std::string text;  ///< cleaned
  bool bold = false;
  GridMark mark = GridMark::none;  ///< of a caption: its colour
};
struct PlacedGrid {
  int x, y, width, height;  ///< from the first to the last line, both included
  const Grid* grid;         ///< null: only its frame, with a text inside
  GridMark mark;
  const std::string* letters;  ///< [cells]; null or empty: none
};
inline constexpr int kCellForLetters = 16;  ///< smaller cells have no room for them
struct GridLayout {
  int width = 0, height = 0;
  int cell = 0;  ///< from line to line
  std::vector<PlacedText> texts;
  std::vector<PlacedGrid> grids;
};

struct CharacterSize {
  int width, height;
};
/// Panels stand side by side and go below where they do not fit. The scene must outlive the layout.
GridLayout lay_out(const GridScene& scene, CharacterSize character);

/// The text as valid UTF-8 without control characters: '?' stands for what is neither; long text is cut.
std::string clean_text(const std::string& text);
/// Characters of clean text.
int length_of(const std::string& text);

/// "right", "wrong" or nothing, and the caption; cleaned.
std::string caption_of(const GridPanel& panel);
/// What stands in place of the grid; empty: the grid has cells.
std::string placeholder_of(const GridPanel& panel);

}  // namespace dis
