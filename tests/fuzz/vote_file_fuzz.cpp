// Votes as they are, and with checksums that fit, without which nothing behind them would be reached.
#include "dis/eval/votes/vote_file.h"

#include <algorithm>

#include "dis/core/event_file.h"
#include "fuzz/reader_check.h"

namespace {

std::string checksum_of(std::string_view bytes) {
  const std::uint32_t checksum = dis::crc32c(bytes);
  return {reinterpret_cast<const char*>(&checksum), sizeof checksum};
}

/// A header for the fingerprint "f", then records of what the bytes say, each after its length.
std::string with_checksums(std::string_view bytes) {
  using namespace std::string_literals;
  std::string file = "DISVOTES\1\0\0\0\1\0\0\0f"s;
  file += checksum_of(file);
  while (!bytes.empty()) {
    const auto size = std::min<std::size_t>(static_cast<unsigned char>(bytes.front()), bytes.size() - 1);
    file += checksum_of(bytes.substr(1, size));
    file += bytes.substr(1, size);
    bytes.remove_prefix(1 + size);
  }
  return file;
}

void read(const std::string& bytes) {
  const dis::FileOfBytes file(bytes);
  dis::check_reader([&] {
    dis::VoteFile votes(file.path(), "f", [](const dis::Ballots& ballots) {
      for (std::size_t i = 0; i < ballots.size(); ++i) static_cast<void>(dis::unpack_grid(ballots[i].grid));
    });
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = dis::text_of_bytes(bytes, size);
  read(std::string(text));
  read(with_checksums(text));
  return 0;
}
