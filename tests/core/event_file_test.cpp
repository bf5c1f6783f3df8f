#include "dis/core/event_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/temporary_folder.h"
#include "core/user_error.h"

namespace dis {
namespace {

/// A decoder written from the format's description, apart from the encoder.
class Reader {
 public:
  explicit Reader(std::string bytes) : bytes_(std::move(bytes)) {}
  bool at_end() const { return at_ == bytes_.size(); }
  std::string take(std::size_t count) {
    if (count > bytes_.size() - at_) throw std::runtime_error("the bytes end early");
    at_ += count;
    return bytes_.substr(at_ - count, count);
  }
  template <class T>
  T fixed() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(take(1)[0]);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

/// The fields of a message: number -> raw content (8 or 4 bytes, a varint as 8 bytes, or the bytes).
std::map<int, std::string> fields_of(const std::string& message) {
  std::map<int, std::string> fields;
  Reader reader(message);
  while (!reader.at_end()) {
    const std::uint64_t key = reader.varint();
    std::string& content = fields[static_cast<int>(key >> 3)];
    switch (key & 7) {
      case 0: {
        const std::uint64_t value = reader.varint();
        content.assign(reinterpret_cast<const char*>(&value), sizeof value);
        break;
      }
      case 1:
        content = reader.take(8);
        break;
      case 2:
        content = reader.take(reader.varint());
        break;
      case 5:
        content = reader.take(4);
        break;
      default:
        throw std::runtime_error("unknown wire type");
    }
  }
  return fields;
}

template <class T>
T number(const std::string& raw) {
  T value;
  if (raw.size() != sizeof value) throw std::runtime_error("a number of another size");
  std::memcpy(&value, raw.data(), sizeof value);
  return value;
}

std::uint32_t masked(const std::string& bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

/// The events of a file, CRCs checked.
std::vector<std::map<int, std::string>> events_of(const std::filesystem::path& path) {
  Reader reader(read_text(path));
  std::vector<std::map<int, std::string>> events;
  while (!reader.at_end()) {
    const std::string length = reader.take(8);
    EXPECT_EQ(reader.fixed<std::uint32_t>(), masked(length));
    const std::string data = reader.take(number<std::uint64_t>(length));
    EXPECT_EQ(reader.fixed<std::uint32_t>(), masked(data));
    events.push_back(fields_of(data));
  }
  return events;
}

TEST(Crc32c, KnownAnswers) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
  // RFC 3720, B.4.
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43U);
  std::string ascending;
  for (char i = 0; i < 32; ++i) ascending.push_back(i);
  EXPECT_EQ(crc32c(ascending), 0x46DD794EU);
}

TEST(EventFile, HoldsWhatWasPutIn) {
  const TemporaryFolder folder;
  std::filesystem::path path;
  {
    EventFile file(folder.path(), 0);
    path = file.path();
    file.scalar("train/loss", 1, 0.5);
    file.scalar("train/loss", 200, -1e-3);  // a step whose varint needs a second byte for one bit
    file.scalar("lr", 1LL << 40, std::nan(""));
  }
  const auto events = events_of(path);
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(events[0].at(3), "brain.Event:2");
  EXPECT_EQ(number<std::uint64_t>(events[1].at(2)), 0U);
  EXPECT_EQ(number<std::uint64_t>(fields_of(events[1].at(7)).at(1)), 1U);  // SessionLog.START

  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  for (const auto& event : events) EXPECT_NEAR(number<double>(event.at(1)), now, 60);
  const auto value_of = [&](std::size_t i) { return fields_of(fields_of(events[i].at(5)).at(1)); };
  EXPECT_EQ(value_of(2).at(1), "train/loss");
  EXPECT_EQ(number<std::uint64_t>(events[2].at(2)), 1U);
  EXPECT_EQ(number<float>(value_of(2).at(2)), 0.5F);
  EXPECT_EQ(number<std::uint64_t>(events[3].at(2)), 200U);
  EXPECT_EQ(number<float>(value_of(3).at(2)), -1e-3F);
  EXPECT_EQ(value_of(4).at(1), "lr");
  EXPECT_EQ(number<std::uint64_t>(events[4].at(2)), 1ULL << 40);
  EXPECT_TRUE(std::isnan(number<float>(value_of(4).at(2))));
}

TEST(EventFile, FlushMakesEventsVisible) {
  const TemporaryFolder folder;
  EventFile file(folder.path(), 0);
  EXPECT_EQ(events_of(file.path()).size(), 2U);
  file.scalar("a", 1, 1);
  file.flush();
  EXPECT_EQ(events_of(file.path()).size(), 3U);
  for (int i = 0; i < 10'000; ++i) file.scalar("a", i, 1);  // more than is kept in memory
  EXPECT_GT(std::filesystem::file_size(file.path()), 100'000U);
}

TEST(EventFile, NoPointWaitsForHalfAMinute) {
  const TemporaryFolder folder;
  double now = 1000;
  EventFile file(folder.path(), 0, [&] { return now; });
  const auto points = [&] { return events_of(file.path()).size() - 2; };
  file.scalar("a", 1, 1);
  now += 29.9;
  file.scalar("a", 2, 1);
  EXPECT_EQ(points(), 0U);
  now += 0.2;
  file.scalar("a", 3, 1);
  EXPECT_EQ(points(), 3U);
  file.scalar("a", 4, 1);
  now += 60;  // an update a minute: its points do not wait for those of the next
  file.scalar("a", 5, 1);
  file.scalar("b", 5, 1);
  file.flush_if_due();
  EXPECT_EQ(points(), 5U);
  now += 30;
  file.flush_if_due();
  EXPECT_EQ(points(), 6U);
}

TEST(EventFile, AResumedRunHasAFileBehindTheOthersThatStartsAtItsStep) {
  const TemporaryFolder folder;
  const EventFile first(folder.path(), 0);
  const EventFile second(folder.path(), 51);
  const std::string name = first.path().filename().string();
  EXPECT_TRUE(name.starts_with("events.out.tfevents.")) << name;
  EXPECT_TRUE(name.ends_with("." + std::to_string(::getpid()))) << name;
  EXPECT_LT(first.path(), second.path());
  const auto events = events_of(second.path());
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(number<std::uint64_t>(events[1].at(2)), 51U);
}

TEST(EventFile, AMissingFolderIsTheUsersError) {
  const TemporaryFolder folder;
  EXPECT_TRUE(contains(user_error_of([&] { EventFile(folder / "absent", 0); }), "cannot write"));
}

}  // namespace
}  // namespace dis
