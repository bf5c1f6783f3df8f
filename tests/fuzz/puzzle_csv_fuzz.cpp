#include "dis/data/puzzles/puzzle_csv.h"
#include "fuzz/reader_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const dis::FileOfBytes file(dis::text_of_bytes(bytes, size));
  for (const auto* family : {&dis::sudoku_family(), &dis::maze_family()}) {
    dis::check_reader([&] { dis::read_puzzle_csv(file.path(), *family, 1); });
  }
  return 0;
}
