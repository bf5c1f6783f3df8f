// The mathematics of N-Queens boards: completions, solutions, the eight symmetries of the square.
//
// A board is an N x N field, row by row, of the tokens 1 (empty) and 2 (queen); 0 is the pad and never on a board. A
// placement is the same without the field: the queen's column of every row.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dis/data/symmetry.h"

namespace dis {

inline constexpr int kSmallestBoard = 4;
inline constexpr int kLargestBoard = 16;
inline constexpr int kLargestTabled = 10;  ///< largest N whose solutions are listed rather than searched for
inline constexpr int kCompletionsCap = 4;  ///< Board::completions counts no further
inline constexpr std::uint8_t kEmptyCell = 1;
inline constexpr std::uint8_t kQueenCell = 2;

/// A board with its stored answer.
struct Board {
  std::vector<std::uint8_t> input;  ///< [N N] tokens, the givens
  std::vector<std::uint8_t> label;  ///< [N N] tokens, a valid completion of the input
  int givens = 0;                   ///< queens on the input
  int completions = 0;              ///< valid completions of the input, counted up to kCompletionsCap
};

/// Queens, at most one per row.
struct Placement {
  int size = 0;                                   ///< N
  std::array<std::int8_t, kLargestBoard> column;  ///< of each row's queen; kNone: the row has none

  static constexpr std::int8_t kNone = -1;
  explicit Placement(int n = 0) : size(n) { column.fill(kNone); }
  int queens() const;
  std::vector<std::uint8_t> field() const;  ///< [N N] tokens
  auto operator<=>(const Placement&) const = default;
};

struct PlacementHash {
  std::size_t operator()(const Placement& placement) const;
};

/// N of a field of `cells` cells; nothing unless `cells` is the square of 4..16.
std::optional<int> board_size_of(std::size_t cells);

/// The queens of a field [N N]; nothing when a row has two queens or a token is neither 1 nor 2.
std::optional<Placement> placement_of(std::span<const std::uint8_t> field);

/// The cell of the original field that a symmetry (symmetry.h) brings to `cell`.
int symmetry_source(int n, int symmetry, int cell);
Placement transformed(const Placement& placement, int symmetry);

/// Applies a symmetry to a field [N N] of anything.
template <class T>
void transform_field(std::span<T> field, int n, int symmetry) {
  if (symmetry == 0) return;
  const std::vector<T> original(field.begin(), field.end());
  for (int cell = 0; cell < n * n; ++cell) {
    field[static_cast<std::size_t>(cell)] = original[static_cast<std::size_t>(symmetry_source(n, symmetry, cell))];
  }
}

/// The smallest of the eight images: equal for two placements exactly when a symmetry takes one to the other. The
/// canonical form of a solution stands for its orbit.
Placement canonical(const Placement& placement);

/// True when no two queens attack one another.
bool is_peaceful(const Placement& placement);

/// Number of ways to complete `givens` to N queens that do not attack one another, counted up to `cap`.
int count_completions(const Placement& givens, int cap);
/// The same for a field of tokens; 0 when the field is no placement.
int count_completions(std::span<const std::uint8_t> field, int cap);

/// True when `answer` has only the tokens 1 and 2, N queens that do not attack one another, and every queen of `input`.
/// Both are fields [N N]; `answer` may hold any numbers.
bool is_valid_completion(std::span<const std::uint8_t> input, std::span<const std::int32_t> answer);
bool is_valid_completion(std::span<const std::uint8_t> input, std::span<const std::uint8_t> answer);

/// Every solution for N up to kLargestTabled (724 at N = 10), in ascending order.
std::vector<Placement> all_solutions(int n);

/// Queens of the rows whose bit in `rows` is set.
Placement keep_rows(const Placement& solution, std::uint32_t rows);

/// A solution by randomised search, row by row, the columns of a row tried in the order that `column_order` writes into
/// its argument [N] (0..N-1 when it is called). Row by row the order is drawn once per visit. Solutions are not equally
/// likely.
Placement search_solution(int n, const std::function<void(std::span<std::int8_t>)>& column_order);

/// A board as it is kept in memory: a solution and the rows whose queens are given.
struct CompactBoard {
  Placement solution;
  std::uint32_t rows = 0;  ///< bit per row
  Placement givens() const { return keep_rows(solution, rows); }
  Board expanded() const;
};

}  // namespace dis
