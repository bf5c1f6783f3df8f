#include "dis/data/arrays/npy.h"
#include "fuzz/reader_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const dis::FileOfBytes file(dis::text_of_bytes(bytes, size));
  return dis::check_reader([&] { static_cast<void>(dis::NpyArray(file.path()).numbers()); });
}
