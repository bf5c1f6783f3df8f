// Damaged texts for the readers of ARC's JSON, drawn at random from a fixed seed. tests/fuzz has the endless version.
#include <gtest/gtest.h>

#include "data/arc_text_check.h"
#include "dis/core/random.h"

namespace dis {
namespace {

const std::vector<std::string> kPieces{"[",
                                       "]",
                                       "{",
                                       "}",
                                       ",",
                                       ":",
                                       "null",
                                       "true",
                                       "10",
                                       "-1",
                                       "-0",
                                       "1.0",
                                       "1e999",
                                       "[[]]",
                                       "[[0]]",
                                       "{}",
                                       "\"\"",
                                       "\"a\"",
                                       "\"train\"",
                                       "\"test\"",
                                       "\\",
                                       "\"",
                                       "\x1b[m",
                                       "\xff",
                                       "\n",
                                       "[[1, 2], [3]]",
                                       "\"input\": [[1]]",
                                       "\"output\": null",
                                       "\"a|||b\": "};

class Damage {
 public:
  explicit Damage(std::uint64_t number) : draws_(1, Purpose::test, 0, number) {}

  std::string of(std::string text) {
    for (auto changes = 1 + draws_.below(3); changes > 0; --changes) change(text);
    return text;
  }
  std::uint32_t below(std::uint32_t n) { return draws_.below(n); }

 private:
  std::size_t place(const std::string& text) { return draws_.below(static_cast<std::uint32_t>(text.size()) + 1); }

  void change(std::string& text) {
    const std::size_t at = place(text);
    const std::size_t length = std::min<std::size_t>(1 + draws_.below(12), text.size() - at);
    switch (draws_.below(6)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(draws_.below(256));
        break;
      case 1:
        if (at < text.size()) text[at] = static_cast<char>('0' + draws_.below(10));
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3: {
        const std::string copy = text.substr(at, length);
        text.insert(place(text), copy);
        break;
      }
      case 4:
        text.resize(at);
        break;
      default:
        text.insert(at, kPieces[draws_.below(static_cast<std::uint32_t>(kPieces.size()))]);
    }
  }

  Draws draws_;
};

TEST(ArcFuzz, GoodTextsAreAccepted) {
  for (const std::string& text : good_arc_texts()) {
    const ArcTextCheck check = check_arc_readers(text);
    EXPECT_EQ(check.mistake, "") << text;
    EXPECT_GE(check.accepted, 1) << text;
  }
}

TEST(ArcFuzz, DamagedTextsAreReadOrRefused) {
  const auto texts = good_arc_texts();
  std::int64_t accepted = 0;
  constexpr std::int64_t kTexts = 40000;
  for (std::int64_t i = 0; i < kTexts; ++i) {
    Damage damage(static_cast<std::uint64_t>(i));
    const std::string text = damage.of(texts[damage.below(static_cast<std::uint32_t>(texts.size()))]);
    const ArcTextCheck check = check_arc_readers(text);
    ASSERT_EQ(check.mistake, "") << "text " << i << ": " << text;
    accepted += check.accepted > 0;
  }
  // Both happen, or the damage is of the wrong size.
  EXPECT_GT(accepted, kTexts / 100);
  EXPECT_LT(accepted, kTexts / 2);
}

TEST(ArcFuzz, DeepAndHugeTextsAreRefusedOrIgnored) {
  const auto many = [](const std::string& piece, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += piece;
    return text;
  };
  constexpr int kMany = 300000;
  EXPECT_EQ(check_arc_readers(many("[", kMany)).mistake, "");
  EXPECT_EQ(check_arc_readers(many("{\"a\":", kMany)).mistake, "");
  EXPECT_EQ(check_arc_readers("{\"train\": " + many("[", kMany) + many("]", kMany) + "}").mistake, "");

  const std::string pairs = R"("train": [{"input": [[0]], "output": [[0]]}], "test": [{"input": [[0]]}]})";
  const auto ignored = [&](const std::string& value) {
    return check_arc_readers("{\"note\": " + value + ", " + pairs).accepted;
  };
  EXPECT_EQ(ignored(many("[", kMany) + many("]", kMany)), 1);
  EXPECT_EQ(ignored(many("{\"a\":", kMany) + "1" + many("}", kMany)), 1);
  EXPECT_EQ(ignored("\"" + many("long ", kMany) + "\""), 1);
  std::string keys = "{\"k\": 0";
  for (int i = 0; i < kMany; ++i) keys += ", \"" + std::to_string(i) + "\": 0";
  EXPECT_EQ(ignored(keys + "}"), 1) << "many keys must not take quadratic time";

  std::string tasks = "{";
  for (int i = 0; i < 20000; ++i) tasks += (i > 0 ? ", \"t" : "\"t") + std::to_string(i) + "\": {" + pairs;
  EXPECT_EQ(check_arc_readers(tasks + "}").accepted, 1);
  EXPECT_EQ(check_arc_readers("{\"a\": {\"train\": [{\"input\": [[" + many("0, ", kMany) + "0]]}]}}").mistake, "");
}

}  // namespace
}  // namespace dis
