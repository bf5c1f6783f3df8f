// The bytes that fuzzing began from and what it found, each through its reader, without clang and for a moment.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>

#include "dis/core/files.h"

// clang-format off: it would go back and forth between two forms
#define DIS_FUZZ_TARGETS(X)                                                                                \
  X(arc_reader)                                                                                            \
  X(puzzle_csv) X(board_file) X(config) X(grid_puzzles) X(identifiers) X(npy) X(safetensors) X(state_json) \
      X(submission) X(torch_file) X(trajectories) X(vote_file)
// clang-format on

#define DIS_DECLARE(name) extern "C" int name##_fuzz(const std::uint8_t*, std::size_t);
DIS_FUZZ_TARGETS(DIS_DECLARE)
#undef DIS_DECLARE

namespace dis {
namespace {

using FuzzTarget = int (*)(const std::uint8_t*, std::size_t);

/// Every file, and each cut short: how far a reader gets must not matter.
void run_corpus(const std::string& name, FuzzTarget target) {
  int files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(DIS_SOURCE_DIR) / "tests/fuzz/corpus" / name)) {
    SCOPED_TRACE(entry.path().string());
    const std::string bytes = read_bytes(entry.path());
    const std::size_t step = std::max<std::size_t>(1, bytes.size() / 64);
    for (std::size_t size = 0; size < bytes.size(); size += step) {
      target(reinterpret_cast<const std::uint8_t*>(bytes.data()), size);
    }
    EXPECT_EQ(target(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()), 0);
    ++files;
  }
  EXPECT_GT(files, 0) << name;
}

#define DIS_TEST(name) \
  TEST(FuzzCorpus, name) { run_corpus(#name, &name##_fuzz); }
DIS_FUZZ_TARGETS(DIS_TEST)
#undef DIS_TEST

}  // namespace
}  // namespace dis
