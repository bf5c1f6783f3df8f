// JSON, and a configuration in it.
#include "dis/config/config.h"
#include "dis/core/json.h"
#include "fuzz/reader_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = dis::text_of_bytes(bytes, size);
  static_cast<void>(dis::try_parse_json(text));
  return dis::check_reader([&] { dis::parse_config(dis::parse_json(text, "f"), "f"); });
}
