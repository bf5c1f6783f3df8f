// What an evaluation asks the network, row by row, whatever the kind of data: the rows of a test set, or the puzzles
// that vote on ARC's test inputs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dis/data/dataset.h"
#include "dis/train/session.h"

namespace dis {

/// Some rows.
struct RowBatch {
  std::vector<std::int32_t> inputs;      ///< [rows, L] tokens
  std::vector<std::int32_t> labels;      ///< [rows, L] tokens, or kIgnore
  std::vector<std::int32_t> ids;         ///< [rows] puzzle identifiers
  std::vector<std::int64_t> tests = {};  ///< [rows] their numbers in the main test set; empty: they are none of its

  /// Row i with an answer [L] to it.
  AnsweredRow answered(std::size_t i, std::span<const std::int32_t> answer) const {
    const auto length = answer.size();
    return {std::span(inputs).subspan(i * length, length), std::span(labels).subspan(i * length, length), answer,
            tests.empty() ? -1 : tests[i]};
  }
};

class TestRows {
 public:
  virtual ~TestRows() = default;
  virtual std::int64_t size() const = 0;
  /// Rows first..first+count-1.
  virtual RowBatch read(std::int64_t first, std::int64_t count) const = 0;
  /// Whether it is a puzzle as its author made it: no augmentation of another row.
  virtual bool original(std::int64_t) const { return true; }
  /// What one of them is: "board", "example".
  virtual std::string unit() const = 0;
  /// "board 12", "task 00576224, test input 1"
  virtual std::string name(std::int64_t row) const = 0;
};

/// The rows of the session's data that `eval` chooses: the main test set (with `one_completion` only rows that have one
/// right answer), or every voting puzzle of every test input. They refer to the session's data. UserError when there
/// are none.
std::unique_ptr<TestRows> test_rows(const Session& session, const EvalConfig& eval, bool one_completion = false);

}  // namespace dis
