// libFuzzer's entry to the readers of ARC's JSON: any bytes must give tasks that are sound, or a UserError.
// tests/data/arc_fuzz_test.cpp does the same, for a moment, without clang.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "data/arc_text_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto check = dis::check_arc_readers({reinterpret_cast<const char*>(bytes), size});
  if (!check.mistake.empty()) {
    std::fprintf(stderr, "arc_reader_fuzz: %s\n", check.mistake.c_str());
    std::abort();
  }
  return 0;
}
