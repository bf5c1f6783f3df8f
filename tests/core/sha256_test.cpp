#include "dis/core/sha256.h"

#include <gtest/gtest.h>

#include <utility>

namespace dis {
namespace {

// The examples of FIPS 180-2, and the empty text.
constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kMillionTimesA = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, EqualsThePublishedExamples) {
  EXPECT_EQ(sha256_hex(""), kEmpty);
  EXPECT_EQ(sha256_hex("abc"), kAbc);
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, PiecesGiveTheHashOfTheWhole) {
  const std::string text(1'000'000, 'a');
  for (const std::size_t piece : {1000UL, 63UL, 64UL, 999'999UL}) {
    Sha256 hash;
    for (std::size_t at = 0; at < text.size(); at += piece) hash.update(std::string_view(text).substr(at, piece));
    EXPECT_EQ(hash.hex(), kMillionTimesA) << piece;
  }
}

TEST(Sha256, StartsAnewAfterTheHash) {
  Sha256 hash;
  hash.update("abc");
  EXPECT_EQ(hash.hex(), kAbc);
  EXPECT_EQ(hash.hex(), kEmpty);
  hash.update("a");
  Sha256 moved = std::move(hash);
  moved.update("bc");
  EXPECT_EQ(moved.hex(), kAbc);
}

}  // namespace
}  // namespace dis
