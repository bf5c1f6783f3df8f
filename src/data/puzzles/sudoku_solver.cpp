#include "dis/data/puzzles/sudoku_solver.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <span>

#include "dis/data/puzzles/sudoku_symmetry.h"

namespace dis {
namespace {

constexpr std::uint16_t kAllDigits = 0x1ff;

/// Of nine bits: the machines that a build is for may lack an instruction.
constexpr auto kBitCounts = [] {
  std::array<std::uint8_t, kAllDigits + 1> counts{};
  for (std::size_t i = 1; i < counts.size(); ++i) counts[i] = static_cast<std::uint8_t>(counts[i / 2] + i % 2);
  return counts;
}();
constexpr int bits_of(std::uint16_t digits) { return kBitCounts[digits]; }
constexpr bool has_one_bit(std::uint16_t digits) { return (digits & (digits - 1)) == 0; }  // of at least one

/// Rows, columns, boxes, each with its nine cells; and the twenty cells that see a cell.
struct Units {
  std::array<std::array<std::uint8_t, 9>, 27> cells{};
  std::array<std::array<std::uint8_t, 20>, 81> seen{};
  std::array<std::uint32_t, 81> marks{};  // bits of its units
  std::array<std::uint8_t, 81> bands{};   // bits 0..2 its band of rows, 3..5 of columns

  constexpr Units() {
    for (unsigned i = 0; i < 9; ++i) {
      for (unsigned j = 0; j < 9; ++j) {
        cells[i][j] = static_cast<std::uint8_t>(i * 9 + j);
        cells[9 + i][j] = static_cast<std::uint8_t>(j * 9 + i);
        cells[18 + i][j] = static_cast<std::uint8_t>((i / 3 * 3 + j / 3) * 9 + i % 3 * 3 + j % 3);
      }
    }
    for (unsigned a = 0; a < 81; ++a) {
      marks[a] = 1U << (a / 9) | 1U << (9 + a % 9) | 1U << (18 + a / 27 * 3 + a % 9 / 3);
      bands[a] = static_cast<std::uint8_t>(1U << (a / 27) | 8U << (a % 9 / 3));
      unsigned count = 0;
      for (unsigned b = 0; b < 81; ++b) {
        const bool sees = a / 9 == b / 9 || a % 9 == b % 9 || (a / 27 == b / 27 && a % 9 / 3 == b % 9 / 3);
        if (a != b && sees) seen[a][count++] = static_cast<std::uint8_t>(b);
      }
    }
  }
};
constexpr Units kUnits;

/// The ways that a digit can take through a band: [way][box] its line. And [ways] bits of digits.
constexpr std::array<std::array<std::size_t, 3>, 6> kWays{
    {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};
using BandWays = std::array<std::uint16_t, 6>;

/// Where to guess: a digit in a band.
struct BandDigit {
  bool columns = false;
  std::size_t band = 0;  // its first line
  std::uint16_t digit = 0;
  BandWays ways{};
};

/// The digits that are left in each cell, as bits.
class Left {
 public:
  Left() { digits_.fill(kAllDigits); }

  /// False: a contradiction.
  bool set(std::size_t cell, std::uint16_t digit) {
    if ((digits_[cell] & digit) == 0) return false;
    if (digits_[cell] != digit) mark(cell);
    digits_[cell] = digit;
    if (!done_[cell]) pending_[pending_count_++] = static_cast<std::uint8_t>(cell);
    done_[cell] = true;
    return true;
  }
  bool forbid(std::size_t cell, std::uint16_t digit) {
    if ((digits_[cell] & digit) != 0) mark(cell);
    digits_[cell] = static_cast<std::uint16_t>(digits_[cell] & ~digit);
    return digits_[cell] != 0 && (!has_one_bit(digits_[cell]) || set(cell, digits_[cell]));
  }

  /// All that follows from singles, bands and triads; false: a contradiction.
  bool conclude() {
    for (;;) {
      if (!tell_neighbours()) return false;
      if (!hidden_singles()) return false;
      if (pending_count_ > 0) continue;
      if (!follow_bands()) return false;
      if (pending_count_ == 0 && changed_units_ == 0 && changed_bands_ == 0) return true;
    }
  }

  /// A band of three lines with the fewest ways in all that its digits can take, of which a digit with the fewest, at
  /// least two; none: every cell is known.
  std::optional<BandDigit> digit_to_guess() const {
    BandDigit best;
    int fewest = std::numeric_limits<int>::max();
    for (const bool columns : {false, true}) {
      for (std::size_t band = 0; band < 9; band += 3) {
        const auto ways = ways_of(triads_of(columns, band));
        int all = 0;
        for (const auto way : ways) all += bits_of(way);
        if (all == 9 || all >= fewest) continue;
        fewest = all;
        best = {columns, band, fewest_ways(ways), ways};
      }
    }
    return fewest == std::numeric_limits<int>::max() ? std::nullopt : std::optional(best);
  }
  /// Only this way of the band's is left to the digit.
  bool take(const BandDigit& choice, std::size_t way) {
    for (std::size_t line = 0; line < 3; ++line) {
      for (std::size_t place = 0; place < 9; ++place) {
        const auto cell = cell_of(choice.columns, choice.band + line, place);
        if (kWays[way][place / 3] != line && !drop(cell, choice.digit)) return false;
      }
    }
    return true;
  }
  SudokuGrid grid() const {
    SudokuGrid grid{};
    for (std::size_t cell = 0; cell < 81; ++cell)
      grid[cell] = static_cast<std::uint8_t>(std::countr_zero(digits_[cell]) + 1);
    return grid;
  }

 private:
  void mark(std::size_t cell) {
    changed_units_ |= kUnits.marks[cell];
    changed_bands_ |= kUnits.bands[cell];
  }

  using Triads = std::array<std::array<std::uint16_t, 3>, 3>;  // [line][box] of a band: digits that a triad may have

  static std::size_t cell_of(bool columns, std::size_t line, std::size_t place) {
    return columns ? place * 9 + line : line * 9 + place;
  }
  Triads triads_of(bool columns, std::size_t band) const {
    Triads triads{};
    for (std::size_t line = 0; line < 3; ++line) {
      for (std::size_t place = 0; place < 9; ++place) {
        auto& triad = triads[line][place / 3];
        triad = static_cast<std::uint16_t>(triad | digits_[cell_of(columns, band + line, place)]);
      }
    }
    return triads;
  }
  /// [ways] digits that can take it
  static BandWays ways_of(const Triads& triads) {
    BandWays ways{};
    for (std::size_t way = 0; way < kWays.size(); ++way) {
      ways[way] =
          static_cast<std::uint16_t>(triads[kWays[way][0]][0] & triads[kWays[way][1]][1] & triads[kWays[way][2]][2]);
    }
    return ways;
  }
  static std::uint16_t fewest_ways(const BandWays& ways) {
    std::uint16_t best = 0;
    int fewest = 7;
    for (unsigned digit = 0; digit < 9; ++digit) {
      const auto count =
          static_cast<int>(std::ranges::count_if(ways, [&](std::uint16_t way) { return (way >> digit & 1U) != 0; }));
      if (count > 1 && count < fewest) {
        fewest = count;
        best = static_cast<std::uint16_t>(1U << digit);
      }
    }
    return best;
  }

  /// In a band of three lines a digit stands once in each line and once in each box: there are six ways, and what is in
  /// none of those left is no place for it. A triad, the three cells of a line in a box, has three digits: when three
  /// must be there, or no more than three can, they are these.
  bool follow_bands() {
    while (changed_bands_ != 0) {
      const auto band = static_cast<std::size_t>(std::countr_zero(changed_bands_));
      changed_bands_ = static_cast<std::uint8_t>(changed_bands_ & (changed_bands_ - 1));
      if (!follow_band(band >= 3, band % 3 * 3)) return false;
    }
    return true;
  }
  bool follow_band(bool columns, std::size_t band) {
    const auto ways = ways_of(triads_of(columns, band));
    Triads can{}, must{};
    for (std::size_t way = 0; way < kWays.size(); ++way) {
      for (std::size_t box = 0; box < 3; ++box) {
        auto& triad = can[kWays[way][box]][box];
        triad = static_cast<std::uint16_t>(triad | ways[way]);
      }
    }
    for (std::size_t line = 0; line < 3; ++line) {
      for (std::size_t box = 0; box < 3; ++box) {
        const auto elsewhere = can[(line + 1) % 3][box] | can[(line + 2) % 3][box];
        must[line][box] = static_cast<std::uint16_t>(can[line][box] & ~elsewhere);
        if (bits_of(can[line][box]) < 3 || bits_of(must[line][box]) > 3) return false;
        if (bits_of(must[line][box]) == 3) can[line][box] = must[line][box];
        if (bits_of(can[line][box]) == 3) must[line][box] = can[line][box];
      }
    }
    for (std::size_t line = 0; line < 3; ++line) {
      for (std::size_t place = 0; place < 9; ++place) {
        const auto box = place / 3;
        // What another triad of the line or of the box must have is not here.
        const auto taken = must[line][(box + 1) % 3] | must[line][(box + 2) % 3] | must[(line + 1) % 3][box] |
                           must[(line + 2) % 3][box];
        const auto gone = static_cast<std::uint16_t>((~can[line][box] | taken) & kAllDigits);
        if (!drop(cell_of(columns, band + line, place), gone)) return false;
      }
    }
    return true;
  }
  /// forbid() where some of the digits are left.
  bool drop(std::size_t cell, std::uint16_t digits) { return (digits_[cell] & digits) == 0 || forbid(cell, digits); }

  bool tell_neighbours() {
    while (pending_count_ > 0) {
      const auto cell = pending_[--pending_count_];
      const auto digit = digits_[cell];
      for (const auto other : kUnits.seen[cell]) {
        if ((digits_[other] & digit) == 0) continue;
        if (!forbid(other, digit)) return false;
      }
    }
    return true;
  }
  bool hidden_singles() {
    while (changed_units_ != 0) {
      const auto& unit = kUnits.cells[static_cast<std::size_t>(std::countr_zero(changed_units_))];
      changed_units_ &= changed_units_ - 1;
      std::uint16_t once = 0, twice = 0;
      for (const auto cell : unit) {
        twice = static_cast<std::uint16_t>(twice | (once & digits_[cell]));
        once = static_cast<std::uint16_t>(once | digits_[cell]);
      }
      if (once != kAllDigits) return false;
      const auto single = static_cast<std::uint16_t>(once & ~twice);
      for (const auto cell : unit) {
        const auto digit = static_cast<std::uint16_t>(digits_[cell] & single);
        if (digit == 0 || done_[cell]) continue;
        if (!has_one_bit(digit) || !set(cell, digit)) return false;
      }
    }
    return true;
  }

  std::array<std::uint16_t, 81> digits_;
  std::array<bool, 81> done_{};  // known, and told (or about to be)
  std::array<std::uint8_t, 81> pending_{};
  std::size_t pending_count_ = 0;
  std::uint32_t changed_units_ = 0x7ffffff;  // not yet looked through since a cell of theirs changed
  std::uint8_t changed_bands_ = 0x3f;
};

/// Whether the givens contradict each other is found out by conclude().
bool give(Left& left, const SudokuGrid& grid) {
  for (std::size_t cell = 0; cell < 81; ++cell) {
    if (grid[cell] != 0 && !left.set(cell, static_cast<std::uint16_t>(1U << (grid[cell] - 1U)))) return false;
  }
  return true;
}

/// Depth first; a solution ends the search when `found` says so.
class DigitSearch {
 public:
  DigitSearch(std::function<bool(const SudokuGrid&)> found, Draws* order) : found_(std::move(found)), order_(order) {}

  /// True: ended.
  bool run(Left left) {
    if (!left.conclude()) return false;
    const auto choice = left.digit_to_guess();
    if (!choice) return found_(left.grid());
    std::array<std::size_t, 6> ways{};
    std::size_t count = 0;
    for (std::size_t way = 0; way < ways.size(); ++way) {
      if ((choice->ways[way] & choice->digit) != 0) ways[count++] = way;
    }
    if (order_ != nullptr) order_->shuffle(std::span(ways).first(count));
    for (std::size_t i = 0; i < count; ++i) {
      if (i + 1 < count) ++guesses;  // the last one is no guess
      auto next = left;
      if (next.take(*choice, ways[i]) && run(next)) return true;
    }
    return false;
  }

  std::int64_t guesses = 0;

 private:
  std::function<bool(const SudokuGrid&)> found_;
  Draws* order_;
};

std::optional<SudokuGrid> first_solution(const Left& left, Draws* order) {
  std::optional<SudokuGrid> solution;
  DigitSearch search(
      [&](const SudokuGrid& grid) {
        solution = grid;
        return true;
      },
      order);
  search.run(left);
  return solution;
}

}  // namespace

SudokuSearch solve_sudoku(const SudokuGrid& grid, int most) {
  SudokuSearch result;
  Left left;
  if (!give(left, grid)) return result;
  DigitSearch search(
      [&](const SudokuGrid& solution) {
        (result.solutions == 0 ? result.first : result.last) = solution;
        return ++result.solutions >= most;
      },
      nullptr);
  search.run(left);
  result.guesses = search.guesses;
  return result;
}

std::optional<SudokuGrid> random_solution(const SudokuGrid& grid, Draws& draws) {
  Left left;
  if (!give(left, grid)) return std::nullopt;
  return first_solution(left, &draws);
}

std::optional<SudokuGrid> other_solution(SudokuGrid grid, int cell, int digit) {
  const auto at = static_cast<std::size_t>(cell);
  grid[at] = 0;
  Left left;
  if (!give(left, grid) || !left.forbid(at, static_cast<std::uint16_t>(1U << static_cast<unsigned>(digit - 1)))) {
    return std::nullopt;
  }
  return first_solution(left, nullptr);
}

double mean_guesses(const SudokuGrid& puzzle, int copies, std::uint64_t seed) {
  std::array<std::int32_t, 81> tokens{}, image{};
  for (std::size_t cell = 0; cell < 81; ++cell) tokens[cell] = puzzle[cell] + 1;
  double sum = 0.0;
  for (int copy = 0; copy < copies; ++copy) {
    Draws draws(seed, Purpose::climb_copies, 0, static_cast<std::uint64_t>(copy));
    apply(3, sudoku_symmetry(3, draw_sudoku_symmetry(3, draws)), tokens, image);
    SudokuGrid grid{};
    for (std::size_t cell = 0; cell < 81; ++cell) grid[cell] = static_cast<std::uint8_t>(image[cell] - 1);
    sum += std::log1p(static_cast<double>(solve_sudoku(grid, 1).guesses));
  }
  return std::expm1(sum / copies);
}

}  // namespace dis
