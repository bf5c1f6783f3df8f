// PNG of a scene of grids: an image of 16 colours, through libpng's simplified interface.
#include <png.h>

#include <algorithm>
#include <array>

#include "dis/core/error.h"
#include "grid_layout.h"
#include "pixel_font.h"

namespace dis {
namespace {

constexpr int kScale = 2;  // pixels a side for a pixel of the font
constexpr CharacterSize kCharacter{(kGlyphWidth + 1) * kScale, (kGlyphHeight + 3) * kScale};
constexpr std::int64_t kMostPixels = 1LL << 26LL;  // 64 MiB

// The palette: the grids' colours, then these.
enum Paint : std::uint8_t { ground = kColours, line, ink, right, wrong, paints };
constexpr std::array<Rgb, paints - kColours> kOtherColours{kGroundColour, kLineColour, kTextColour, kRightColour,
                                                           kWrongColour};

std::uint8_t paint_of(GridMark mark) {
  if (mark == GridMark::none) return ink;
  return mark == GridMark::right ? right : wrong;
}

class Canvas {
 public:
  Canvas(int width, int height)
      : width_(width),
        height_(height),
        pixels_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), ground) {}

  /// What lies outside is left out.
  void fill(int x, int y, int width, int height, std::uint8_t paint) {
    const int left = std::clamp(x, 0, width_), past = std::clamp(x + width, left, width_);
    for (int row = std::max(y, 0); row < std::min(y + height, height_); ++row) {
      const auto start = pixels_.begin() + std::ptrdiff_t{row} * width_;
      std::fill(start + left, start + past, paint);
    }
  }

  const std::uint8_t* pixels() const { return pixels_.data(); }

 private:
  int width_, height_;
  std::vector<std::uint8_t> pixels_;
};

void draw(Canvas& canvas, const PlacedText& placed) {
  int x = placed.x;
  for (const char character : placed.text) {
    if ((static_cast<unsigned char>(character) & 0xC0U) == 0x80U) continue;  // the rest of a character
    const Glyph& glyph = glyph_of(character);
    for (int row = 0; row < kGlyphHeight; ++row) {
      for (int column = 0; column < kGlyphWidth; ++column) {
        const unsigned bit = 1U << static_cast<unsigned>(kGlyphWidth - 1 - column);
        if ((glyph[static_cast<std::size_t>(row)] & bit) == 0) continue;
        canvas.fill(x + column * kScale, placed.y + (row + 1 + drop_of(character)) * kScale,
                    kScale + (placed.bold ? 1 : 0), kScale, paint_of(placed.mark));
      }
    }
    x += kCharacter.width;
  }
}

void draw(Canvas& canvas, const PlacedGrid& placed, int cell) {
  if (placed.mark != GridMark::none) {
    canvas.fill(placed.x - kFrame, placed.y - kFrame, placed.width + 2 * kFrame, placed.height + 2 * kFrame,
                paint_of(placed.mark));
  }
  canvas.fill(placed.x, placed.y, placed.width, placed.height, line);
  if (placed.grid == nullptr) {
    canvas.fill(placed.x + 1, placed.y + 1, placed.width - 2, placed.height - 2, ground);
    return;
  }
  for (int row = 0; row < placed.grid->rows; ++row) {
    for (int column = 0; column < placed.grid->columns; ++column) {
      canvas.fill(placed.x + column * cell + 1, placed.y + row * cell + 1, cell - 1, cell - 1,
                  placed.grid->at(row, column));
      if (placed.letters == nullptr || placed.letters->empty() || cell < kCellForLetters) continue;
      const char letter = (*placed.letters)[static_cast<std::size_t>(row * placed.grid->columns + column)];
      if (letter == ' ') continue;
      draw(canvas, {placed.x + column * cell + (cell - kGlyphWidth * kScale) / 2,
                    placed.y + row * cell + (cell - (kGlyphHeight + 2) * kScale) / 2, std::string(1, letter)});
    }
  }
}

std::string encoded(const Canvas& canvas, int width, int height) {
  std::vector<std::uint8_t> palette;
  const auto append = [&](const auto& colours) {
    for (const Rgb colour : colours) palette.insert(palette.end(), {colour.red, colour.green, colour.blue});
  };
  append(kGridColours);
  append(kOtherColours);

  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGB_COLORMAP;
  image.colormap_entries = paints;
  // Room for any image of this size, so that it is compressed once.
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string png(bytes, '\0');
  if (png_image_write_to_memory(&image, png.data(), &bytes, 0, canvas.pixels(), 0, palette.data()) == 0) {
    throw std::runtime_error(std::string("libpng: ") + static_cast<const char*>(image.message));
  }
  png.resize(bytes);
  return png;
}

}  // namespace

std::string grid_png(const GridScene& scene) {
  const GridLayout layout = lay_out(scene, kCharacter);
  if (std::int64_t{layout.width} * layout.height > kMostPixels) {
    throw UserError("a picture of " + std::to_string(layout.width) + " x " + std::to_string(layout.height) +
                    " pixels is too large for PNG; write SVG, or fewer grids");
  }
  Canvas canvas(layout.width, layout.height);
  for (const PlacedGrid& grid : layout.grids) draw(canvas, grid, layout.cell);
  for (const PlacedText& text : layout.texts) draw(canvas, text);
  return encoded(canvas, layout.width, layout.height);
}

}  // namespace dis
