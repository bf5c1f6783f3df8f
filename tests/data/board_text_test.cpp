#include "dis/data/boards/board_text.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace dis {
namespace {

BoardView view(const std::string& title, const std::string& input, const std::string& answer) {
  BoardView result{title, {}, {}};
  for (const char c : input) result.input.push_back(static_cast<std::uint8_t>(c - '0'));
  for (const char c : answer) result.answer.push_back(c - '0');
  return result;
}

const std::string kInput = "1211111111111111";

TEST(BoardText, MarksGivenPlacedWrongAndUnknownCells) {
  EXPECT_EQ(board_text(std::vector{view("", kInput, "1211111221111121")}, {}),
            ". Q . .\n"
            ". . . q\n"
            "q . . .\n"
            ". . q .\n");
  // a queen in the given's column, one pair on a diagonal, a pad token
  EXPECT_EQ(board_text(std::vector{view("", kInput, "1211121111211110")}, {}),
            ". Q . .\n"
            ". x . .\n"
            ". . x .\n"
            ". . . ?\n");
  EXPECT_EQ(board_text(std::vector{view("", kInput, "1111111221111111")}, {}),
            ". ! . .\n"
            ". . . q\n"
            "q . . .\n"
            ". . . .\n");
}

TEST(BoardText, EveryWayToAttackIsMarked) {
  const std::string empty(16, '1');
  const auto attacks = [&](const std::string& answer) {
    const std::string text = board_text(std::vector{view("", empty, answer)}, {});
    return std::count(text.begin(), text.end(), 'x');
  };
  EXPECT_EQ(attacks("2112111111111111"), 2);  // a row
  EXPECT_EQ(attacks("1211111111111211"), 2);  // a column
  EXPECT_EQ(attacks("2111111111111112"), 2);  // falling diagonal
  EXPECT_EQ(attacks("1112111111112111"), 2);  // rising diagonal
  EXPECT_EQ(attacks("1211111221111121"), 0);
}

TEST(BoardText, BoardsStandSideBySideUnderTheirTitles) {
  EXPECT_EQ(board_text(std::vector{view("given", kInput, ""), view("a long title", kInput, "1211111221111121")}, {}),
            "given          a long title\n"
            ". Q . .        . Q . .\n"
            ". . . .        . . . q\n"
            ". . . .        q . . .\n"
            ". . . .        . . q .\n");
}

TEST(BoardText, BoardsWrapAtTheWidth) {
  const std::vector<BoardView> views(5, view("step", kInput, ""));
  const std::string text =
      board_text(views, {.colour = false, .width = 27});  // two of 7 columns and a gap: 17, three: 27
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5 + 1 + 5);
  EXPECT_EQ(text.substr(0, text.find('\n')), "step      step      step");
  const std::string narrow = board_text(views, {.colour = false, .width = 3});  // always at least one
  EXPECT_EQ(std::count(narrow.begin(), narrow.end(), '\n'), 5 * 6 - 1);
}

TEST(BoardText, ColourIsResetAndPlainHasNone) {
  const auto one = std::vector{view("", kInput, "1211121111211110")};
  const std::string coloured = board_text(one, {.colour = true});
  EXPECT_NE(coloured.find("\x1b[48;2;"), std::string::npos);
  EXPECT_EQ(coloured.substr(coloured.size() - 5), "\x1b[0m\n");
  EXPECT_EQ(board_text(one, {}).find('\x1b'), std::string::npos);
  EXPECT_NE(coloured.find("\u265b"), std::string::npos);
  const std::string ascii = board_text(one, {.colour = true, .unicode = false});
  EXPECT_TRUE(std::ranges::all_of(ascii, [](char c) { return c > 0; })) << ascii;
  EXPECT_NE(ascii.find("mQ "), std::string::npos) << ascii;
  EXPECT_EQ(board_text({}, {}), "");
}

}  // namespace
}  // namespace dis
