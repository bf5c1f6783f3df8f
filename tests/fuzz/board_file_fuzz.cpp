#include "dis/data/boards/board_file.h"
#include "fuzz/reader_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const dis::FileOfBytes file(dis::text_of_bytes(bytes, size));
  return dis::check_reader([&] { dis::read_board_file(file.path(), 4, "data.train_file"); });
}
