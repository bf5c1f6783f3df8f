// Mazes: alphabet, symmetries, rules, drawing.
#include <algorithm>
#include <cmath>

#include "dis/core/error.h"
#include "dis/data/arrays/puzzle_rules.h"
#include "dis/data/puzzles/puzzle_family.h"
#include "dis/data/symmetry.h"

namespace dis {
namespace {

constexpr std::string_view kMazeCharacters = "# SGo";
constexpr std::size_t kLargestMaze = 100;  // rows

int side_of_maze(std::size_t length) { return static_cast<int>(std::lround(std::sqrt(static_cast<double>(length)))); }

/// '?' for what is no token.
char maze_character(std::int32_t token) {
  const bool known = token >= 1 && token <= std::ssize(kMazeCharacters);
  return known ? kMazeCharacters[static_cast<std::size_t>(token - 1)] : '?';
}

/// A cell in two columns.
std::string maze_cell(std::int32_t token, bool wrong, const TextStyle& style) {
  const char character = maze_character(token);
  if (!style.colour) return {character, wrong ? '!' : ' '};
  const char* const grounds[] = {"90;90;90", "235;235;235", "40;160;70", "200;60;50", "90;150;235"};
  const std::string ground = wrong || character == '?' ? "230;130;20" : grounds[token - 1];
  return "\x1b[48;2;" + ground + "m" +
         (token == kMazeStart || token == kMazeGoal ? std::string{character, ' '} : "  ") + "\x1b[0m";
}

/// Whether the answer has changed a cell that no path may.
bool changed(const DrawnExample& example, std::size_t cell) {
  if (example.answer.empty() || example.answer[cell] == example.input[cell]) return false;
  return example.answer[cell] != kMazePath || example.input[cell] != kMazeOpen;
}

class MazeFamily : public PuzzleFamily {
 public:
  std::string name() const override { return "maze"; }
  std::string sizes() const override { return "a square number, as 900, of at most 10,000"; }
  bool has_size(std::size_t length) const override {
    const auto side = static_cast<std::size_t>(side_of_maze(length));
    return side >= 2 && side <= kLargestMaze && side * side == length;
  }
  std::int64_t vocabulary(std::size_t) const override { return std::ssize(kMazeCharacters) + 1; }
  std::optional<std::uint8_t> token(char character, bool answer, std::size_t) const override {
    const auto place = kMazeCharacters.find(character);
    if (place == std::string_view::npos || (!answer && character == 'o')) return std::nullopt;
    return static_cast<std::uint8_t>(place + 1);
  }
  char character(std::int32_t token, std::size_t) const override { return maze_character(token); }
  std::string alphabet(bool answer, std::size_t) const override {
    return std::string("# (wall), blank (open), S, G") + (answer ? " and o (path)" : "");
  }

  std::uint8_t open_token() const override { return kMazeOpen; }

  void apply(std::uint64_t symmetry, std::span<const std::int32_t> from, std::span<std::int32_t> to) const override {
    const int side = side_of_maze(from.size());
    const auto view = view_of(static_cast<int>(symmetry), side, side);
    for (int cell = 0; cell < side * side; ++cell) {
      const int source = view.base + cell / side * view.row_step + cell % side * view.column_step;
      to[static_cast<std::size_t>(cell)] = from[static_cast<std::size_t>(source)];
    }
  }
  std::uint64_t draw(Draws& draws, std::size_t) const override { return draws.below(kSymmetries); }
  std::vector<std::uint64_t> official_copies(NumpyLegacyRandom&, std::int64_t) const override {
    return {1, 2, 3, 4, 5, 6, 7};
  }
  bool copies_are_wide() const override { return false; }
  /// By the maze alone: who has seen one of its paths has seen an answer.
  PairKey class_key(std::span<const std::int32_t> input, std::span<const std::int32_t>) const override {
    std::vector<std::int32_t> image(input.size());
    PairKey smallest = row_pair_key(input, {});
    for (std::uint64_t symmetry = 1; symmetry < kSymmetries; ++symmetry) {
      apply(symmetry, input, image);
      smallest = std::min(smallest, row_pair_key(image, {}));
    }
    return smallest;
  }
  bool obeys(std::span<const std::int32_t> input, std::span<const std::int32_t> answer) const override {
    return is_shortest_maze_path(input, answer);
  }

  std::string legend() const override {
    return "# wall, S start, G goal, o path, !: a cell of the maze that the answer changed";
  }
  GridPanel picture(const DrawnExample& example) const override {
    constexpr std::uint8_t kWallGrey = 5, kOpenBlack = 0, kStartGreen = 3, kGoalRed = 2, kPathBlue = 8, kMistaken = 7;
    constexpr std::uint8_t kColourOf[] = {kWallGrey, kOpenBlack, kStartGreen, kGoalRed, kPathBlue};
    const int side = side_of_maze(example.input.size());
    const auto& shown = example.answer.empty() ? example.input : example.answer;
    GridPanel panel{example.title, Grid{side, side, {}}};
    for (std::size_t cell = 0; cell < shown.size(); ++cell) {
      const auto token = shown[cell];
      const bool known = token >= 1 && token <= std::ssize(kColourOf);
      panel.grid->cells.push_back(known && !changed(example, cell) ? kColourOf[token - 1] : kMistaken);
      panel.letters += token == kMazeStart ? 'S' : token == kMazeGoal ? 'G' : ' ';
    }
    return panel;
  }
  TextBlock drawing(const DrawnExample& example, const TextStyle& style) const override {
    const int side = side_of_maze(example.input.size());
    const auto& shown = example.answer.empty() ? example.input : example.answer;
    TextBlock block{example.title, {}, 2 * side};
    for (int row = 0; row < side; ++row) {
      std::string line;
      for (int column = 0; column < side; ++column) {
        const auto cell = static_cast<std::size_t>(row * side + column);
        line += maze_cell(shown[cell], changed(example, cell), style);
      }
      block.lines.push_back(std::move(line));
    }
    return block;
  }
};

}  // namespace

const PuzzleFamily& maze_family() {
  static const MazeFamily family;
  return family;
}

}  // namespace dis
