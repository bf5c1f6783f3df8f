// The boards of a configuration, written.
#include "boards_data.h"

#include <functional>
#include <iostream>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/data/boards/board_file.h"
#include "dis/data/boards/nqueens.h"

namespace dis {
namespace {

/// Training boards or those of a test set, by number.
struct BoardList {
  std::string name;
  std::int64_t count;
  std::function<Board(std::int64_t)> board;
};

BoardList training_list(const NQueensData& data) {
  return {"training", data.items(), [&data](std::int64_t i) { return data.item(i); }};
}

BoardList test_list(const TestSet& set) {
  return {set.name, static_cast<std::int64_t>(set.boards.size()),
          [&set](std::int64_t i) { return set.boards[static_cast<std::size_t>(i)]; }};
}

}  // namespace

void write_boards(const RunConfig& config, const std::filesystem::path& folder) {
  if (config.data.kind != DataKind::nqueens) {
    throw UserError("dis data build writes boards, found data.kind = " + to_string(config.data.kind));
  }
  try_folder(folder);
  const NQueensData data(config.data, static_cast<std::uint64_t>(config.run.seed));
  ensure_folder(folder);
  const auto write = [&](const BoardList& list, const std::string& what, const std::string& name, const char* key) {
    const Json head = {{"what", what},
                       {"board_size", config.data.board_size},
                       {"split", to_string(config.data.split)},
                       {"seed", config.run.seed}};
    write_board_file(folder / name, head, key, list.count, list.board);
    std::cout << (folder / name).string() << ": " << list.count << " boards\n";
  };
  write(training_list(data), "N-Queens training boards before augmentation; 1 = empty, 2 = queen, row by row",
        "train.json", "boards");
  for (const TestSet& set : data.test_sets()) {
    write(test_list(set), "N-Queens test boards: " + set.meaning + "; 1 = empty, 2 = queen, row by row",
          "test_" + set.name + ".json", "test");
  }
}

}  // namespace dis
