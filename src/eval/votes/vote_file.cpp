#include "dis/eval/votes/vote_file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>

#include "dis/core/error.h"
#include "dis/core/event_file.h"

namespace dis {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kMagic = "DISVOTES";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kLongestFingerprint = 1 << 20;
constexpr std::size_t kVotesAtOnce = 4096;
/// Checksum, test input, prediction, probability, rows and columns.
constexpr std::size_t kFixedPart = 4 + 4 + 8 + 8 + 2;
constexpr std::size_t kChecksum = 4;

/// The bytes of a number; the machine is little endian (ballots.cpp).
template <class Number>
void put(std::string& bytes, Number number) {
  std::array<char, sizeof number> raw;
  std::memcpy(raw.data(), &number, sizeof number);
  bytes.append(raw.data(), raw.size());
}

template <class Number>
Number number_at(std::string_view bytes, std::size_t place) {
  Number number;
  std::memcpy(&number, bytes.data() + place, sizeof number);
  return number;
}

std::string header_for(const std::string& fingerprint) {
  ensure(fingerprint.size() <= kLongestFingerprint, "VoteFile", "a fingerprint of at most 1 MiB");
  std::string header(kMagic);
  put(header, kVersion);
  put(header, static_cast<std::uint32_t>(fingerprint.size()));
  header += fingerprint;
  put(header, crc32c(header));
  return header;
}

void put_record(std::string& bytes, const Ballot& ballot) {
  const std::size_t start = bytes.size();
  put(bytes, std::uint32_t{0});
  put(bytes, static_cast<std::uint32_t>(ballot.test));
  put(bytes, ballot.prediction);
  put(bytes, ballot.probability);
  bytes.append(reinterpret_cast<const char*>(ballot.grid.data()), ballot.grid.size());
  const auto checksum = crc32c(std::string_view(bytes).substr(start + kChecksum));
  std::memcpy(bytes.data() + start, &checksum, sizeof checksum);
}

class Reader {
 public:
  explicit Reader(const fs::path& path) : path_(path), stream_(path, std::ios::binary) {
    if (!stream_) throw file_error("read", path, errno);
    fingerprint_ = header();
  }

  const std::string& fingerprint() const { return fingerprint_; }
  /// Bytes of the header and of the records that were read.
  std::uint64_t good_bytes() const { return good_bytes_; }

  /// False at the end of the whole records.
  bool next(Ballots& to, std::int64_t least) {
    std::array<char, kFixedPart + kLargestPackedGrid> record;
    if (!fill(record.data(), kFixedPart)) return false;
    const std::string_view bytes(record.data(), record.size());
    const auto rows = static_cast<std::uint8_t>(record[kFixedPart - 2]);
    const auto columns = static_cast<std::uint8_t>(record[kFixedPart - 1]);
    if (rows > kLargestGrid || columns > kLargestGrid) return false;
    const std::size_t grid_start = kFixedPart - 2;
    const std::size_t size = grid_start + packed_size(rows, columns);
    if (!fill(record.data() + kFixedPart, size - kFixedPart)) return false;
    if (number_at<std::uint32_t>(bytes, 0) != crc32c(bytes.substr(kChecksum, size - kChecksum))) return false;
    const auto prediction = number_at<std::int64_t>(bytes, 8);
    if (prediction < least) {
      throw UserError(path_.string() + ": prediction " + std::to_string(prediction) +
                      " stands behind later ones; was it written by two processes at once? Remove it to begin anew");
    }
    const auto* grid = reinterpret_cast<const std::uint8_t*>(record.data()) + grid_start;
    to.add(prediction, number_at<std::uint32_t>(bytes, 4), number_at<double>(bytes, 16),
           PackedGrid(grid, size - grid_start));
    good_bytes_ += size;
    return true;
  }

 private:
  bool fill(char* to, std::size_t size) {
    stream_.read(to, static_cast<std::streamsize>(size));
    if (stream_.bad()) throw file_error("read", path_, errno);
    return stream_.good();
  }

  std::string header() {
    std::string bytes(kMagic.size() + 8, '\0');
    const bool begun = fill(bytes.data(), bytes.size()) && bytes.starts_with(kMagic);
    const auto version = number_at<std::uint32_t>(bytes, kMagic.size());
    const auto length = number_at<std::uint32_t>(bytes, kMagic.size() + 4);
    if (!begun || length > kLongestFingerprint) no_votes();
    if (version != kVersion) {
      throw UserError(path_.string() + ": expected votes of version " + std::to_string(kVersion) + ", found " +
                      std::to_string(version) + "; remove the file to begin anew");
    }
    const std::size_t start = bytes.size();
    bytes.resize(start + length + kChecksum);
    if (!fill(bytes.data() + start, length + kChecksum)) no_votes();
    const std::string_view checked = std::string_view(bytes).substr(0, start + length);
    if (number_at<std::uint32_t>(bytes, start + length) != crc32c(checked)) no_votes();
    good_bytes_ = bytes.size();
    return bytes.substr(start, length);
  }

  [[noreturn]] void no_votes() const {
    throw UserError(path_.string() + ": expected a file of votes, found something else; move it away or remove it");
  }

  fs::path path_;
  std::ifstream stream_;
  std::string fingerprint_;
  std::uint64_t good_bytes_ = 0;
};

}  // namespace

std::optional<std::string> VoteFile::fingerprint_of(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  return Reader(path).fingerprint();
}

VoteFile::VoteFile(const fs::path& path, const std::string& fingerprint, const Visit& visit) {
  const auto found = fingerprint_of(path);
  if (!found) {
    write_atomically(path, header_for(fingerprint));
  } else if (*found != fingerprint) {
    throw UserError(path.string() +
                    ": expected the votes of this evaluation, found those of another one (other weights, data or "
                    "settings); remove the file to begin anew");
  } else {
    read(path, visit);
  }
  file_.emplace(path);
}

void VoteFile::read(const fs::path& path, const Visit& visit) {
  Reader reader(path);
  Ballots ballots;
  for (bool more = true; more;) {
    ballots.clear();
    while (ballots.size() < kVotesAtOnce && (more = reader.next(ballots, next_))) {
      next_ = ballots[ballots.size() - 1].prediction + 1;
    }
    if (ballots.size() > 0) visit(ballots);
  }
  std::error_code error;
  if (fs::file_size(path, error) > reader.good_bytes() && !error) fs::resize_file(path, reader.good_bytes(), error);
  if (error) throw file_error("shorten", path, error.value());
}

void VoteFile::append(const Ballots& ballots) {
  std::string bytes;
  std::int64_t next = next_;
  for (std::size_t i = 0; i < ballots.size(); ++i) {
    const Ballot ballot = ballots[i];
    ensure(ballot.prediction >= next && ballot.test >= 0, "VoteFile::append", "predictions in rising order");
    next = ballot.prediction + 1;
    put_record(bytes, ballot);
  }
  file_->write(bytes);
  next_ = next;
}

}  // namespace dis
