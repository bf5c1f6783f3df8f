// How good answers to N-Queens boards are.
//
// valid: N queens that do not attack one another and keep the givens, every other cell empty; the ceiling is 1.
// exact: the stored label. Where a board has several completions no answer can be sure to be the stored one.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "dis/core/json.h"
#include "dis/data/boards/board_statistics.h"
#include "dis/eval/intervals.h"

namespace dis {

struct AnswerRates {
  Rate valid;
  Rate exact;
};

struct QueensScore {
  AnswerRates all;
  std::map<int, AnswerRates> by_givens;                        ///< key: number of givens
  std::array<AnswerRates, kCompletionClasses> by_completions;  ///< one, two or three, more
  std::int64_t distinct_solutions = 0;                         ///< different answers among the valid ones
};

/// Scores predictions [boards, L] of tokens (any numbers), board by board.
QueensScore score_boards(std::span<const Board> boards, std::span<const std::int32_t> predictions);

/// {"boards", "valid": rate, "exact": rate, "distinct_solutions", "by_givens": {"3": {"boards", "valid", "exact"},
/// ...}, "by_completions": {"one": ..., "two_or_three": ..., "more": ...}}; a rate is {"value", "lower", "upper",
/// "hits", "total"}, or null where there are no boards.
Json to_json(const QueensScore& score);

/// An aligned table: one line for all boards, for each class of completions and for each number of givens, with rates
/// and 95 % intervals; then the number of distinct solutions. Ends with an end of line.
std::string score_table(const QueensScore& score);

}  // namespace dis
