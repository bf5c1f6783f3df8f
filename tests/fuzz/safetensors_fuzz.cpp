#include "dis/core/safetensors.h"

#include <numeric>

#include "fuzz/reader_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const dis::FileOfBytes file(dis::text_of_bytes(bytes, size));
  return dis::check_reader([&] {
    const dis::SafetensorsFile read(file.path());
    volatile unsigned sum = 0;  // every byte that is offered can be read
    for (const auto& info : read.tensors()) {
      for (const auto byte : read.data(info)) sum = sum + static_cast<unsigned>(byte);
    }
  });
}
