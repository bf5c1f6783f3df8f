#include "dis/data/puzzles/sudoku_symmetry.h"

#include <algorithm>
#include <numeric>

#include "dis/core/error.h"

namespace dis {
namespace {

/// Places of a number of mixed radix, the last one taken first.
class Places {
 public:
  explicit Places(std::uint64_t number) : number_(number) {}
  std::uint32_t take(std::uint64_t radix) {
    const auto place = number_ % radix;
    number_ /= radix;
    return static_cast<std::uint32_t>(place);
  }

 private:
  std::uint64_t number_;
};

constexpr std::uint32_t factorial(std::uint32_t n) { return n < 2 ? 1 : n * factorial(n - 1); }

/// The order of 0..items.size()-1 with this rank among all in ascending order; 0 is the identity.
void unrank(std::uint32_t rank, std::span<std::uint8_t> items) {
  std::iota(items.begin(), items.end(), std::uint8_t{0});
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto rest = factorial(static_cast<std::uint32_t>(items.size() - i - 1));
    const auto place = items.begin() + static_cast<std::ptrdiff_t>(i + rank / rest);
    rank %= rest;
    std::rotate(items.begin() + static_cast<std::ptrdiff_t>(i), place, place + 1);
  }
}

std::uint32_t rank_of(std::span<const std::uint8_t> items) {
  std::uint32_t rank = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto smaller =
        std::ranges::count_if(items.subspan(i + 1), [&](std::uint8_t item) { return item < items[i]; });
    rank += static_cast<std::uint32_t>(smaller) * factorial(static_cast<std::uint32_t>(items.size() - i - 1));
  }
  return rank;
}

/// Lines in bands: the order of the bands, then that of the lines within each.
void lines_of(int box, Places& places, std::span<std::uint8_t> lines) {
  const auto b = static_cast<std::size_t>(box);
  const auto radix = factorial(static_cast<std::uint32_t>(box));
  std::array<std::uint8_t, 3> bands{}, within{};
  unrank(places.take(radix), std::span(bands).first(b));
  for (std::size_t band = 0; band < b; ++band) {
    unrank(places.take(radix), std::span(within).first(b));
    for (std::size_t i = 0; i < b; ++i) lines[band * b + i] = static_cast<std::uint8_t>(bands[band] * b + within[i]);
  }
}

/// The inverse: `number` with these places in front of it.
std::uint64_t with_lines(int box, std::span<const std::uint8_t> lines, std::uint64_t number) {
  const auto b = static_cast<std::size_t>(box);
  const auto radix = factorial(static_cast<std::uint32_t>(box));
  std::array<std::uint8_t, 3> bands{}, within{};
  for (std::size_t band = b; band-- > 0;) {
    bands[band] = static_cast<std::uint8_t>(lines[band * b] / b);
    for (std::size_t i = 0; i < b; ++i) within[i] = static_cast<std::uint8_t>(lines[band * b + i] % b);
    number = number * radix + rank_of(std::span(within).first(b));
  }
  return number * radix + rank_of(std::span(bands).first(b));
}

}  // namespace

std::uint64_t sudoku_symmetries(int box) {
  const auto b = static_cast<std::uint32_t>(box);
  std::uint64_t count = std::uint64_t{2} * factorial(b * b);
  for (std::uint32_t i = 0; i < 2 * (b + 1); ++i) count *= factorial(b);
  return count;
}

SudokuSymmetry sudoku_symmetry(int box, std::uint64_t number) {
  ensure((box == 2 || box == 3) && number < sudoku_symmetries(box), "sudoku_symmetry", "the number of a symmetry");
  const auto n = static_cast<std::size_t>(box * box);
  SudokuSymmetry symmetry;
  Places places(number);
  symmetry.transposed = places.take(2) == 1;
  lines_of(box, places, std::span(symmetry.rows).first(n));
  lines_of(box, places, std::span(symmetry.columns).first(n));
  unrank(places.take(factorial(static_cast<std::uint32_t>(n))), std::span(symmetry.digits).first(n));
  return symmetry;
}

std::uint64_t number_of(int box, const SudokuSymmetry& symmetry) {
  const auto n = static_cast<std::size_t>(box * box);
  std::uint64_t number = rank_of(std::span(symmetry.digits).first(n));
  number = with_lines(box, std::span(symmetry.columns).first(n), number);
  number = with_lines(box, std::span(symmetry.rows).first(n), number);
  return number * 2 + (symmetry.transposed ? 1 : 0);
}

std::uint64_t draw_sudoku_symmetry(int box, Draws& draws) {
  const auto b = static_cast<std::uint32_t>(box);
  std::uint64_t number = draws.below(factorial(b * b));
  for (std::uint32_t i = 0; i < 2 * (b + 1); ++i) number = number * factorial(b) + draws.below(factorial(b));
  return number * 2 + draws.below(2);
}

void apply(int box, const SudokuSymmetry& symmetry, std::span<const std::int32_t> from, std::span<std::int32_t> to) {
  const auto n = static_cast<std::size_t>(box * box);
  ensure(from.size() == n * n && to.size() == n * n, "apply", "fields of n n cells");
  for (std::size_t row = 0; row < n; ++row) {
    for (std::size_t column = 0; column < n; ++column) {
      const std::size_t r = symmetry.rows[row], c = symmetry.columns[column];
      const auto token = symmetry.transposed ? from[c * n + r] : from[r * n + c];
      const bool digit = token >= 2 && static_cast<std::size_t>(token) <= n + 1;
      to[row * n + column] = digit ? symmetry.digits[static_cast<std::size_t>(token - 2)] + 2 : token;
    }
  }
}

}  // namespace dis
