// What must hold for a reader of foreign bytes, whatever they are: it takes them, or throws a UserError of one line.
// Each tests/fuzz/*_fuzz.cpp hands libFuzzer's bytes to one reader; corpus_test.cpp does so with tests/fuzz/corpus.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "dis/core/error.h"

namespace dis {

inline std::string_view text_of_bytes(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

/// A file in memory.
class FileOfBytes {
 public:
  explicit FileOfBytes(std::string_view bytes) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (descriptor_ < 0 || ::write(descriptor_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
      std::perror("memfd");
      std::abort();
    }
  }
  ~FileOfBytes() { ::close(descriptor_); }
  FileOfBytes(const FileOfBytes&) = delete;
  FileOfBytes& operator=(const FileOfBytes&) = delete;

  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

/// Runs `read`; ends the program at an error that is no UserError, or one of several lines.
template <class Read>
int check_reader(Read&& read) {
  try {
    read();
  } catch (const UserError& error) {
    for (const char* c = error.what(); *c != '\0'; ++c) {
      if (*c != '\n') continue;
      std::fprintf(stderr, "a message of several lines: %s\n", error.what());
      std::abort();
    }
  }
  return 0;
}

}  // namespace dis
