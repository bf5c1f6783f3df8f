#include "dis/data/arrays/grid_puzzles.h"
#include "fuzz/reader_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const dis::FileOfBytes file(dis::text_of_bytes(bytes, size));
  return dis::check_reader([&] { dis::read_grid_puzzles(file.path()); });
}
