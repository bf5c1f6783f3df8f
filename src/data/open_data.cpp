#include "dis/data/open_data.h"

#include "dis/data/arc_data.h"
#include "dis/data/grid_puzzles.h"
#include "dis/data/nqueens.h"
#include "dis/data/puzzle_rows.h"

namespace dis {

std::unique_ptr<TrainingStream> open_data(const RunConfig& config) {
  switch (config.data.kind) {
    case DataKind::nqueens:
      return std::make_unique<NQueensData>(config.data, static_cast<std::uint64_t>(config.run.seed));
    case DataKind::arc:
      return std::make_unique<ArcData>(config.data);
    case DataKind::folder:
      return std::make_unique<PuzzleRows>(read_puzzle_rows(data_path(config.data)));
    case DataKind::grids:
      break;
  }
  return std::make_unique<PuzzleRows>(read_grid_puzzles(data_path(config.data)));
}

}  // namespace dis
