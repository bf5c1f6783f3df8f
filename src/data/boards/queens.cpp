#include "dis/data/boards/queens.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "dis/core/error.h"

namespace dis {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// The lines that queens occupy, a bit each: columns, and both diagonals numbered row + column and column - row + N
/// - 1.
struct Lines {
  std::uint32_t columns = 0;
  std::uint32_t falling = 0;
  std::uint32_t rising = 0;

  void add(int n, int row, int column) {
    columns |= 1U << column;
    rising |= 1U << (row + column);
    falling |= 1U << (column - row + n - 1);
  }
  /// Columns of `row` that no queen attacks.
  std::uint32_t free(int n, int row) const {
    const std::uint32_t all = (1U << n) - 1;
    return all & ~(columns | (rising >> row) | (falling >> (n - 1 - row)));
  }
};

/// The lines of a placement; nothing when two queens attack one another.
std::optional<Lines> lines_of(const Placement& placement) {
  Lines lines;
  for (int row = 0; row < placement.size; ++row) {
    const int column = placement.column[at(row)];
    if (column == Placement::kNone) continue;
    if ((lines.free(placement.size, row) >> column & 1U) == 0) return std::nullopt;
    lines.add(placement.size, row, column);
  }
  return lines;
}

/// Counts completions over the rows whose bit in `open` is set, the row with the fewest free columns first.
int count_open(int n, const Lines& lines, std::uint32_t open, int cap) {
  if (open == 0) return 1;
  int row = -1;
  std::uint32_t columns = 0;
  int fewest = n + 1;
  for (std::uint32_t rest = open; rest != 0; rest &= rest - 1) {
    const int candidate = std::countr_zero(rest);
    const std::uint32_t free = lines.free(n, candidate);
    if (const int count = std::popcount(free); count < fewest) {
      if (count == 0) return 0;
      fewest = count;
      row = candidate;
      columns = free;
    }
  }
  int found = 0;
  for (; columns != 0 && found < cap; columns &= columns - 1) {
    Lines next = lines;
    next.add(n, row, std::countr_zero(columns));
    found += count_open(n, next, open & ~(1U << row), cap - found);
  }
  return found;
}

void list_solutions(Placement& partial, const Lines& lines, int row, std::vector<Placement>& out) {
  if (row == partial.size) {
    out.push_back(partial);
    return;
  }
  for (std::uint32_t free = lines.free(partial.size, row); free != 0; free &= free - 1) {
    const int column = std::countr_zero(free);
    Lines next = lines;
    next.add(partial.size, row, column);
    partial.column[at(row)] = static_cast<std::int8_t>(column);
    list_solutions(partial, next, row + 1, out);
  }
}

bool search(Placement& partial, const Lines& lines, int row,
            const std::function<void(std::span<std::int8_t>)>& column_order) {
  if (row == partial.size) return true;
  std::array<std::int8_t, kLargestBoard> order;
  std::iota(order.begin(), order.end(), std::int8_t{0});
  column_order(std::span(order).first(at(partial.size)));
  const std::uint32_t free = lines.free(partial.size, row);
  for (int i = 0; i < partial.size; ++i) {
    const int column = order[at(i)];
    if ((free >> column & 1U) == 0) continue;
    Lines next = lines;
    next.add(partial.size, row, column);
    partial.column[at(row)] = static_cast<std::int8_t>(column);
    if (search(partial, next, row + 1, column_order)) return true;
  }
  return false;
}

template <class T>
bool valid_completion(std::span<const std::uint8_t> input, std::span<const T> answer) {
  const auto n = board_size_of(input.size());
  ensure(n && answer.size() == input.size(), "is_valid_completion", "two fields of the same N x N cells");
  Lines lines;
  std::uint32_t rows = 0;
  int queens = 0;
  for (int cell = 0; cell < *n * *n; ++cell) {
    const T token = answer[at(cell)];
    if (token != kEmptyCell && token != kQueenCell) return false;
    if (token != kQueenCell && input[at(cell)] == kQueenCell) return false;
    if (token != kQueenCell) continue;
    const int row = cell / *n;
    const int column = cell % *n;
    if ((rows >> row & 1U) != 0 || (lines.free(*n, row) >> column & 1U) == 0) return false;
    lines.add(*n, row, column);
    rows |= 1U << row;
    ++queens;
  }
  return queens == *n;
}

}  // namespace

int Placement::queens() const {
  return static_cast<int>(std::count_if(column.begin(), column.begin() + size, [](auto c) { return c != kNone; }));
}

std::vector<std::uint8_t> Placement::field() const {
  std::vector<std::uint8_t> cells(at(size * size), kEmptyCell);
  for (int row = 0; row < size; ++row) {
    if (column[at(row)] != kNone) cells[at(row * size + column[at(row)])] = kQueenCell;
  }
  return cells;
}

std::size_t PlacementHash::operator()(const Placement& placement) const {
  std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a
  for (const std::int8_t c : placement.column) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001B3ULL;
  return hash;
}

std::optional<int> board_size_of(std::size_t cells) {
  for (int n = kSmallestBoard; n <= kLargestBoard; ++n) {
    if (at(n * n) == cells) return n;
  }
  return std::nullopt;
}

std::optional<Placement> placement_of(std::span<const std::uint8_t> field) {
  const auto n = board_size_of(field.size());
  ensure(n.has_value(), "placement_of", "a field of N x N cells, N from 4 to 16");
  Placement placement(*n);
  for (int cell = 0; cell < *n * *n; ++cell) {
    if (field[at(cell)] == kEmptyCell) continue;
    auto& column = placement.column[at(cell / *n)];
    if (field[at(cell)] != kQueenCell || column != Placement::kNone) return std::nullopt;
    column = static_cast<std::int8_t>(cell % *n);
  }
  return placement;
}

int symmetry_source(int n, int symmetry, int cell) {
  const auto view = view_of(symmetry, n, n);
  return view.base + cell / n * view.row_step + cell % n * view.column_step;
}

Placement transformed(const Placement& placement, int symmetry) {
  const int n = placement.size;
  const int back = inverse_symmetry(symmetry);  // where a cell goes is where the inverse takes it from
  Placement image(n);
  for (int row = 0; row < n; ++row) {
    if (placement.column[at(row)] == Placement::kNone) continue;
    const int cell = symmetry_source(n, back, row * n + placement.column[at(row)]);
    auto& column = image.column[at(cell / n)];
    ensure(column == Placement::kNone, "transformed", "queens that do not share a column");
    column = static_cast<std::int8_t>(cell % n);
  }
  return image;
}

Placement canonical(const Placement& placement) {
  Placement smallest = placement;
  for (int symmetry = 1; symmetry < kSymmetries; ++symmetry) {
    smallest = std::min(smallest, transformed(placement, symmetry));
  }
  return smallest;
}

bool is_peaceful(const Placement& placement) { return lines_of(placement).has_value(); }

int count_completions(const Placement& givens, int cap) {
  const auto lines = lines_of(givens);
  if (!lines) return 0;
  std::uint32_t open = 0;
  for (int row = 0; row < givens.size; ++row) {
    if (givens.column[at(row)] == Placement::kNone) open |= 1U << row;
  }
  return std::min(count_open(givens.size, *lines, open, cap), cap);
}

int count_completions(std::span<const std::uint8_t> field, int cap) {
  const auto givens = placement_of(field);
  return givens ? count_completions(*givens, cap) : 0;
}

bool is_valid_completion(std::span<const std::uint8_t> input, std::span<const std::int32_t> answer) {
  return valid_completion(input, answer);
}

bool is_valid_completion(std::span<const std::uint8_t> input, std::span<const std::uint8_t> answer) {
  return valid_completion(input, answer);
}

std::vector<Placement> all_solutions(int n) {
  ensure(n >= 1 && n <= kLargestTabled, "all_solutions", "N from 1 to 10");
  std::vector<Placement> solutions;
  Placement partial(n);
  list_solutions(partial, Lines{}, 0, solutions);
  return solutions;
}

Placement keep_rows(const Placement& solution, std::uint32_t rows) {
  Placement kept(solution.size);
  for (int row = 0; row < solution.size; ++row) {
    if (rows >> row & 1U) kept.column[at(row)] = solution.column[at(row)];
  }
  return kept;
}

Placement search_solution(int n, const std::function<void(std::span<std::int8_t>)>& column_order) {
  ensure(n >= kSmallestBoard && n <= kLargestBoard, "search_solution", "N from 4 to 16");
  Placement solution(n);
  ensure(search(solution, Lines{}, 0, column_order), "search_solution", "an order of all columns");
  return solution;
}

Board CompactBoard::expanded() const {
  const Placement shown = givens();
  return {shown.field(), solution.field(), shown.queens(), count_completions(shown, kCompletionsCap)};
}

}  // namespace dis
