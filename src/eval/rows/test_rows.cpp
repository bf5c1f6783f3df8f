#include "dis/eval/rows/test_rows.h"

#include <algorithm>
#include <span>
#include <utility>

#include "../kind_evaluation.h"
#include "dis/core/error.h"
#include "dis/data/arc/arc_data.h"
#include "dis/eval/votes/arc_voting.h"

namespace dis {
namespace {

/// The first examples of a test set, all of them or those with one right answer.
class ListedRows : public TestRows {
 public:
  ListedRows(ExampleList list, const EvalConfig& eval, bool one_answer) : list_(std::move(list)) {
    const auto most = eval.boards > 0 ? std::min(list_.size, eval.boards) : list_.size;
    for (std::int64_t i = 0; i < most; ++i) {
      if (!one_answer || list_.at(i).one_answer) numbers_.push_back(i);
    }
  }
  std::int64_t size() const override { return std::ssize(numbers_); }
  RowBatch read(std::int64_t first, std::int64_t count) const override {
    RowBatch batch;
    for (auto i = first; i < first + count; ++i) {
      const auto example = list_.at(number(i));
      batch.inputs.insert(batch.inputs.end(), example.input.begin(), example.input.end());
      batch.labels.insert(batch.labels.end(), example.label.begin(), example.label.end());
      batch.ids.push_back(example.puzzle_id);
      batch.tests.push_back(number(i));
    }
    return batch;
  }
  std::string unit() const override { return list_.unit; }
  std::string name(std::int64_t row) const override { return list_.unit + " " + std::to_string(number(row) + 1); }

 private:
  std::int64_t number(std::int64_t row) const { return numbers_[static_cast<std::size_t>(row)]; }

  ExampleList list_;
  std::vector<std::int64_t> numbers_;
};

class VotingRows : public TestRows {
 public:
  VotingRows(const ArcData& data, const EvalConfig& eval, std::uint64_t seed)
      : data_(data), rows_(plan_election(data.puzzles(), eval.tasks, eval.votes, seed).rows) {}
  std::int64_t size() const override { return std::ssize(rows_); }
  RowBatch read(std::int64_t first, std::int64_t count) const override {
    const auto length = static_cast<std::size_t>(data_.shape().length), rows = static_cast<std::size_t>(count);
    RowBatch batch{std::vector<std::int32_t>(rows * length), std::vector<std::int32_t>(rows * length), {}, {}};
    for (std::size_t i = 0; i < rows; ++i) {
      const auto& row = rows_[static_cast<std::size_t>(first) + i];
      data_.test_fields(row, std::span(batch.inputs).subspan(i * length, length),
                        std::span(batch.labels).subspan(i * length, length));
      batch.ids.push_back(data_.identifier_of(row));
    }
    return batch;
  }
  std::string unit() const override { return "puzzle"; }
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

}  // namespace

std::unique_ptr<TestRows> listed_rows(const Session& session, const EvalConfig& eval, bool one_completion) {
  auto lists = session.data->tests();
  if (lists.empty() || lists.front().size == 0) {
    throw UserError("there is nothing to evaluate: the data have no split `test`");
  }
  const auto unit = lists.front().unit;
  auto rows = std::make_unique<ListedRows>(std::move(lists.front()), eval, one_completion);
  if (rows->size() == 0) {
    throw UserError("there is no test " + unit +
                    " with exactly one right answer: take all of them with --set analyze.one_completion=false");
  }
  return rows;
}

std::int64_t count_listed_rows(const Session& session, const EvalConfig& eval) {
  std::int64_t rows = 0;
  for (const auto& list : session.data->tests()) rows += eval.boards > 0 ? std::min(list.size, eval.boards) : list.size;
  return rows;
}

std::unique_ptr<TestRows> voting_rows(const Session& session, const EvalConfig& eval, bool) {
  const auto seed = static_cast<std::uint64_t>(session.config.run.seed);
  return std::make_unique<VotingRows>(data_as<ArcData>(session), eval, seed);
}

std::int64_t count_voting_rows(const Session& session, const EvalConfig& eval) {
  const auto& puzzles = data_as<ArcData>(session).puzzles();
  if (puzzles.examples(ArcSplit::test) == 0) return 0;
  return std::ssize(
      plan_election(puzzles, eval.tasks, eval.votes, static_cast<std::uint64_t>(session.config.run.seed)).rows);
}

std::unique_ptr<TestRows> test_rows(const Session& session, const EvalConfig& eval, bool one_completion) {
  return evaluation_of(session.config.data.kind).rows(session, eval, one_completion);
}

}  // namespace dis
