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

/// A band is three rows (or columns): 27 cells as bits, line * 9 + place. Its nine triads, three cells of a line in a
/// box, are bits line * 3 + box.
using Cells = std::uint32_t;
using Triads = std::uint32_t;
constexpr Cells kBand = 0x7ffffff;
constexpr Cells kLine = 0x1ff;
constexpr Cells kFirst = 0x1249249, kNotThird = 3 * kFirst;  // of each triad
constexpr std::size_t kDigits = 9, kBands = 6;               // bands 0 to 2 of rows, 3 to 5 of columns

/// The ways that a digit can take through a band: [way][box] its line.
constexpr std::array<std::array<unsigned, 3>, 6> kWays{
    {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};

struct BandTables {
  std::array<Triads, 512> of_line{};          // of nine cells: which of the three triads have one
  std::array<Cells, 512> cells{};             // of triads
  std::array<std::uint8_t, 512> ways{};       // bits of the ways that some triads leave open
  std::array<std::uint8_t, 512> way_count{};  // and their number
  std::array<Triads, 512> open{};             // the triads on those ways
  std::array<Cells, 8> spread{};              // three cells of a line as places of three lines
  std::array<Triads, 6> triads_of_way{};
  std::array<Triads, 9> beside{};  // the other triads of a triad's line and box

  constexpr BandTables() {
    for (unsigned way = 0; way < 6; ++way) {
      for (unsigned box = 0; box < 3; ++box) triads_of_way[way] |= 1U << (kWays[way][box] * 3 + box);
    }
    for (unsigned set = 0; set < 512; ++set) {
      for (unsigned triad = 0; triad < 9; ++triad) {
        if ((set >> triad & 1U) != 0) cells[set] |= 7U << (triad / 3 * 9 + triad % 3 * 3);
      }
      for (unsigned box = 0; box < 3; ++box) of_line[set] |= (set >> (3 * box) & 7U) != 0 ? 1U << box : 0U;
      for (unsigned way = 0; way < 6; ++way) {
        if ((set & triads_of_way[way]) != triads_of_way[way]) continue;
        ways[set] = static_cast<std::uint8_t>(ways[set] | 1U << way);
        ++way_count[set];
        open[set] |= triads_of_way[way];
      }
    }
    for (unsigned i = 0; i < 8; ++i) spread[i] = (i & 1U) | (i >> 1 & 1U) << 9 | (i >> 2 & 1U) << 18;
    for (unsigned a = 0; a < 9; ++a) {
      for (unsigned b = 0; b < 9; ++b) {
        if (a != b && (a / 3 == b / 3 || a % 3 == b % 3)) beside[a] |= 1U << b;
      }
    }
  }
};
constexpr BandTables kTables;

Triads triads_with(Cells cells) {
  return kTables.of_line[cells & kLine] | kTables.of_line[cells >> 9 & kLine] << 3 | kTables.of_line[cells >> 18] << 6;
}

/// Those that are alone in their box.
Triads alone(Triads triads) { return triads & ~((triads << 3 | triads >> 6 | triads << 6 | triads >> 3) & 0x1ff); }

/// Numbers from 0 to 15, one for each triad, as four bits each across four words.
struct TriadCounts {
  Triads one = 0, two = 0, four = 0, eight = 0;

  void add(Triads triads) {
    const auto carry_two = one & triads, carry_four = two & carry_two;
    one ^= triads;
    two ^= carry_two;
    eight |= four & carry_four;
    four ^= carry_four;
  }
  Triads three() const { return one & two & ~four & ~eight; }
  Triads more_than_three() const { return four | eight; }
  Triads fewer_than_three() const { return 0x1ff & ~(one & two) & ~four & ~eight; }
};

/// Where to guess: a digit in a band.
struct BandDigit {
  std::size_t band = 0, digit = 0;
};

/// The cells that are left to each digit. What is known is kept twice, by rows and by columns.
class Left {
 public:
  /// Of all cells, or with the givens. False: these contradict each other, as far as that is seen at once.
  bool give(const SudokuGrid& grid) {
    std::array<std::array<Cells, 3>, kDigits> given{}, seen{};
    for (std::size_t cell = 0; cell < 81; ++cell) {
      if (grid[cell] == 0) continue;
      const auto row = cell / 9, column = cell % 9, digit = grid[cell] - std::size_t{1};
      const auto bit = bit_of(row, column);
      given[digit][row / 3] |= bit;
      known_[row / 3] |= bit;
      known_[3 + column / 3] |= bit_of(column, row);
      for (std::size_t band = 0; band < 3; ++band)
        seen[digit][band] |= (Cells{0x40201} << column) & ~(band == row / 3 ? bit : 0);
      seen[digit][row / 3] |= ((kLine << (row % 3 * 9)) | kTables.cells[0x49U << (column / 3)]) & ~bit;
    }
    for (std::size_t digit = 0; digit < kDigits; ++digit) {
      for (std::size_t band = 0; band < 3; ++band) {
        if ((given[digit][band] & seen[digit][band]) != 0) return false;
        cells_[band][digit] = (kBand & ~seen[digit][band] & ~known_[band]) | given[digit][band];
      }
      for (std::size_t band = 0; band < 3; ++band) {
        for (std::size_t row = 0; row < 9; ++row) {
          cells_[3 + band][digit] |= kTables.spread[cells_[row / 3][digit] >> (row % 3 * 9 + 3 * band) & 7U] << row;
        }
      }
    }
    return true;
  }

  /// Takes cells of a band from a digit.
  void forbid(std::size_t digit, std::size_t band, Cells cells) {
    const auto gone = cells_[band][digit] & cells;
    if (gone == 0) return;
    cells_[band][digit] &= ~gone;
    changed_[band] = changed_[band] | 1U << digit;
    const auto across = band < 3 ? std::size_t{3} : 0, first = band % 3 * 3;
    for (std::size_t line = 0; line < 3; ++line) {
      const auto part = gone >> (9 * line) & kLine;
      for (std::size_t other = 0; part != 0 && other < 3; ++other) {
        const auto three = kTables.spread[part >> (3 * other) & 7U];
        if (three == 0) continue;
        cells_[across + other][digit] &= ~(three << (first + line));
        changed_[across + other] |= 1U << digit;
      }
    }
  }
  void forbid_cell(std::size_t digit, std::size_t cell) { forbid(digit, cell / 27, bit_of(cell / 9, cell % 9)); }

  /// All that follows from singles, bands and triads; false: a contradiction.
  bool conclude() {
    for (;;) {
      for (std::size_t band = 0; band < kBands; ++band) {
        while (changed_[band] != 0) {
          const auto digit = static_cast<std::size_t>(std::countr_zero(changed_[band]));
          changed_[band] &= changed_[band] - 1;
          looked_at_[band] = false;
          if (!follow(digit, band)) return false;
        }
      }
      if (changed()) continue;
      if (!lone_digits()) return false;
      if (changed()) continue;
      for (std::size_t band = 0; band < kBands; ++band) {
        if (looked_at_[band]) continue;
        looked_at_[band] = true;
        if (!follow_triads(band)) return false;
      }
      if (!changed()) return true;
    }
  }

  /// A band of three lines with the fewest ways in all that its digits can take, of which a digit with the fewest, at
  /// least two; none: every cell is known.
  std::optional<BandDigit> digit_to_guess() const {
    BandDigit best;
    int fewest = std::numeric_limits<int>::max();
    for (std::size_t band = 0; band < kBands; ++band) {
      int all = 0;
      for (const auto triads : triads_[band]) all += kTables.way_count[triads];
      if (all == 9 || all >= fewest) continue;
      fewest = all;
      best = {band, 0};
      int least = 7;
      for (std::size_t digit = 0; digit < kDigits; ++digit) {
        const int count = kTables.way_count[triads_[band][digit]];
        if (count < 2 || count >= least) continue;
        least = count;
        best.digit = digit;
      }
    }
    return fewest == std::numeric_limits<int>::max() ? std::nullopt : std::optional(best);
  }
  /// Bits of the ways that are left to it.
  unsigned ways_of(const BandDigit& choice) const { return kTables.ways[triads_[choice.band][choice.digit]]; }
  /// Only this way of the band's is left to the digit.
  void take(const BandDigit& choice, std::size_t way) {
    forbid(choice.digit, choice.band, ~kTables.cells[kTables.triads_of_way[way]]);
  }
  SudokuGrid grid() const {
    SudokuGrid grid{};
    for (std::size_t cell = 0; cell < 81; ++cell) {
      for (std::size_t digit = 0; digit < kDigits; ++digit) {
        if ((cells_[cell / 27][digit] & bit_of(cell / 9, cell % 9)) != 0)
          grid[cell] = static_cast<std::uint8_t>(digit + 1);
      }
    }
    return grid;
  }

 private:
  /// Of a cell in its band of rows; with row and column exchanged, in that of columns.
  static constexpr Cells bit_of(std::size_t row, std::size_t column) { return Cells{1} << (row % 3 * 9 + column); }
  bool changed() const {
    unsigned any = 0;
    for (const auto band : changed_) any |= band;
    return any != 0;
  }

  /// A digit stands once in each line and once in each box of a band: there are six ways, and what is in none of those
  /// left is no place for it. A line or box with one place left has it there.
  bool follow(std::size_t digit, std::size_t band) {
    const auto triads = triads_with(cells_[band][digit]);
    const auto open = kTables.open[triads];
    triads_[band][digit] = static_cast<std::uint16_t>(open);
    if (open == 0) return false;
    if (open != triads) forbid(digit, band, ~kTables.cells[open]);
    // A triad that is alone in its box is alone in its line, too.
    const auto cells = cells_[band][digit];
    const auto several =
        (cells & cells >> 1 & kNotThird) | (cells & cells >> 2 & kFirst);  // triads with two cells left
    auto lone = cells & kTables.cells[alone(open) & ~triads_with(several)] & ~known_[band];
    for (; lone != 0; lone &= lone - 1) {
      const auto cell = lone & (~lone + 1);
      if ((cells_[band][digit] & cell) == 0) return false;  // the one before took it
      place(digit, band, cell);
    }
    return true;
  }
  /// The digit stands in this cell of a band, which was not known.
  void place(std::size_t digit, std::size_t band, Cells cell) {
    const auto bit = static_cast<std::size_t>(std::countr_zero(cell));
    const auto line = band % 3 * 3 + bit / 9, place = bit % 9;
    const auto row = band < 3 ? line : place, column = band < 3 ? place : line;
    const auto in_rows = bit_of(row, column), in_columns = bit_of(column, row);
    const auto across = row / 3, down = 3 + column / 3;
    known_[across] |= in_rows;
    known_[down] |= in_columns;
    auto &rows = cells_[across], &columns = cells_[down];
    unsigned others = 0;  // that the cell was left to
    for (std::size_t other = 0; other < kDigits; ++other) {
      others |= static_cast<unsigned>((rows[other] & in_rows) != 0) << other;
      rows[other] &= ~in_rows;
      columns[other] &= ~in_columns;
    }
    rows[digit] |= in_rows;
    columns[digit] |= in_columns;
    others &= ~(1U << digit);
    changed_[across] |= others;
    changed_[down] |= others;
    const auto box = kTables.cells[0x49U << (column / 3)];
    forbid(digit, across, ((kLine << (row % 3 * 9)) | box) & ~in_rows);
    forbid(digit, down, kLine << (column % 3 * 9) & ~in_columns);
  }

  /// Cells that are left to one digit alone.
  bool lone_digits() {
    for (std::size_t band = 0; band < 3; ++band) {
      Cells one = 0, more = 0;
      for (const auto cells : cells_[band]) {
        more |= one & cells;
        one |= cells;
      }
      if (one != kBand) return false;
      auto lone = one & ~more & ~known_[band];
      for (; lone != 0; lone &= lone - 1) {
        const auto cell = lone & (~lone + 1);
        for (std::size_t digit = 0; digit < kDigits; ++digit) {
          if ((cells_[band][digit] & cell) == 0) continue;
          place(digit, band, cell);
          break;
        }
      }
    }
    return true;
  }

  /// A triad has three digits: when three must be there, or no more than three can, they are these.
  bool follow_triads(std::size_t band) {
    TriadCounts can, must;
    for (const Triads triads : triads_[band]) {
      can.add(triads);
      must.add(alone(triads));
    }
    if (can.fewer_than_three() != 0 || must.more_than_three() != 0) return false;
    const auto full = must.three(), scarce = can.three() & ~full;
    if ((full | scarce) == 0) return true;
    for (std::size_t digit = 0; digit < kDigits; ++digit) {
      const Triads triads = triads_[band][digit];
      Triads gone = triads & full & ~alone(triads);
      for (auto here = triads & scarce; here != 0; here &= here - 1) {
        gone |= kTables.beside[static_cast<std::size_t>(std::countr_zero(here))];
      }
      if ((triads & gone) != 0) forbid(digit, band, kTables.cells[gone]);
    }
    return true;
  }

  std::array<std::array<Cells, kDigits>, kBands> cells_{};
  std::array<std::array<std::uint16_t, kDigits>, kBands>
      triads_{};                       // with a cell left, on a way; as of the last follow()
  std::array<Cells, kBands> known_{};  // and told to their neighbours
  std::array<unsigned, kBands> changed_{0x1ff, 0x1ff, 0x1ff, 0x1ff, 0x1ff, 0x1ff};  // digits to follow
  std::array<bool, kBands> looked_at_{};  // by follow_triads(), since a change
};

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
    for (auto left_ways = left.ways_of(*choice); left_ways != 0; left_ways &= left_ways - 1) {
      ways[count++] = static_cast<std::size_t>(std::countr_zero(left_ways));
    }
    if (order_ != nullptr) order_->shuffle(std::span(ways).first(count));
    for (std::size_t i = 0; i < count; ++i) {
      if (i + 1 < count) ++guesses;  // the last one is no guess
      auto next = left;
      next.take(*choice, ways[i]);
      if (run(next)) return true;
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
  if (!left.give(grid)) return result;
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
  if (!left.give(grid)) return std::nullopt;
  return first_solution(left, &draws);
}

std::optional<SudokuGrid> other_solution(SudokuGrid grid, int cell, int digit) {
  const auto at = static_cast<std::size_t>(cell);
  grid[at] = 0;
  Left left;
  if (!left.give(grid)) return std::nullopt;
  left.forbid_cell(static_cast<std::size_t>(digit - 1), at);
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
