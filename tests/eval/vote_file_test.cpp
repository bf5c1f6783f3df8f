#include "dis/eval/votes/vote_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"
#include "dis/core/random.h"
#include "made_up_votes.h"

namespace dis {
namespace {

constexpr std::int64_t kTests = 4;
constexpr std::size_t kVotes = 5000;
constexpr std::size_t kBatch = 300;

void nothing(const Ballots&) {}

/// An evaluation as the header describes it; stops in front of row `end`.
void evaluate(const MadeUpVotes& votes, const std::filesystem::path& path, VoteBook& book, std::size_t end = kVotes) {
  VoteFile file(path, "weights 1", [&](const Ballots& ballots) { book.add(ballots); });
  Ballots ballots;
  for (std::size_t first = 0; first < end; first += kBatch) {
    const std::size_t last = std::min(first + kBatch, kVotes);
    if (static_cast<std::int64_t>(last) <= file.next_prediction()) continue;
    ballots.read(votes.batch(first, last), 2);
    ballots.drop_before(file.next_prediction());
    file.append(ballots);
    book.add(ballots);
  }
}

TEST(VoteFile, AResumedEvaluationEqualsAWholeOne) {
  const TemporaryFolder folder;
  const auto votes = made_up_votes(kVotes, kTests, 0);
  VoteBook whole(kTests);
  whole.add(votes.all(), 1);
  Draws draws(0, Purpose::test, 3, 0);
  for (int trial = 0; trial < 8; ++trial) {
    const auto path = folder / ("votes" + std::to_string(trial));
    {
      VoteBook book(kTests);
      evaluate(votes, path, book, 1 + draws.below(kVotes));
    }
    // A crash that left the last batch in part, or all of it.
    const auto size = std::filesystem::file_size(path);
    std::filesystem::resize_file(path, size - (trial == 0 ? 0 : draws.below(3000)));
    VoteBook book(kTests);
    evaluate(votes, path, book);
    expect_same(book, whole);
    // And once more, from the file alone.
    VoteBook again(kTests);
    VoteFile file(path, "weights 1", [&](const Ballots& ballots) { again.add(ballots); });
    expect_same(again, whole);
  }
}

/// Five votes, and where each record of the file ends.
struct SmallFile {
  explicit SmallFile(const std::filesystem::path& path) {
    VoteFile file(path, "f", nothing);
    ends.push_back(std::filesystem::file_size(path));
    for (std::int64_t i = 0; i < 5; ++i) {
      Ballots ballots;
      ballots.add(2 * i, i % 2, 0.25 * static_cast<double>(i),
                  grid_from_text(i == 3 ? "" : "12/34/5" + std::to_string(i)));
      file.append(ballots);
      ends.push_back(std::filesystem::file_size(path));
    }
    bytes = read_text(path);
  }
  std::vector<std::uintmax_t> ends;
  std::string bytes;
};

/// The votes in a file: "prediction test probability grid", and what it would go on with.
std::vector<std::string> contents(const std::filesystem::path& path, std::int64_t* next = nullptr) {
  std::vector<std::string> lines;
  VoteFile file(path, "f", [&](const Ballots& ballots) {
    for (std::size_t i = 0; i < ballots.size(); ++i) {
      const Ballot ballot = ballots[i];
      lines.push_back(std::to_string(ballot.prediction) + " " + std::to_string(ballot.test) + " " +
                      std::to_string(ballot.probability) + " " + to_text(unpack_grid(ballot.grid)));
    }
  });
  if (next != nullptr) *next = file.next_prediction();
  return lines;
}

TEST(VoteFile, HoldsWhatWasAppended) {
  const TemporaryFolder folder;
  const SmallFile small(folder / "votes");
  std::int64_t next = 0;
  EXPECT_EQ(contents(folder / "votes", &next),
            (std::vector<std::string>{"0 0 0.000000 12/34/50", "2 1 0.250000 12/34/51", "4 0 0.500000 12/34/52",
                                      "6 1 0.750000 ", "8 0 1.000000 12/34/54"}));
  EXPECT_EQ(next, 9);
  EXPECT_EQ(read_text(folder / "votes"), small.bytes) << "reading must not change the file";
}

TEST(VoteFile, ATornTailIsDropped) {
  const TemporaryFolder folder;
  const auto path = folder / "votes";
  const SmallFile small(path);
  const auto all = contents(path);
  for (std::size_t size = small.ends[0]; size < small.bytes.size(); ++size) {
    write_atomically(path, small.bytes.substr(0, size));
    std::size_t whole = 0;
    while (small.ends[whole + 1] <= size) ++whole;
    EXPECT_EQ(contents(path), std::vector<std::string>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(whole)));
    EXPECT_EQ(std::filesystem::file_size(path), small.ends[whole]);
  }
  // Zeros behind the end, as some file systems leave them.
  write_atomically(path, small.bytes + std::string(100, '\0'));
  EXPECT_EQ(contents(path), all);
  EXPECT_EQ(read_text(path), small.bytes);
}

TEST(VoteFile, ADamagedRecordEndsTheVotes) {
  const TemporaryFolder folder;
  const auto path = folder / "votes";
  const SmallFile small(path);
  for (std::size_t place = small.ends[2]; place < small.ends[3]; ++place) {
    auto damaged = small.bytes;
    damaged[place] = static_cast<char>(damaged[place] ^ 0x10);
    write_atomically(path, damaged);
    EXPECT_EQ(contents(path).size(), 2U) << "byte " << place;
  }
}

TEST(VoteFile, GoesOnBehindATornTail) {
  const TemporaryFolder folder;
  const auto path = folder / "votes";
  const SmallFile small(path);
  write_atomically(path, small.bytes.substr(0, small.bytes.size() - 3));
  {
    VoteFile file(path, "f", nothing);
    EXPECT_EQ(file.next_prediction(), 7);
    Ballots ballots;
    ballots.add(8, 0, 1.0, grid_from_text("12/34/54"));
    file.append(ballots);
    file.sync();
    EXPECT_EQ(file.next_prediction(), 9);
  }
  EXPECT_EQ(read_text(path), small.bytes);
}

TEST(VoteFile, FingerprintsAreTold) {
  const TemporaryFolder folder;
  const auto path = folder / "votes";
  EXPECT_EQ(VoteFile::fingerprint_of(path), std::nullopt);
  { VoteFile file(path, "one\nand two", nothing); }
  EXPECT_EQ(VoteFile::fingerprint_of(path), "one\nand two");
  const auto before = read_text(path);
  const auto message = user_error_of([&] { VoteFile(path, "three", nothing); });
  EXPECT_TRUE(contains(message, path.string())) << message;
  EXPECT_TRUE(contains(message, "another")) << message;
  EXPECT_EQ(read_text(path), before);
}

TEST(VoteFile, OtherFilesAreRefused) {
  const TemporaryFolder folder;
  const auto path = folder / "votes";
  const SmallFile small(path);
  auto version = small.bytes;
  version[8] = 9;
  auto fingerprint = small.bytes;
  fingerprint[16] = 'g';
  auto length = small.bytes;
  length[15] = 'x';
  for (const auto& bytes : {std::string(), std::string("DISVOT"), std::string(5000, 'x'), small.bytes.substr(0, 18),
                            version, fingerprint, length}) {
    write_atomically(path, bytes);
    const auto message = user_error_of([&] { VoteFile(path, "f", nothing); });
    EXPECT_TRUE(contains(message, path.string())) << message;
    EXPECT_TRUE(contains(message, "remove")) << message;
    EXPECT_EQ(read_text(path), bytes);
  }
  user_error_of([&] { VoteFile(folder.path(), "f", nothing); });
  user_error_of([&] { VoteFile(folder / "no" / "such", "f", nothing); });
}

TEST(VoteFile, PredictionsMustRise) {
  const TemporaryFolder folder;
  VoteFile file(folder / "votes", "f", nothing);
  Ballots ballots;
  ballots.add(3, 0, 0.5, grid_from_text("1"));
  file.append(ballots);
  EXPECT_THROW(file.append(ballots), std::logic_error);
  EXPECT_EQ(file.next_prediction(), 4);
  // Two processes that append to the same file.
  const auto path = folder / "votes";
  const auto bytes = read_text(path);
  write_atomically(path, bytes + bytes.substr(bytes.size() - 27));
  EXPECT_TRUE(contains(user_error_of([&] { VoteFile(path, "f", nothing); }), "prediction 3"));
}

}  // namespace
}  // namespace dis
