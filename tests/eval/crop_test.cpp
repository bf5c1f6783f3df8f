#include "dis/eval/votes/crop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "dis/core/json.h"
#include "dis/core/random.h"
#include "dis/core/safetensors.h"

namespace dis {
namespace {

/// Tokens of a square field: '.' pad, '|' end marker, a digit for a colour, '!' a token that does not exist.
std::vector<std::uint8_t> field(const std::string& text) {
  std::vector<std::uint8_t> tokens;
  for (const char c : text) {
    if (c == ' ') continue;
    tokens.push_back(c == '.' ? 0 : c == '|' ? 1 : c == '!' ? 12 : static_cast<std::uint8_t>(c - '0' + 2));
  }
  return tokens;
}

std::string cropped(const std::string& text) {
  const auto tokens = field(text);
  int side = 1;
  while (static_cast<std::size_t>(side * side) < tokens.size()) ++side;
  return to_text(crop_prediction(tokens, side));
}

/// The rule, word for word.
GridSize slow_crop(const std::vector<std::uint8_t>& tokens, int side) {
  const auto colours_from_left = [&](int row) {
    int count = 0;
    while (count < side) {
      const auto token = tokens[static_cast<std::size_t>(row * side + count)];
      if (token < 2 || token > 11) break;
      ++count;
    }
    return count;
  };
  GridSize best;
  for (int rows = 1; rows <= side; ++rows) {
    int width = side;
    for (int row = 0; row < rows; ++row) width = std::min(width, colours_from_left(row));
    if (rows * width > best.rows * best.columns) best = {rows, width};
  }
  return best;
}

TEST(Crop, GridsWithEndMarkers) {
  EXPECT_EQ(cropped("12|. 34|. ||.. ...."), "12/34");
  EXPECT_EQ(cropped("1234 5678 9012 3456"), "1234/5678/9012/3456");
  EXPECT_EQ(cropped("123| 456| |||. ...."), "123/456");
  EXPECT_EQ(cropped("0"), "0");
}

TEST(Crop, WithoutAColourInTheCornerTheAnswerIsEmpty) {
  for (const char* text : {".123 4567 8901 2345", "|... .... .... ....", "!123 1234 1234 1234", "."}) {
    const auto tokens = field(text);
    const int side = tokens.size() == 1 ? 1 : 4;
    const Grid grid = crop_prediction(tokens, side);
    EXPECT_EQ(grid, Grid{}) << text;
  }
}

TEST(Crop, TheLargestAreaWinsAndTheFirstOnTies) {
  EXPECT_EQ(cropped("1234 12.. 12.. 1..."), "12/12/12");     // 4, 4, 6, 4
  EXPECT_EQ(cropped("1234 12.. 1... 1..."), "1234");         // 4, 4, 3, 4: the first of three fours
  EXPECT_EQ(cropped("123. 123. 1... 1..."), "123/123");      // 3, 6, 3, 4
  EXPECT_EQ(cropped("12.. 1234 1234 1234"), "12/12/12/12");  // the first row bounds all others
  EXPECT_EQ(cropped("1... .... 1234 1234"), "1");            // nothing below an empty row counts
  EXPECT_EQ(cropped("1.34 1234 1!34 1234"), "1/1/1/1");      // a hole ends the run
}

TEST(Crop, EqualsTheRuleOnRandomFields) {
  Draws draws(0, Purpose::test, 0, 0);
  int empty = 0, whole = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    const int side = 1 + static_cast<int>(draws.below(30));
    const auto rarity = 1 + draws.below(400);  // of tokens that are no colours
    std::vector<std::uint8_t> tokens;
    for (int i = 0; i < side * side; ++i) {
      constexpr std::uint8_t kNoColours[]{0, 1, 12, 127, 130, 255};
      const bool hole = draws.below(rarity) == 0;
      tokens.push_back(hole ? kNoColours[draws.below(6)] : static_cast<std::uint8_t>(2 + draws.below(10)));
    }
    const auto size = slow_crop(tokens, side);
    EXPECT_EQ(crop_size(tokens, side), size);
    const std::vector<std::int32_t> wide(tokens.begin(), tokens.end());
    EXPECT_EQ(crop_size(wide, side), size);
    const Grid grid = crop_prediction(tokens, side);
    EXPECT_EQ(grid, crop_prediction(wide, side));
    ASSERT_EQ(grid.rows, size.rows);
    ASSERT_EQ(grid.cells.size(), static_cast<std::size_t>(size.rows * size.columns));
    for (int row = 0; row < size.rows; ++row) {
      for (int column = 0; column < size.columns; ++column) {
        ASSERT_EQ(grid.at(row, column) + 2, tokens[static_cast<std::size_t>(row * side + column)]);
      }
    }
    empty += size.rows == 0 ? 1 : 0;
    whole += size.rows == side && size.columns == side ? 1 : 0;
  }
  EXPECT_GT(empty, 5);
  EXPECT_GT(whole, 50);
}

TEST(Crop, NegativeTokensAreNoColours) {
  const std::vector<std::int32_t> tokens{5, -100, 5, 5};
  EXPECT_EQ(to_text(crop_prediction(tokens, 2)), "3/3");
}

TEST(Crop, AnotherLengthIsRefused) {
  const std::vector<std::uint8_t> tokens(899, 2);
  EXPECT_THROW(crop_size(tokens, 30), std::logic_error);
  EXPECT_THROW(crop_size(std::vector<std::uint8_t>{}, 0), std::logic_error);
}

TEST(Crop, EqualsTheReference) {
  const std::string golden = std::string(DIS_SOURCE_DIR) + "/tests/data/golden/arc_vote";
  const Json json = read_json(golden + ".json");
  const SafetensorsFile file(golden + ".safetensors");
  const auto bytes = file.data(file.at("crop_tokens"));
  ASSERT_EQ(json["crops"].size(), 60U);
  ASSERT_EQ(bytes.size(), 60U * 900);
  for (std::size_t i = 0; i < 60; ++i) {
    const std::span tokens(reinterpret_cast<const std::uint8_t*>(bytes.data()) + i * 900, 900);
    const Grid grid = crop_prediction(tokens, 30);
    EXPECT_EQ(to_text(grid), json["crops"][i].get<std::string>()) << i;
    EXPECT_EQ(Json({grid.rows, grid.columns}), json["crop_sizes"][i]) << i;
  }
}

}  // namespace
}  // namespace dis
