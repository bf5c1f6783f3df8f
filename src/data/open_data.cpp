#include "dis/data/open_data.h"

#include <algorithm>
#include <array>

#include "dis/core/error.h"
#include "dis/core/memory.h"
#include "dis/data/arc/arc_data.h"
#include "dis/data/arrays/grid_puzzles.h"
#include "dis/data/arrays/puzzle_rows.h"
#include "dis/data/boards/nqueens.h"
#include "dis/data/colouring.h"
#include "dis/data/puzzles/puzzles_data.h"

namespace dis {
namespace {

std::unique_ptr<DataSet> with_rules(PuzzleRows rows, Rules rules) {
  rows.set_rules(rules);
  return std::make_unique<PuzzleRows>(std::move(rows));
}

std::string fewer_puzzles(const DataConfig& data) {
  return data.train_puzzles > 0 ? try_half("data.train_puzzles", data.train_puzzles)
                                : "use a sample of the puzzles (data.train_puzzles)";
}

std::string fewer_examples(const DataConfig&) { return "use fewer or smaller examples, or a machine with more memory"; }

const std::array kKinds = {
    KindOfData{
        .kind = DataKind::nqueens,
        .open = [](const RunConfig& config) -> std::unique_ptr<DataSet> {
          return std::make_unique<NQueensData>(config.data, static_cast<std::uint64_t>(config.run.seed));
        },
        .smaller = [](const DataConfig& data) { return try_half("data.train_boards", data.train_boards); },
    },
    KindOfData{
        .kind = DataKind::arc,
        .open = [](const RunConfig& config) -> std::unique_ptr<DataSet> {
          return std::make_unique<ArcData>(config.data);
        },
        .smaller =
            [](const DataConfig& data) {
              return data.augmentations > 0 ? try_half("data.augmentations", data.augmentations) : fewer_examples(data);
            },
        .tasks = true,
    },
    KindOfData{
        .kind = DataKind::folder,
        .open = [](const RunConfig& config) -> std::unique_ptr<DataSet> {
          return with_rules(read_puzzle_rows(data_path(config.data)), config.data.rules);
        },
        .smaller = fewer_examples,
    },
    KindOfData{
        .kind = DataKind::grids,
        .open = [](const RunConfig& config) -> std::unique_ptr<DataSet> {
          return with_rules(read_grid_puzzles(data_path(config.data)), config.data.rules);
        },
        .smaller = fewer_examples,
    },
    KindOfData{
        .kind = DataKind::colouring,
        .open = [](const RunConfig& config) -> std::unique_ptr<DataSet> {
          return std::make_unique<ColouringData>(config.data, static_cast<std::uint64_t>(config.run.seed));
        },
        .smaller = [](const DataConfig& data) { return try_half("data.train_graphs", data.train_graphs); },
    },
    KindOfData{
        .kind = DataKind::sudoku,
        .open = [](const RunConfig& config) -> std::unique_ptr<DataSet> {
          return std::make_unique<PuzzlesData>(sudoku_family(), config.data);
        },
        .smaller = fewer_puzzles,
    },
    KindOfData{
        .kind = DataKind::maze,
        .open = [](const RunConfig& config) -> std::unique_ptr<DataSet> {
          return std::make_unique<PuzzlesData>(maze_family(), config.data);
        },
        .smaller = fewer_puzzles,
    },
};

}  // namespace

const KindOfData& kind_of(const DataConfig& data) {
  const auto found = std::ranges::find(kKinds, data.kind, &KindOfData::kind);
  ensure(found != kKinds.end(), "kind_of", "an entry for each value of data.kind");
  return *found;
}

std::unique_ptr<DataSet> open_data(const RunConfig& config) { return kind_of(config.data).open(config); }

}  // namespace dis
