#include "dis/data/boards/board_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "dis/core/error.h"
#include "dis/data/boards/board_generator.h"
#include "dis/data/boards/board_statistics.h"
#include "dis/data/boards/nqueens.h"

namespace dis {
namespace {

class BoardFile : public testing::Test {
 protected:
  BoardFile() : folder_(std::filesystem::temp_directory_path() / ("dis_board_file_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~BoardFile() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& text) const {
    const auto path = (folder_ / "boards.json").string();
    std::ofstream(path) << text;
    return path;
  }
  std::string error_of(const std::string& text, int n = 4) const {
    try {
      read_board_file(write(text), n, "data.test_file");
    } catch (const UserError& error) {
      return error.what();
    }
    return "no error";
  }

  std::filesystem::path folder_;
};

std::string golden(const std::string& name) { return std::string(DIS_SOURCE_DIR) + "/tests/data/golden/" + name; }

constexpr const char* kGood = R"({"input": "1211111111111111", "label": "1211111221111121"})";

TEST_F(BoardFile, OfficialFilesAreRead) {
  const auto training = read_board_file(golden("nqueens_official_train.json"), 8, "data.train_file");
  const auto test = read_board_file(golden("nqueens_official_test.json"), 8, "data.test_file");
  ASSERT_EQ(training.size(), 800U);
  ASSERT_EQ(test.size(), 200U);
  const NQueensData data(
      [] {
        DataConfig config;
        config.split = Split::authors;
        return config;
      }(),
      0);
  for (std::size_t i = 0; i < training.size(); ++i) {
    EXPECT_EQ(training[i].solution, data.compact_item(static_cast<std::int64_t>(i)).solution);
    EXPECT_EQ(training[i].rows, data.compact_item(static_cast<std::int64_t>(i)).rows);
  }
  for (std::size_t i = 0; i < test.size(); ++i) {
    EXPECT_EQ(test[i].expanded().input, data.test_sets()[0].boards[i].input);
    EXPECT_EQ(test[i].expanded().label, data.test_sets()[0].boards[i].label);
  }
}

TEST_F(BoardFile, WhatIsWrittenIsReadBack) {
  for (const int n : {5, 12}) {
    const auto boards = authors_boards(n, 0, 50, 3);
    const auto path = folder_ / "written.json";
    write_board_file(path, {{"what", "boards \"of\" a test"}, {"board_size", n}}, "test", 50,
                     [&](std::int64_t i) { return boards[static_cast<std::size_t>(i)].expanded(); });
    EXPECT_EQ(read_json(path)["board_size"], n);
    const auto read = read_board_file(path, n, "data.test_file");
    ASSERT_EQ(read.size(), 50U);
    for (std::size_t i = 0; i < 50; ++i) {
      EXPECT_EQ(read[i].solution, boards[i].solution);
      EXPECT_EQ(read[i].rows, boards[i].rows);
    }
  }
}

TEST_F(BoardFile, CompactStringsGoBeyondTenColumns) {
  const auto boards = read_board_file(write(R"({"boards": ["13579b02468a x..........x"]})"), 12, "data.train_file");
  ASSERT_EQ(boards.size(), 1U);
  EXPECT_EQ(boards[0].solution.column[5], 11);
  EXPECT_EQ(boards[0].rows, 0b100000000001U);
}

TEST_F(BoardFile, ErrorsNameFileBoardAndReason) {
  const auto entry = [&](const std::string& board) {
    return error_of(std::string(R"({"test": [)") + kGood + ", " + board + "]}");
  };
  const std::vector<std::pair<std::string, std::string>> cases{
      {R"({"input": "121111111111111", "label": "1211111221111121"})", "input of 16 characters"},
      {R"({"input": "1211111111111111", "label": "12111112211111211"})", "label of 16 characters"},
      {R"({"input": "1211111111111311", "label": "1211111221111121"})", "found \"3\" at row 3, column 1 of the input"},
      {R"({"input": "2111111111111111", "label": "1211111221111121"})", "found none at row 0, column 0"},
      {R"({"input": "1111111111111111", "label": "1211111221112111"})", "4 queens that do not attack"},
      {R"({"input": "1111111111111111", "label": "1211111221111111"})", "4 queens that do not attack"},
      {R"({"input": "1111111111111111"})", "expected a string \"label\""},
      {R"({"input": 12, "label": "1211111221111121"})", "expected a string \"input\""},
      {R"("130 x..x")", "4 columns"},
      {R"("1304 x..x")", "for row 3"},
      {R"("1302 x.-x")", "for row 2"},
      {R"("0123 x..x")", "4 queens that do not attack"},
      {"7", "expected an object"},
  };
  for (const auto& [board, reason] : cases) {
    const std::string error = entry(board);
    EXPECT_NE(error.find("data.test_file "), std::string::npos) << error;
    EXPECT_NE(error.find("boards.json: test[1]: "), std::string::npos) << error;
    EXPECT_NE(error.find(reason), std::string::npos) << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
  EXPECT_EQ(entry(kGood), "no error");
  EXPECT_NE(error_of("{}").find("list \"boards\" or \"test\""), std::string::npos);
  EXPECT_NE(error_of("[]").find("list \"boards\" or \"test\""), std::string::npos);
  EXPECT_NE(error_of(R"({"test": []})").find("at least one board"), std::string::npos);
  EXPECT_NE(error_of(R"({"test": 3})").find("at least one board"), std::string::npos);
  EXPECT_NE(error_of("{\"test\": [").find("not valid JSON"), std::string::npos);
  EXPECT_NE(
      error_of(std::string(R"({"test": [)") + kGood + "]}", 8).find("64 characters (data.board_size 8 x 8), found 16"),
      std::string::npos);
}

TEST_F(BoardFile, BoardsSplitKeepsTheOtherSideApartFromAFile) {
  DataConfig config;
  config.split = Split::boards;
  config.train_boards = 3000;
  config.test_file = golden("nqueens_official_test.json");
  const NQueensData from_test(config, 0);
  ASSERT_EQ(from_test.test_sets().size(), 1U);
  EXPECT_EQ(from_test.test_sets()[0].name, "file");
  EXPECT_EQ(from_test.test_sets()[0].boards.size(), 200U);
  EXPECT_EQ(from_test.items(), 3000);
  EXPECT_EQ(overlap_with_training(from_test, from_test.test_sets()[0].boards).inputs, 0);

  config.split = Split::orbits;
  const NQueensData with_orbits(config, 0);
  EXPECT_EQ(overlap_with_training(with_orbits, with_orbits.test_sets()[0].boards).inputs, 0);
  EXPECT_LT(overlap_with_training(with_orbits, with_orbits.test_sets()[0].boards).orbits, 200);

  config = DataConfig{};
  config.train_file = golden("nqueens_official_train.json");
  const NQueensData from_training(config, 0);
  EXPECT_EQ(from_training.items(), 800);
  EXPECT_EQ(from_training.test_sets()[0].boards.size(), 200U);
  EXPECT_EQ(overlap_with_training(from_training, from_training.test_sets()[0].boards).inputs, 0);

  config.test_file = golden("nqueens_official_test.json");  // both: as they are
  const NQueensData both(config, 0);
  EXPECT_EQ(overlap_with_training(both, both.test_sets()[0].boards).boards, 94);
}

}  // namespace
}  // namespace dis
