// Sudoku: alphabet, symmetries, rules, drawing.
#include <algorithm>

#include "dis/core/error.h"
#include "dis/data/arrays/puzzle_rules.h"
#include "dis/data/puzzles/puzzle_family.h"
#include "dis/data/puzzles/sudoku_symmetry.h"

namespace dis {
namespace {

int box_of(std::size_t length) { return length == 81 ? 3 : 2; }

std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 32U)) * 0xd6e8feb86659fd93U;
  x = (x ^ (x >> 32U)) * 0xd6e8feb86659fd93U;
  return x ^ (x >> 32U);
}

/// A hash that no symmetry changes: the cells' colours, at first given or not, are refined by those of the cells that
/// share a row or a column, a box, or a digit of the solution.
std::uint64_t class_hash(int box, std::span<const std::int32_t> input, std::span<const std::int32_t> label) {
  constexpr int kRounds = 3;
  const auto n = static_cast<std::size_t>(box * box), b = static_cast<std::size_t>(box);
  std::array<std::uint64_t, 81> colours{};
  for (std::size_t cell = 0; cell < input.size(); ++cell) colours[cell] = input[cell] >= 2 ? 2 : 1;
  const auto digit_of = [&](std::size_t cell) {
    const auto token = label[cell] >= 2 ? label[cell] : input[cell];
    return token >= 2 && static_cast<std::size_t>(token) <= n + 1 ? static_cast<std::size_t>(token - 2) : n;
  };
  for (int round = 0; round < kRounds; ++round) {
    std::array<std::uint64_t, 10> rows{}, columns{}, boxes{}, digits{};
    for (std::size_t cell = 0; cell < input.size(); ++cell) {
      const auto row = cell / n, column = cell % n, hash = mixed(colours[cell]);
      rows[row] += hash, columns[column] += hash, boxes[row / b * b + column / b] += hash,
          digits[digit_of(cell)] += hash;
    }
    for (std::size_t i = 0; i <= n; ++i) {
      rows[i] = mixed(rows[i]), columns[i] = mixed(columns[i]), boxes[i] = mixed(boxes[i] + 1),
      digits[i] = mixed(digits[i] + 2);
    }
    for (std::size_t cell = 0; cell < input.size(); ++cell) {
      const auto row = cell / n, column = cell % n;
      colours[cell] = mixed(colours[cell] * 3 + rows[row] + columns[column] + 5 * boxes[row / b * b + column / b] +
                            7 * digits[digit_of(cell)]);
    }
  }
  std::uint64_t sum = 0;
  for (std::size_t cell = 0; cell < input.size(); ++cell) sum += mixed(colours[cell]);
  return mixed(sum);
}

/// Cells of an answer whose digit stands elsewhere in their row, column or box, or which have changed a given.
std::vector<bool> wrong_cells(int box, const DrawnExample& example) {
  const int n = box * box;
  std::vector<bool> wrong(example.input.size());
  if (example.answer.empty()) return wrong;
  const auto at = [](int cell) { return static_cast<std::size_t>(cell); };
  for (int a = 0; a < n * n; ++a) {
    const auto token = example.answer[at(a)];
    wrong[at(a)] = example.input[at(a)] >= 2 && token != example.input[at(a)];
    for (int other = 0; other < n * n && token >= 2; ++other) {
      const bool sees = a / n == other / n || a % n == other % n ||
                        (a / n / box == other / n / box && a % n / box == other % n / box);
      if (other != a && sees && example.answer[at(other)] == token && example.input[at(a)] < 2) wrong[at(a)] = true;
    }
  }
  return wrong;
}

/// A cell in two columns: its digit, and a mark.
std::string cell_text(char digit, bool given, bool wrong, const TextStyle& style) {
  if (!style.colour) return {digit, wrong ? '!' : given ? '\'' : ' '};
  const std::string look = wrong   ? "\x1b[1;48;2;200;60;50;38;2;255;255;255m"
                           : given ? "\x1b[1m"
                                   : "\x1b[38;2;60;130;230m";
  return look + digit + "\x1b[0m ";
}

/// The order of nine lines: that of the bands, then that within each.
std::array<std::uint8_t, 9> official_lines(NumpyLegacyRandom& random) {
  std::array<std::uint8_t, 9> order{};
  const auto bands = random.permutation<3>();
  for (std::size_t band = 0; band < 3; ++band) {
    const auto within = random.permutation<3>();
    for (std::size_t i = 0; i < 3; ++i) order[band * 3 + i] = static_cast<std::uint8_t>(bands[band] * 3 + within[i]);
  }
  return order;
}

class SudokuFamily : public PuzzleFamily {
 public:
  std::string name() const override { return "Sudoku"; }
  std::string sizes() const override { return "81 (or, of a small Sudoku, 16)"; }
  bool has_size(std::size_t length) const override { return length == 81 || length == 16; }
  std::int64_t vocabulary(std::size_t length) const override { return box_of(length) * box_of(length) + 2; }
  std::optional<std::uint8_t> token(char character, bool answer, std::size_t length) const override {
    if (!answer && (character == '.' || character == '0')) return std::uint8_t{1};
    const int digit = character - '0';
    if (digit < 1 || digit > box_of(length) * box_of(length)) return std::nullopt;
    return static_cast<std::uint8_t>(digit + 1);
  }
  char character(std::int32_t token, std::size_t length) const override {
    if (token == 1) return '.';
    return token >= 2 && token < vocabulary(length) ? static_cast<char>('1' + token - 2) : '?';
  }
  std::string alphabet(bool answer, std::size_t length) const override {
    return "digits from 1 to " + std::to_string(box_of(length) * box_of(length)) +
           (answer ? "" : ", and . or 0 for an empty cell");
  }

  std::uint8_t open_token() const override { return 1; }

  void apply(std::uint64_t symmetry, std::span<const std::int32_t> from, std::span<std::int32_t> to) const override {
    const int box = box_of(from.size());
    dis::apply(box, sudoku_symmetry(box, symmetry), from, to);
  }
  std::uint64_t draw(Draws& draws, std::size_t length) const override {
    return draw_sudoku_symmetry(box_of(length), draws);
  }
  /// As shuffle_sudoku of the official build_sudoku_dataset.py draws them; of 9 x 9.
  std::vector<std::uint64_t> official_copies(NumpyLegacyRandom& random, std::int64_t wanted) const override {
    std::vector<std::uint64_t> copies;
    for (std::int64_t i = 0; i < wanted; ++i) {
      SudokuSymmetry symmetry;
      symmetry.digits = random.permutation<9>();
      symmetry.transposed = random.uniform() < 0.5;
      symmetry.rows = official_lines(random);
      symmetry.columns = official_lines(random);
      copies.push_back(number_of(3, symmetry));
    }
    return copies;
  }
  bool copies_are_wide() const override { return true; }
  PairKey class_key(std::span<const std::int32_t> input, std::span<const std::int32_t> label) const override {
    return std::max<PairKey>(class_hash(box_of(input.size()), input, label), 1);
  }
  bool obeys(std::span<const std::int32_t> input, std::span<const std::int32_t> answer) const override {
    return is_sudoku_solution(input, answer);
  }

  std::string legend() const override {
    return ". an empty cell, ': a given, !: a digit that stands twice in its row, column or box, or a given that the "
           "answer "
           "changed";
  }
  GridPanel picture(const DrawnExample& example) const override {
    constexpr std::uint8_t kGiven = 5, kAnswered = 8, kMistaken = 7, kOpen = 0;
    const int box = box_of(example.input.size()), n = box * box;
    const auto wrong = wrong_cells(box, example);
    const auto& shown = example.answer.empty() ? example.input : example.answer;
    GridPanel panel{example.title, Grid{n, n, {}}};
    for (std::size_t cell = 0; cell < shown.size(); ++cell) {
      const char letter = character(shown[cell], shown.size());
      panel.letters += letter == '.' ? ' ' : letter;
      panel.grid->cells.push_back(wrong[cell] || letter == '?' ? kMistaken
                                  : example.input[cell] >= 2   ? kGiven
                                  : letter == '.'              ? kOpen
                                                               : kAnswered);
    }
    return panel;
  }
  TextBlock drawing(const DrawnExample& example, const TextStyle& style) const override {
    const int box = box_of(example.input.size()), n = box * box;
    const auto wrong = wrong_cells(box, example);
    const auto& shown = example.answer.empty() ? example.input : example.answer;
    TextBlock block{example.title, {}, 2 * n + 2 * (box - 1)};
    for (int row = 0; row < n; ++row) {
      if (row > 0 && row % box == 0) block.lines.push_back(rule(box));
      std::string line;
      for (int column = 0; column < n; ++column) {
        if (column > 0 && column % box == 0) line += "| ";
        const auto cell = static_cast<std::size_t>(row * n + column);
        line += cell_text(character(shown[cell], shown.size()), example.input[cell] >= 2, wrong[cell], style);
      }
      block.lines.push_back(std::move(line));
    }
    return block;
  }

 private:
  static std::string rule(int box) {
    std::string line;
    for (int i = 0; i < box; ++i) line += (i > 0 ? "+-" : "") + std::string(static_cast<std::size_t>(2 * box), '-');
    return line;
  }
};

}  // namespace

const PuzzleFamily& sudoku_family() {
  static const SudokuFamily family;
  return family;
}

}  // namespace dis
