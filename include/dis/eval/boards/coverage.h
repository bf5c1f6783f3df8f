// How many of a board's completions are among several answers to it (GRAM, arXiv 2605.19376: 20 answers a board).
//
// A board with m completions can be found m times; K draws that take every completion with the same probability find
// m (1 - (1 - 1/m)^K) of them on average, the ceiling that stands beside every coverage here.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "dis/core/json.h"
#include "dis/data/boards/board_statistics.h"

namespace dis {

/// Completions found and there, summed over boards, and what uniform draws would find.
struct Covered {
  std::int64_t boards = 0, found = 0, total = 0;
  double uniform = 0.0;

  void add(std::int64_t distinct, std::int64_t completions, std::int64_t answers);
  double value() const;    ///< found / total
  double ceiling() const;  ///< uniform / total
};

struct CoverageScore {
  std::int64_t answers = 1;                                ///< K to each board
  std::int64_t valid = 0;                                  ///< of all answers
  Covered pooled;                                          ///< over all boards, as published
  std::array<Covered, kCompletionClasses> by_completions;  ///< one, two or three, more
  double per_input = 0.0, per_input_ceiling = 0.0;  ///< mean over inputs of the share found; rows of an input first
  double mean_completions = 0.0;                    ///< m over boards: right answers to it cover 1/m at most
  std::int64_t distinct = 0;                        ///< different valid answers of the whole set
};

/// `answers` [boards, K, L]. Counts all completions: for boards of up to 10 x 10.
CoverageScore coverage_of(std::span<const Board> boards, std::span<const std::int32_t> answers, std::int64_t K);

Json to_json(const CoverageScore& score);
std::string coverage_text(const CoverageScore& score);

}  // namespace dis
