#include "dis/data/dataset.h"

#include "dis/core/error.h"

namespace dis {

std::vector<Measure> DataSet::measures() const {
  return {{"exact", "exact", Measure::Kind::share}, {"token_accuracy", "tokens", Measure::Kind::ratio}};
}

std::vector<MeasureCount> DataSet::score(const AnsweredRow& row) const {
  const auto& [input, label, answer, test] = row;
  ensure(label.size() == input.size() && answer.size() == input.size(), "DataSet::score", "fields of one length");
  MeasureCount cells;
  for (std::size_t cell = 0; cell < label.size(); ++cell) {
    if (label[cell] == kIgnore) continue;
    ++cells.total;
    cells.hits += answer[cell] == label[cell] ? 1 : 0;
  }
  if (cells.total == 0) return {{}, {}};
  return {{cells.hits == cells.total ? 1 : 0, 1}, cells};
}

std::optional<bool> DataSet::obeys_rules(std::span<const std::int32_t>, std::span<const std::int32_t>) const {
  return std::nullopt;
}

std::vector<Example> DataSet::questions(const std::filesystem::path&) const {
  throw UserError(
      "dis predict answers ARC tasks, and puzzles with data.kind = nqueens, sudoku, maze or grids, which these data "
      "are "
      "not; dis eval answers the tests of a data set");
}

Json DataSet::written(std::span<const std::int32_t> tokens, std::span<const std::int32_t>) const {
  return Json(std::vector<std::int32_t>(tokens.begin(), tokens.end()));
}

std::optional<Drawing> DataSet::draw(std::span<const DrawnExample>, const TextStyle&) const { return std::nullopt; }

std::optional<GridPanel> DataSet::picture(const DrawnExample&) const { return std::nullopt; }

void DataSet::write_rows(const std::filesystem::path&, const ExportProgress&) const {
  throw UserError("dis data export writes ARC and rows of tokens, which these data (data.kind) are not");
}

Batch draw_batch(const TrainingStream& stream, std::uint64_t seed, std::uint64_t first, std::int64_t lanes) {
  const auto length = static_cast<std::size_t>(stream.shape().length);
  const auto count = static_cast<std::size_t>(lanes);
  Batch batch{lanes,
              stream.shape().length,
              std::vector<std::int32_t>(count * length),
              std::vector<std::int32_t>(count * length),
              std::vector<std::int32_t>(count),
              std::vector<Origin>(count)};
  for (std::size_t lane = 0; lane < count; ++lane) {
    batch.origins[lane] =
        stream.example(seed, first + lane, std::span(batch.inputs).subspan(lane * length, length),
                       std::span(batch.labels).subspan(lane * length, length), batch.puzzle_ids[lane]);
  }
  return batch;
}

}  // namespace dis
