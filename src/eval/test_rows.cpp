#include "dis/eval/test_rows.h"

#include <algorithm>
#include <span>

#include "dis/core/error.h"
#include "dis/data/arc_data.h"
#include "dis/data/nqueens.h"
#include "dis/data/puzzle_rows.h"
#include "dis/eval/arc_voting.h"

namespace dis {
namespace {

class BoardRows : public TestRows {
 public:
  BoardRows(const NQueensData& data, const EvalConfig& eval, bool one_completion) {
    const auto& set = data.test_sets().front();
    auto boards = std::ssize(set.boards);
    if (eval.boards > 0) boards = std::min(boards, eval.boards);
    for (std::int64_t i = 0; i < boards; ++i) {
      const auto& board = set.boards[static_cast<std::size_t>(i)];
      if (one_completion && board.completions != 1) continue;
      boards_.push_back(&board);
      numbers_.push_back(i);
    }
  }
  std::int64_t size() const override { return std::ssize(boards_); }
  RowBatch read(std::int64_t first, std::int64_t count) const override {
    RowBatch batch;
    for (auto i = first; i < first + count; ++i) {
      const auto& board = *boards_[static_cast<std::size_t>(i)];
      batch.inputs.insert(batch.inputs.end(), board.input.begin(), board.input.end());
      batch.labels.insert(batch.labels.end(), board.label.begin(), board.label.end());
      batch.ids.push_back(0);  // the blank identifier
    }
    return batch;
  }
  std::string name(std::int64_t row) const override {
    return "board " + std::to_string(numbers_[static_cast<std::size_t>(row)] + 1);
  }

 private:
  std::vector<const Board*> boards_;
  std::vector<std::int64_t> numbers_;
};

class ArcRows : public TestRows {
 public:
  ArcRows(const ArcData& data, const EvalConfig& eval, std::uint64_t seed)
      : data_(data), rows_(plan_election(data.puzzles(), eval.tasks, eval.votes, seed).rows) {}
  std::int64_t size() const override { return std::ssize(rows_); }
  RowBatch read(std::int64_t first, std::int64_t count) const override {
    const auto length = static_cast<std::size_t>(data_.shape().length), rows = static_cast<std::size_t>(count);
    RowBatch batch{std::vector<std::int32_t>(rows * length), std::vector<std::int32_t>(rows * length), {}};
    for (std::size_t i = 0; i < rows; ++i) {
      const auto& row = rows_[static_cast<std::size_t>(first) + i];
      data_.test_fields(row, std::span(batch.inputs).subspan(i * length, length),
                        std::span(batch.labels).subspan(i * length, length));
      batch.ids.push_back(data_.identifier_of(row));
    }
    return batch;
  }
  bool original(std::int64_t row) const override { return augmentation(row) == 0; }
  std::string name(std::int64_t row) const override {
    const auto& which = rows_[static_cast<std::size_t>(row)];
    return "task " + group_of(row).task.id + ", test input " + std::to_string(which.test + 1) +
           (original(row) ? "" : ", augmentation " + std::to_string(augmentation(row)));
  }

 private:
  const ArcGroup& group_of(std::int64_t row) const {
    return data_.puzzles().groups()[static_cast<std::size_t>(rows_[static_cast<std::size_t>(row)].group)];
  }
  std::int64_t augmentation(std::int64_t row) const {
    return rows_[static_cast<std::size_t>(row)].puzzle - group_of(row).first_puzzle;
  }

  const ArcData& data_;
  std::vector<ArcTestRow> rows_;
};

class ExampleRows : public TestRows {
 public:
  ExampleRows(const PuzzleRows& data, const EvalConfig& eval) : data_(data), size_(data.test_examples()) {
    if (eval.boards > 0) size_ = std::min(size_, eval.boards);
  }
  std::int64_t size() const override { return size_; }
  RowBatch read(std::int64_t first, std::int64_t count) const override {
    const auto length = static_cast<std::size_t>(data_.shape().length), rows = static_cast<std::size_t>(count);
    RowBatch batch{std::vector<std::int32_t>(rows * length), std::vector<std::int32_t>(rows * length),
                   std::vector<std::int32_t>(rows)};
    for (std::size_t i = 0; i < rows; ++i) {
      data_.test_example(first + static_cast<std::int64_t>(i), std::span(batch.inputs).subspan(i * length, length),
                         std::span(batch.labels).subspan(i * length, length), batch.ids[i]);
    }
    return batch;
  }
  std::string name(std::int64_t row) const override { return "example " + std::to_string(row + 1); }

 private:
  const PuzzleRows& data_;
  std::int64_t size_;
};

std::unique_ptr<TestRows> rows_of(const Session& session, const EvalConfig& eval, bool one_completion) {
  switch (session.config.data.kind) {
    case DataKind::nqueens:
      return std::make_unique<BoardRows>(data_as<NQueensData>(session), eval, one_completion);
    case DataKind::arc:
      return std::make_unique<ArcRows>(data_as<ArcData>(session), eval,
                                       static_cast<std::uint64_t>(session.config.run.seed));
    case DataKind::folder:
    case DataKind::grids:
      break;
  }
  return std::make_unique<ExampleRows>(data_as<PuzzleRows>(session), eval);
}

}  // namespace

std::unique_ptr<TestRows> test_rows(const Session& session, const EvalConfig& eval, bool one_completion) {
  auto rows = rows_of(session, eval, one_completion);
  if (rows->size() == 0) {
    throw UserError(session.config.data.kind == DataKind::nqueens
                        ? "there are no test boards: data.test_boards or data.test_file gives none" +
                              std::string(one_completion ? " that can be completed in exactly one way" : "")
                        : "there is nothing to evaluate: the data have no split `test`");
  }
  return rows;
}

}  // namespace dis
