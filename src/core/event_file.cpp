#include "dis/core/event_file.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <system_error>
#include <utility>

#include "dis/core/clock.h"
#include "dis/core/log.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNamePrefix = "events.out.tfevents.";
constexpr std::size_t kFlushBytes = 1 << 16;

// Numbers of the fields of Event, Summary, Summary.Value and SessionLog, with the wire types that they have.
constexpr std::uint8_t kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;
constexpr std::uint8_t kEventWallTime = 1 << 3 | kFixed64;
constexpr std::uint8_t kEventStep = 2 << 3 | kVarint;
constexpr std::uint8_t kEventFileVersion = 3 << 3 | kBytes;
constexpr std::uint8_t kEventSummary = 5 << 3 | kBytes;
constexpr std::uint8_t kEventSessionLog = 7 << 3 | kBytes;
constexpr std::uint8_t kSummaryValue = 1 << 3 | kBytes;
constexpr std::uint8_t kValueTag = 1 << 3 | kBytes;
constexpr std::uint8_t kValueSimple = 2 << 3 | kFixed32;
constexpr std::uint8_t kSessionStatus = 1 << 3 | kVarint;
constexpr std::uint64_t kSessionStart = 1;

void put_little_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void put_bytes(std::string& out, std::uint8_t key, std::string_view bytes) {
  out.push_back(static_cast<char>(key));
  put_varint(out, bytes.size());
  out.append(bytes);
}

/// The fields that every Event has.
std::string event_at(std::int64_t step) {
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::string event(1, static_cast<char>(kEventWallTime));
  put_little_endian(event, std::bit_cast<std::uint64_t>(now), 8);
  event.push_back(static_cast<char>(kEventStep));
  put_varint(event, static_cast<std::uint64_t>(step));
  return event;
}

std::uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xA282EAD8U; }

/// TensorBoard reads the files of a folder in the order of their names, so a resumed run must come behind the earlier
/// ones even within one second or after the clock was set back.
fs::path new_name(const fs::path& folder) {
  std::int64_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kNamePrefix)) continue;
    const std::int64_t theirs = std::strtoll(name.c_str() + kNamePrefix.size(), nullptr, 10);
    if (theirs < 9'999'999'999) seconds = std::max(seconds, theirs + 1);
  }
  char host[256] = "localhost";
  ::gethostname(host, sizeof host - 1);
  char digits[32];
  std::snprintf(digits, sizeof digits, "%010lld", static_cast<long long>(seconds));
  return folder / (std::string(kNamePrefix) + digits + "." + host + "." + std::to_string(::getpid()));
}

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (value & 1 ? 0x82F63B78U : 0U);
    table[byte] = value;
  }
  return table;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr auto kTable = crc_table();
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) crc = kTable[(crc ^ static_cast<std::uint8_t>(byte)) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

EventFile::EventFile(const fs::path& folder, std::int64_t start_step, std::function<double()> clock)
    : path_(new_name(folder)), file_(path_), clock_(clock ? std::move(clock) : steady_seconds) {
  std::string version = event_at(0);
  put_bytes(version, kEventFileVersion, "brain.Event:2");
  add_record(version);

  std::string session(1, static_cast<char>(kSessionStatus));
  put_varint(session, kSessionStart);
  std::string start = event_at(start_step);
  put_bytes(start, kEventSessionLog, session);
  add_record(start);
  flush();
}

EventFile::~EventFile() {
  try {
    flush();
  } catch (const std::exception& error) {
    log_warn(error.what());
  }
}

void EventFile::scalar(std::string_view tag, std::int64_t step, double value) {
  std::string point;
  put_bytes(point, kValueTag, tag);
  point.push_back(static_cast<char>(kValueSimple));
  put_little_endian(point, std::bit_cast<std::uint32_t>(static_cast<float>(value)), 4);
  std::string summary;
  put_bytes(summary, kSummaryValue, point);
  std::string event = event_at(step);
  put_bytes(event, kEventSummary, summary);
  add_record(event);
  if (pending_.size() >= kFlushBytes) flush();
  flush_if_due();
}

void EventFile::flush_if_due() {
  if (clock_() - flushed_at_ >= kEventSeconds) flush();
}

void EventFile::flush() {
  flushed_at_ = clock_();
  if (pending_.empty()) return;
  file_.write(std::exchange(pending_, {}));
}

void EventFile::add_record(std::string_view event) {
  std::string length;
  put_little_endian(length, event.size(), 8);
  pending_ += length;
  put_little_endian(pending_, masked_crc(length), 4);
  pending_ += event;
  put_little_endian(pending_, masked_crc(event), 4);
}

}  // namespace dis
