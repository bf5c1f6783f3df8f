// Folders of the official builders, and what is wrong with those that are not.
#include "dis/data/arrays/puzzle_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "data/rows_folder.h"
#include "dis/core/random.h"

namespace dis {
namespace {

struct Row {
  std::vector<std::int32_t> input;
  std::vector<std::int32_t> label;
  std::int32_t identifier = -1;
  Origin origin;
};

Row drawn(const PuzzleRows& data, std::uint64_t seed, std::uint64_t position) {
  const auto length = static_cast<std::size_t>(data.shape().length);
  Row row{std::vector<std::int32_t>(length), std::vector<std::int32_t>(length), -1, {}};
  row.origin = data.example(seed, position, row.input, row.label, row.identifier);
  return row;
}

Row test_row(const PuzzleRows& data, std::int64_t index) {
  const auto length = static_cast<std::size_t>(data.shape().length);
  Row row{std::vector<std::int32_t>(length), std::vector<std::int32_t>(length), -1, {}};
  data.test_example(index, row.input, row.label, row.identifier);
  return row;
}

using Tokens = std::vector<std::int32_t>;

TEST(PuzzleRows, AFolderOfTheArcBuilder) {
  TemporaryFolder folder;
  arc_like_folder().write(folder.path());
  const PuzzleRows data = read_puzzle_rows(folder.path());
  EXPECT_EQ(data.shape().vocabulary, 6);
  EXPECT_EQ(data.shape().length, 4);
  EXPECT_EQ(data.shape().identifiers, 5);
  EXPECT_EQ(data.identifier(0), "<blank>");
  EXPECT_EQ(data.identifier(1), "a");
  EXPECT_EQ(data.identifier(4), "d");
  EXPECT_EQ(data.train().groups(), 2);
  EXPECT_EQ(data.train().puzzles(), 4);
  EXPECT_EQ(data.train().examples(), 6);
  EXPECT_EQ(data.epoch_length(), 3);
  EXPECT_TRUE(data.test_puzzles().empty());

  // Every visit: one puzzle of the group, its rows once each, its identifier.
  std::set<std::int64_t> seen;
  for (std::uint64_t epoch = 0; epoch < 40; ++epoch) {
    std::multiset<std::int32_t> groups;
    for (std::uint64_t place = 0; place < 3; ++place) {
      const Row row = drawn(data, 1, epoch * 3 + place);
      EXPECT_EQ(row.identifier, row.input[0]);
      EXPECT_EQ(row.origin.transform, 0);
      seen.insert(row.origin.item);
      groups.insert((row.input[0] - 1) / 2);
      Tokens frame = row.input;
      data.augment(row.origin, frame);
      EXPECT_EQ(frame, row.input);
    }
    EXPECT_EQ(groups, (std::multiset<std::int32_t>{0, 0, 1}));
  }
  EXPECT_EQ(seen.size(), 6U);
  for (std::uint64_t position = 0; position < 20; ++position) {
    const Row row = drawn(data, 1, position);
    if (row.origin.item == 1) {
      EXPECT_EQ(row.label, (Tokens{1, 1, kIgnore, 1}));
    } else if (row.origin.item == 5) {
      EXPECT_EQ(row.label, (Tokens{4, kIgnore, kIgnore, kIgnore}));
    }
  }

  // The test split row by row.
  ASSERT_EQ(data.test_examples(), 3);
  EXPECT_EQ(test_row(data, 0).input, (Tokens{3, 3, 3, 3}));
  EXPECT_EQ(test_row(data, 0).label, (Tokens{kIgnore, 5, kIgnore, kIgnore}));
  EXPECT_EQ(test_row(data, 0).identifier, 3);
  EXPECT_EQ(test_row(data, 1).identifier, 4);
  EXPECT_EQ(test_row(data, 2).identifier, 4);
  EXPECT_EQ(test_row(data, 2).input, (Tokens{4, 4, 3, 3}));
  EXPECT_EQ(test_row(data, 2).label, Tokens(4, kIgnore));
  EXPECT_THROW(test_row(data, 3), std::logic_error);
}

TEST(PuzzleRows, NoRowOfTheTestSplitIsEverDrawn) {
  TemporaryFolder folder;
  arc_like_folder().write(folder.path());
  const PuzzleRows data = read_puzzle_rows(folder.path());
  std::set<Tokens> test;
  for (std::int64_t i = 0; i < data.test_examples(); ++i) test.insert(test_row(data, i).input);
  for (std::uint64_t position = 0; position < 300; ++position) {
    EXPECT_FALSE(test.contains(drawn(data, 2, position).input));
  }
}

TEST(PuzzleRows, AFolderOfTheNQueensBuilder) {
  // int32, every row a puzzle, nine puzzles a group, total_puzzles counts groups, every identifier 0, no names needed.
  RowsFolder files;
  files.train.tokens = files.test.tokens = NpyType::i4;
  files.train.header = header_of(3, 4, 1, 2, 2, 1.0);
  files.train.header["ignore_label_id"] = nullptr;
  SetFiles set;
  for (std::int64_t row = 0; row < 18; ++row) {
    set.inputs.push_back({1, 1, 1, row < 9 ? 1 : 2});
    set.labels.push_back({2, 1, 1, 2});
    set.puzzle_identifiers.push_back(0);
  }
  set.puzzle_indices.resize(19);
  std::iota(set.puzzle_indices.begin(), set.puzzle_indices.end(), 0);
  set.group_indices = {0, 9, 18};
  files.train.sets = {set};
  files.test.header = header_of(3, 4, 1, 1, 1, 1.0);
  files.test.header["ignore_label_id"] = nullptr;
  files.test.sets = {{"all", {{1, 2, 1, 1}}, {{1, 2, 1, 0}}, {0}, {0, 1}, {0, 1}}};
  files.identifiers = {"<blank>"};
  TemporaryFolder folder;
  files.write(folder.path());
  std::filesystem::remove(folder / "identifiers.json");
  const PuzzleRows data = read_puzzle_rows(folder.path());
  EXPECT_EQ(data.epoch_length(), 2);
  EXPECT_EQ(data.identifier(0), "<blank>");
  std::map<std::int64_t, int> items;
  for (std::uint64_t position = 0; position < 400; ++position) {
    const Row row = drawn(data, 0, position);
    EXPECT_EQ(row.identifier, 0);
    EXPECT_EQ(row.label, (Tokens{2, 1, 1, 2}));
    EXPECT_EQ(row.input[3], row.origin.item < 9 ? 1 : 2);
    ++items[row.origin.item];
  }
  EXPECT_EQ(items.size(), 18U);
  EXPECT_EQ(test_row(data, 0).label, (Tokens{1, 2, 1, 0})) << "null: the pad counts, too";
}

TEST(PuzzleRows, FoldersOfTheSudokuAndMazeBuilders) {
  // One example a puzzle, 64-bit integers from Sudoku's augmentation, bytes elsewhere; total_puzzles counts groups.
  for (const NpyType type : {NpyType::i8, NpyType::u1}) {
    RowsFolder files;
    files.train.tokens = files.test.tokens = type;
    files.train.header = header_of(11, 4, 1, 2, 2, 1.0);
    files.train.sets = {{"all",
                         {{1, 2, 3, 10}, {1, 3, 2, 10}, {4, 1, 1, 1}, {5, 1, 1, 1}},
                         {{7, 2, 3, 10}, {7, 3, 2, 10}, {4, 7, 8, 9}, {5, 7, 8, 9}},
                         {0, 0, 0, 0},
                         {0, 1, 2, 3, 4},
                         {0, 2, 4}}};
    files.test.header = header_of(11, 4, 1, 1, 1, 1.0);
    files.test.sets = {{"all", {{1, 1, 1, 1}}, {{2, 3, 4, 5}}, {0}, {0, 1}, {0, 1}}};
    files.identifiers = {"<blank>"};
    TemporaryFolder folder;
    files.write(folder.path());
    const PuzzleRows data = read_puzzle_rows(folder.path());
    EXPECT_EQ(data.epoch_length(), 2);
    for (std::uint64_t position = 0; position < 50; ++position) {
      const Row row = drawn(data, 0, position);
      EXPECT_EQ(row.input[0] == 1 ? row.label[0] : row.label[1], 7);
    }
    EXPECT_EQ(test_row(data, 0).label, (Tokens{2, 3, 4, 5}));
  }
}

TEST(PuzzleRows, SeveralSetsFollowOneAnother) {
  RowsFolder files = arc_like_folder();
  files.train.header["sets"] = {"all", "more"};
  files.train.header["total_groups"] = 3;
  files.train.header["total_puzzles"] = 5;
  files.train.sets.push_back({"more", {{5, 5, 5, 5}}, {{5, 5, 5, 5}}, {2}, {0, 1}, {0, 1}});
  TemporaryFolder folder;
  files.write(folder.path());
  const PuzzleRows data = read_puzzle_rows(folder.path());
  EXPECT_EQ(data.train().examples(), 7);
  EXPECT_EQ(data.epoch_length(), 4);
  Tokens input(4), label(4);
  data.train().read(6, input, label);
  EXPECT_EQ(input, Tokens(4, 5));
  data.train().read(5, input, label);
  EXPECT_EQ(input, (Tokens{4, 0, 0, 5}));
  EXPECT_EQ(data.train().identifier(data.train().puzzle_of(6)), 2);
}

TEST(PuzzleRows, AMissingTestSplitHasNoRows) {
  TemporaryFolder folder;
  arc_like_folder().write(folder.path());
  std::filesystem::remove_all(folder / "test");
  const PuzzleRows data = read_puzzle_rows(folder.path());
  EXPECT_EQ(data.test_examples(), 0);
  EXPECT_FALSE(data.test().has_value());
}

TEST(PuzzleRows, NegativeIgnoreLabelsAreUnderstood) {
  RowsFolder files = arc_like_folder();
  files.train.tokens = NpyType::i8;
  files.train.header["ignore_label_id"] = -100;
  files.train.sets[0].labels[4] = {-100, 0, 5, -100};
  TemporaryFolder folder;
  files.write(folder.path());
  const PuzzleRows data = read_puzzle_rows(folder.path());
  Tokens input(4), label(4);
  data.train().read(4, input, label);
  EXPECT_EQ(label, (Tokens{kIgnore, 0, 5, kIgnore}));
}

// ------------------------------------------------------------------------------------------------------------ errors

struct BadFolder {
  const char* name;
  std::function<void(RowsFolder&)> damage;
  std::vector<std::string> parts;  // of the message
};

TEST(PuzzleRowsErrors, EveryDefectIsNamed) {
  const std::vector<BadFolder> cases{
      {"vocabulary", [](RowsFolder& f) { f.train.header["vocab_size"] = "12"; }, {"vocab_size", "found \"12\""}},
      {"huge", [](RowsFolder& f) { f.train.header["seq_len"] = 1ULL << 63; }, {"seq_len", "9223372036854775808"}},
      {"missing", [](RowsFolder& f) { f.train.header.erase("seq_len"); }, {"the key \"seq_len\", found none"}},
      {"pad", [](RowsFolder& f) { f.train.header["pad_id"] = 3; }, {"pad_id", "from 0 to 0, found 3"}},
      {"blank", [](RowsFolder& f) { f.train.header["blank_identifier_id"] = 1; }, {"blank_identifier_id"}},
      {"ignore", [](RowsFolder& f) { f.train.header["ignore_label_id"] = 0.5; }, {"ignore_label_id", "found 0.5"}},
      {"mean", [](RowsFolder& f) { f.train.header["mean_puzzle_examples"] = -1; }, {"mean_puzzle_examples"}},
      {"sets", [](RowsFolder& f) { f.train.header["sets"] = {"../all"}; }, {"sets", "found [\"../all\"]"}},
      {"no sets", [](RowsFolder& f) { f.train.header["sets"] = Json::array(); }, {"sets", "found []"}},
      {"header",
       [](RowsFolder& f) {
         f.train.header = {1, 2};
       },
       {"train/dataset.json", "expected an object"}},
      {"groups", [](RowsFolder& f) { f.train.header["total_groups"] = 3; }, {"total_groups: expected 2", "found 3"}},
      {"puzzles", [](RowsFolder& f) { f.train.header["total_puzzles"] = 3; }, {"total_puzzles: expected 4", "or 2"}},
      {"set name", [](RowsFolder& f) { f.train.header["sets"] = {"none"}; }, {"none__inputs.npy"}},
      {"length", [](RowsFolder& f) { f.train.header["seq_len"] = 5; }, {"all__inputs.npy", "rows of 5", "(6, 4)"}},
      {"rows", [](RowsFolder& f) { f.train.sets[0].labels.pop_back(); }, {"all__labels.npy", "6 rows", "(5, 4)"}},
      {"row count",
       [](RowsFolder& f) {
         f.train.sets[0].labels.pop_back();
         f.train.sets[0].inputs.pop_back();
       },
       {"all__puzzle_indices.npy", "from 0 to 5, the number of rows", "found 0 to 6"}},
      {"order",
       [](RowsFolder& f) {
         f.train.sets[0].puzzle_indices = {0, 4, 2, 5, 6};
       },
       {"found 4 before 2 at place 1"}},
      {"empty puzzle",
       [](RowsFolder& f) {
         f.train.sets[0].puzzle_indices = {0, 2, 2, 5, 6};
       },
       {"found 2 before 2"}},
      {"start",
       [](RowsFolder& f) {
         f.train.sets[0].puzzle_indices = {1, 2, 4, 5, 6};
       },
       {"found 1 to 6"}},
      {"negative",
       [](RowsFolder& f) {
         f.train.sets[0].puzzle_indices = {0, -2, 4, 5, 6};
       },
       {"found 0 before -2"}},
      {"one too few",
       [](RowsFolder& f) {
         f.train.sets[0].puzzle_indices = {0, 2, 6};
       },
       {"5 numbers", "(3,)"}},
      {"group end",
       [](RowsFolder& f) {
         f.train.sets[0].group_indices = {0, 2, 5};
       },
       {"group_indices", "0 to 4"}},
      {"no group", [](RowsFolder& f) { f.train.sets[0].group_indices = {}; }, {"group_indices", "(0,)"}},
      {"identifier", [](RowsFolder& f) { f.train.sets[0].puzzle_identifiers[2] = 5; }, {"from 0 to 4", "found 5"}},
      {"sizes",
       [](RowsFolder& f) {
         f.train.sets[0].puzzle_indices = {0, 1, 4, 5, 6};
       },
       {"group 0: expected puzzles with 1 examples each", "found 3 in puzzle 1"}},
      {"names", [](RowsFolder& f) { f.identifiers.push_back("e"); }, {"expected 5 names", "found 6"}},
      {"name", [](RowsFolder& f) { f.identifiers[2] = 7; }, {"identifiers.json: expected a list of texts"}},
      {"name list", [](RowsFolder& f) { f.identifiers = "a"; }, {"identifiers.json: expected a list of texts"}},
      {"nested names", [](RowsFolder& f) { f.identifiers[2] = {"b"}; }, {"identifiers.json: expected a list of texts"}},
      {"test vocabulary", [](RowsFolder& f) { f.test.header["vocab_size"] = 7; }, {"test", "expected 6", "found 7"}},
      {"test identifiers",
       [](RowsFolder& f) { f.test.header["num_puzzle_identifiers"] = 6; },
       {"num_puzzle_identifiers: expected 5", "found 6"}},
      {"no rows",
       [](RowsFolder& f) {
         f.train.header["total_groups"] = f.train.header["total_puzzles"] = 0;
         f.train.sets[0] = {"all", {}, {}, {}, {0}, {0}};
       },
       {"expected at least one group to train on"}},
  };
  for (const BadFolder& bad : cases) {
    RowsFolder files = arc_like_folder();
    bad.damage(files);
    TemporaryFolder folder;
    files.write(folder.path());
    const std::string message = user_error_of([&] { read_puzzle_rows(folder.path()); });
    EXPECT_TRUE(contains(message, folder.path().string())) << bad.name << ": " << message;
    for (const std::string& part : bad.parts) {
      EXPECT_TRUE(contains(message, part)) << bad.name << ": " << message << "\nexpected: " << part;
    }
  }
}

TEST(PuzzleRowsErrors, MissingFilesAreNamed) {
  TemporaryFolder folder;
  EXPECT_TRUE(contains(user_error_of([&] { read_puzzle_rows(folder / "none"); }), "none': expected a folder"));
  EXPECT_TRUE(contains(user_error_of([&] { read_puzzle_rows(folder.path()); }), "train/dataset.json"));
  for (const char* name :
       {"train/all__labels.npy", "test/all__group_indices.npy", "test/dataset.json", "identifiers.json"}) {
    arc_like_folder().write(folder.path());
    std::filesystem::remove(folder / name);
    EXPECT_TRUE(contains(user_error_of([&] { read_puzzle_rows(folder.path()); }), name)) << name;
  }
  arc_like_folder().write(folder.path());
  std::ofstream(folder / "identifiers.json") << "[\"<blank>\",\n oops]";
  EXPECT_TRUE(contains(user_error_of([&] { read_puzzle_rows(folder.path()); }), "identifiers.json:2:"));
}

TEST(PuzzleRowsErrors, TokensAreCheckedWhenTheyAreRead) {
  for (const NpyType type : {NpyType::u1, NpyType::i4, NpyType::i8}) {
    for (const bool of_label : {false, true}) {
      // -7 as a byte is 249; 2^32 + 1 would be a good token in 32 bits.
      for (const std::int64_t token : {std::int64_t{6}, std::int64_t{-7}, (std::int64_t{1} << 32) + 1}) {
        if (type != NpyType::i8 && token > 6) continue;
        RowsFolder files = arc_like_folder();
        files.train.tokens = type;
        (of_label ? files.train.sets[0].labels : files.train.sets[0].inputs)[3][2] = token;
        TemporaryFolder folder;
        files.write(folder.path());
        const PuzzleRows data = read_puzzle_rows(folder.path());
        Tokens input(4), label(4);
        data.train().read(2, input, label);
        const std::string message = user_error_of([&] { data.train().read(3, input, label); });
        const std::int64_t shown = type == NpyType::u1 && token < 0 ? 249 : token;
        EXPECT_TRUE(contains(message, of_label ? "all__labels.npy: row 3" : "all__inputs.npy: row 3")) << message;
        EXPECT_TRUE(contains(message, "from 0 to 5")) << message;
        EXPECT_TRUE(contains(message, "found " + std::to_string(shown))) << message;
      }
    }
  }
}

TEST(PuzzleRowsErrors, DamagedFoldersAreReadOrRefusedButNothingElse) {
  TemporaryFolder folder;
  arc_like_folder().write(folder.path());
  std::map<std::filesystem::path, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (entry.is_regular_file()) files[entry.path()] = read_text(entry.path());
  }
  ASSERT_EQ(files.size(), 13U);
  const auto write = [](const std::filesystem::path& path, const std::string& bytes) {
    std::filesystem::remove(path);  // overwriting would flush to the disk each time
    std::ofstream(path, std::ios::binary) << bytes;
  };
  int refused = 0;
  for (std::uint64_t trial = 0; trial < 1500; ++trial) {
    Draws draws(3, Purpose::test, 0, trial);
    const auto& [path, good] = *std::next(files.begin(), draws.below(13));
    std::string bytes = good;
    bytes[draws.below(static_cast<std::uint32_t>(bytes.size()))] = static_cast<char>(draws.below(256));
    write(path, bytes);
    try {
      const PuzzleRows data = read_puzzle_rows(folder.path());
      for (std::uint64_t position = 0; position < 6; ++position) drawn(data, trial, position);
      for (std::int64_t i = 0; i < data.test_examples(); ++i) test_row(data, i);
    } catch (const UserError&) {
      ++refused;
    }
    write(path, good);
  }
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace dis
