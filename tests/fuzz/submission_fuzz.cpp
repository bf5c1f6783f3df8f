#include "dis/eval/votes/submission.h"

#include <algorithm>

#include "fuzz/reader_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const dis::FileOfBytes file(dis::text_of_bytes(bytes, size));
  const dis::Grid grid{1, 1, {1}};
  const std::vector<dis::ArcTask> tasks{{"a", {{grid, grid, false}, {grid, grid, true}}},
                                        {"b", {{grid, grid, false}, {grid, grid, true}, {grid, grid, true}}}};
  return dis::check_reader([&] {
    for (const auto& problem : dis::check_submission(file.path(), tasks)) {
      if (problem.find('\n') != std::string::npos) throw std::logic_error("a problem of several lines: " + problem);
    }
  });
}
