// Two training items of 2 x 2 cells: grids, then boards.
#include "dis/train/trajectories.h"

#include <algorithm>

#include "dis/data/arc/arc_puzzles.h"
#include "fuzz/reader_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const dis::FileOfBytes file(dis::text_of_bytes(bytes, size));
  for (const bool grids : {true, false}) {
    dis::TrajectoryItems items;
    items.shape = {grids ? dis::kArcVocabulary : 3, 4, 1};
    items.count = 2;
    items.grids = grids;
    items.find = [](const std::string& task, std::int64_t pair) -> std::optional<std::int64_t> {
      if (task != "0" && task != "1") return {};
      return pair == 0 ? std::optional<std::int64_t>(task == "1") : std::nullopt;
    };
    items.name = [](std::int64_t item) { return "task " + std::to_string(item); };
    items.read = [&](std::int64_t, std::span<std::int32_t> input, std::span<std::int32_t> label) {
      std::ranges::fill(input, grids ? dis::kFirstColourToken : 1);
      std::ranges::fill(label, grids ? dis::kFirstColourToken : 1);
    };
    dis::check_reader([&] { dis::Trajectories(file.path(), items, dis::TrajectoryMissing::label); });
  }
  return 0;
}
