#include "dis/data/arc/arc_puzzles.h"
#include "dis/data/identifiers.h"
#include "fuzz/reader_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const dis::FileOfBytes file(dis::text_of_bytes(bytes, size));
  return dis::check_reader([&] {
    for (const auto& name : dis::read_identifiers(file.path())) dis::parse_identifier(name);
  });
}
