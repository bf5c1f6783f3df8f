// N-Queens boards as text for a terminal, one or several side by side.
//
//   Q  a given queen                  q  a queen of the answer
//   x  a queen that attacks another   !  a given queen that the answer has taken away
//   .  an empty cell                  ?  a token that no board has
//
// With colour, cells have the chequered ground of a board and queens are figures (with `unicode`; else the letters);
// wrong cells stand out in red.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dis {

/// One drawing: an answer to some givens, for example after one supervision step.
struct BoardView {
  std::string title;
  std::vector<std::uint8_t> input;   ///< [N N] tokens, the givens
  std::vector<std::int32_t> answer;  ///< [N N] tokens as predicted (any numbers); empty: show the input
};

struct TextStyle {
  bool colour = false;  ///< 24-bit ANSI colours
  bool unicode = true;  ///< with colour: figures that need UTF-8
  int width = 80;       ///< columns of the terminal; boards that do not fit go below
};

/// A drawing line by line, each of `width` columns on the terminal, whatever bytes that takes.
struct TextBlock {
  std::string title;
  std::vector<std::string> lines;
  int width = 0;
};

/// Blocks with the same number of lines, each under its title (no line of titles where none has one); those that do not
/// fit into `columns` go below, after an empty line. No line ends with blanks.
std::string side_by_side(std::span<const TextBlock> blocks, int columns);

/// The letters above, [N N].
std::string board_marks(const BoardView& view, int n);

/// Boards of the same size, each under its title, ending with an end of line. A given queen is never marked x: the
/// queens that attack it are.
std::string board_text(std::span<const BoardView> views, const TextStyle& style);

}  // namespace dis
