// The official on-disk format: what is written, that it reads back, and rows of the official build.
#include "dis/data/arc/arc_export.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "data/rows_folder.h"
#include "dis/core/error.h"
#include "dis/core/files.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

ArcPair pair_of(const char* input, const char* output, bool test) {
  return {grid_from_text(input), grid_from_text(output), test};
}

/// Two tasks to train on and two to test on; one of each kind has its test pairs first.
std::vector<ArcSubset> subsets() {
  const ArcTask plain{"11aa",
                      {pair_of("012/345", "54/32", false), pair_of("6", "7/8", false), pair_of("9", "1", true)}};
  const ArcTask turned{"22bb", {pair_of("10/01/22", "3", true), pair_of("11/11", "22/22", false)}};
  ArcTask first{"caf\u00e9", {pair_of("55/67", "5", true), pair_of("45", "54", false), pair_of("00/00", "0", true)}};
  first.pairs.push_back(pair_of("123/456/789", "9", false));
  std::swap(first.pairs[1], first.pairs[2]);  // test, test, train, train
  const ArcTask last{"44dd", {pair_of("12", "21", false), pair_of("34", "43", true)}};
  return {{"practice", {plain, turned}}, {"exam", {first, last}}};
}

ArcPuzzles make_puzzles(bool frozen, const std::string& test_set = "exam", std::vector<ArcSubset> sets = subsets()) {
  return ArcPuzzles(std::move(sets),
                    {.augmentations = 12, .seed = 42, .side = 7, .test_set = test_set, .frozen_translations = frozen});
}

std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[fs::relative(entry.path(), folder).string()] = read_text(entry.path());
  }
  return files;
}

using Tokens = std::vector<std::int32_t>;

Tokens field_of(const Grid& grid, const Augmentation& augmentation, Translation translation, int side,
                std::int32_t pad) {
  Tokens field(static_cast<std::size_t>(side * side));
  write_field(grid, augmentation, translation, side, pad, field);
  return field;
}

class ArcExport : public testing::TestWithParam<bool> {};

TEST_P(ArcExport, ReadsBackRowByRow) {
  const bool frozen = GetParam();
  const ArcPuzzles puzzles = make_puzzles(frozen);
  TemporaryFolder folder;
  export_arc(puzzles, folder.path());
  const PuzzleRows rows = read_puzzle_rows(folder.path());
  EXPECT_EQ(rows.shape().vocabulary, kArcVocabulary);
  EXPECT_EQ(rows.shape().length, 49);
  ASSERT_EQ(rows.shape().identifiers, puzzles.identifiers());
  for (std::int64_t i = 0; i < puzzles.identifiers(); ++i) EXPECT_EQ(rows.identifier(i), puzzles.identifier(i));
  EXPECT_EQ(rows.train().examples(), puzzles.examples(ArcSplit::train));
  EXPECT_EQ(rows.test_examples(), puzzles.examples(ArcSplit::test));
  EXPECT_EQ(rows.train().groups(), 4);
  EXPECT_EQ(rows.test()->groups(), 2);

  std::int64_t train_row = 0;
  std::int64_t test_row = 0;
  int moved = 0;
  Tokens input(49), label(49);
  for (const ArcGroup& group : puzzles.groups()) {
    for (std::int64_t puzzle = group.first_puzzle; puzzle < group.first_puzzle + group.puzzles; ++puzzle) {
      const Augmentation augmentation = puzzles.augmentation(puzzle);
      for (const bool test : {false, true}) {
        for (const int index : test ? group.test_pairs : group.train_pairs) {
          const ArcPair& pair = group.task.pairs[static_cast<std::size_t>(index)];
          Translation translation;
          std::int32_t identifier = -1;
          if (test) {
            rows.test_example(test_row++, input, label, identifier);
          } else {
            if (frozen) translation = puzzles.translation(train_row);
            identifier = rows.train().identifier(rows.train().puzzle_of(train_row));
            rows.train().read(train_row++, input, label);
          }
          moved += translation == Translation{} ? 0 : 1;
          ASSERT_EQ(identifier, puzzle + 1);
          ASSERT_EQ(input, field_of(pair.input, augmentation, translation, 7, kPadToken));
          ASSERT_EQ(label, field_of(*pair.output, augmentation, translation, 7, kIgnore));
        }
      }
    }
  }
  EXPECT_EQ(train_row, rows.train().examples());
  EXPECT_EQ(test_row, rows.test_examples());
  EXPECT_EQ(moved > 0, frozen);
}

TEST_P(ArcExport, ExportOfTheImportIsTheSameFolder) {
  TemporaryFolder folder;
  export_arc(make_puzzles(GetParam()), folder / "first");
  export_rows(read_puzzle_rows(folder / "first"), folder / "second");
  const auto first = files_of(folder / "first");
  EXPECT_EQ(first.size(), 14U);
  EXPECT_EQ(first, files_of(folder / "second"));
}

INSTANTIATE_TEST_SUITE_P(Translations, ArcExport, testing::Bool(),
                         [](const auto& frozen) { return frozen.param ? "frozen" : "fresh"; });

TEST(ArcExportFiles, TextsAreThoseOfPython) {
  std::vector<ArcSubset> sets = subsets();
  sets[1].tasks.pop_back();
  const ArcPuzzles puzzles(std::move(sets), {.augmentations = 0, .side = 3, .test_set = "exam"});
  TemporaryFolder folder;
  export_arc(puzzles, folder.path());
  const bool swapped = puzzles.groups().front().task.id == "22bb";
  EXPECT_EQ(read_text(folder / "identifiers.json"),
            swapped ? R"(["<blank>", "22bb", "11aa", "caf\u00e9"])" : R"(["<blank>", "11aa", "22bb", "caf\u00e9"])");
  EXPECT_EQ(read_text(folder / "test_puzzles.json"),
            R"({"caf\u00e9": {"test": [{"input": [[5, 5], [6, 7]], "output": [[5]]}, )"
            R"({"input": [[0, 0], [0, 0]], "output": [[0]]}], )"
            R"("train": [{"input": [[4, 5]], "output": [[5, 4]]}, )"
            R"({"input": [[1, 2, 3], [4, 5, 6], [7, 8, 9]], "output": [[9]]}]}})");
  EXPECT_EQ(read_text(folder / "train" / "dataset.json"),
            R"({"pad_id": 0, "ignore_label_id": 0, "blank_identifier_id": 0, "vocab_size": 12, "seq_len": 9, )"
            R"("num_puzzle_identifiers": 4, "total_groups": 3, "mean_puzzle_examples": 2.3333333333333335, )"
            R"("total_puzzles": 3, "sets": ["all"]})");
  EXPECT_EQ(read_text(folder / "test" / "dataset.json"),
            R"({"pad_id": 0, "ignore_label_id": 0, "blank_identifier_id": 0, "vocab_size": 12, "seq_len": 9, )"
            R"("num_puzzle_identifiers": 4, "total_groups": 1, "mean_puzzle_examples": 2.0, )"
            R"("total_puzzles": 1, "sets": ["all"]})");
}

TEST(ArcExportFiles, WithoutATestSetThereIsNoTestSplit) {
  TemporaryFolder folder;
  export_arc(make_puzzles(true, ""), folder.path());
  EXPECT_FALSE(fs::exists(folder / "test"));
  EXPECT_EQ(read_text(folder / "test_puzzles.json"), "{}");
  EXPECT_EQ(read_puzzle_rows(folder.path()).train().groups(), 4);
}

TEST(ArcExportFiles, AnUnknownAnswerIsASingleBlackCell) {
  std::vector<ArcSubset> sets = subsets();
  sets[1].tasks[1].pairs[1].output.reset();
  const ArcPuzzles puzzles = make_puzzles(false, "exam", std::move(sets));
  TemporaryFolder folder;
  export_arc(puzzles, folder.path());
  const PuzzleRows rows = read_puzzle_rows(folder.path());
  int unknown = 0;
  Tokens input(49), label(49), dummy(49);
  write_field(Grid{1, 1, {0}}, {}, {}, 7, kIgnore, dummy);
  for (std::int64_t i = 0; i < rows.test_examples(); ++i) {
    std::int32_t identifier = 0;
    rows.test_example(i, input, label, identifier);
    if (!rows.identifier(identifier).starts_with("44dd")) continue;
    EXPECT_EQ(label, dummy);
    ++unknown;
  }
  EXPECT_GE(unknown, 2);
  EXPECT_TRUE(contains(read_text(folder / "test_puzzles.json"), R"({"input": [[3, 4]], "output": [[0]]})"));
}

TEST(ArcExportFiles, RowsOfOtherKindsKeepTheirTypes) {
  RowsFolder files = arc_like_folder();
  files.train.tokens = NpyType::i8;
  files.test.tokens = NpyType::i4;
  files.train.header["ignore_label_id"] = nullptr;
  files.train.header["total_puzzles"] = 2;  // groups, as other builders count
  TemporaryFolder folder;
  files.write(folder / "first");
  std::ofstream(folder.path() / "first" / "test_puzzles.json") << "{\"a\":\n 1}";
  export_rows(read_puzzle_rows(folder / "first"), folder / "second");
  auto first = files_of(folder / "first");
  auto second = files_of(folder / "second");
  for (const char* name : {"train/dataset.json", "test/dataset.json", "identifiers.json"}) {
    EXPECT_EQ(parse_json(first[name], name), parse_json(second[name], name)) << name;
    first.erase(name);
    second.erase(name);
  }
  EXPECT_EQ(first.size(), 11U);
  EXPECT_EQ(first, second);
}

TEST(ArcExportFiles, ProgressCountsTheRowsOfBothSplits) {
  const ArcPuzzles puzzles = make_puzzles(false);
  const std::int64_t total = puzzles.examples(ArcSplit::train) + puzzles.examples(ArcSplit::test);
  TemporaryFolder folder;
  std::vector<std::int64_t> seen;
  const auto progress = [&](std::int64_t done, std::int64_t of) {
    EXPECT_EQ(of, total);
    seen.push_back(done);
  };
  export_arc(puzzles, folder / "arc", progress);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_EQ(seen.front(), 0);
  EXPECT_EQ(seen.back(), total);
  seen.clear();
  export_rows(read_puzzle_rows(folder / "arc"), folder / "rows", progress);
  EXPECT_EQ(seen.back(), total);
}

TEST(ArcExportFiles, AnExportThatEndsEarlyCannotBeOpened) {
  const ArcPuzzles puzzles = make_puzzles(false);
  TemporaryFolder folder;
  const auto stop = [&](std::int64_t done, std::int64_t total) {
    if (done == total) throw Stopped{2};
  };
  EXPECT_THROW(export_arc(puzzles, folder.path(), stop), Stopped);
  for (const auto& [name, content] : files_of(folder.path())) EXPECT_FALSE(contains(name, ".partial")) << name;
  EXPECT_TRUE(contains(user_error_of([&] { read_puzzle_rows(folder.path()); }), "train/dataset.json"));
}

TEST(ArcExportFiles, AFolderWithFilesAndAFullDiskAreRefused) {
  TemporaryFolder folder;
  std::ofstream(folder / "note.txt") << "mine";
  const ArcPuzzles puzzles = make_puzzles(false);
  EXPECT_TRUE(contains(user_error_of([&] { export_arc(puzzles, folder.path()); }), "a new or an empty folder"));
  EXPECT_EQ(folder.count(), 1);
  FolderSink sink(folder / "new");
  sink.expect(1000);
  const std::string message = user_error_of([&] { sink.expect(std::uint64_t{1} << 60); });
  EXPECT_TRUE(contains(message, "1152921504606 MB of free space")) << message;
}

// ------------------------------------------------------------------------------------ rows of the official ARC-1 build

Tokens tokens_of(const std::string& text) {
  Tokens tokens;
  for (const char c : text) tokens.push_back(static_cast<std::int32_t>(std::string("0123456789ab").find(c)));
  return tokens;
}

/// The grid of these sizes that lies at `offset` of a field.
Grid cut(const Tokens& field, const Json& offset, const Json& size) {
  Grid grid{size[0].get<int>(), size[1].get<int>(), {}};
  for (int row = 0; row < grid.rows; ++row) {
    for (int column = 0; column < grid.columns; ++column) {
      const int cell = (offset[0].get<int>() + row) * kLargestGrid + offset[1].get<int>() + column;
      const std::int32_t token = field.at(static_cast<std::size_t>(cell));
      EXPECT_TRUE(token >= kFirstColourToken && token < kArcVocabulary);
      grid.cells.push_back(static_cast<std::uint8_t>(token - kFirstColourToken));
    }
  }
  return grid;
}

TEST(OfficialArcRows, FieldsAndAugmentationsAreTheSame) {
  const Json document = read_json(fs::path(DIS_SOURCE_DIR) / "tests" / "data" / "golden" / "arc_rows.json");
  // What a row shows, with its augmentation undone, is the pair of the task: the same for all puzzles of the task.
  std::map<std::string, std::pair<Grid, Grid>> originals;
  std::set<int> symmetries;
  int rows = 0;
  int shared = 0;
  for (const char* split : {"train", "test"}) {
    for (const Json& row : document[split]) {
      const ArcIdentifier identifier = parse_identifier(row["identifier"].get<std::string>());
      const auto input = tokens_of(row["input"].get<std::string>());
      const auto label = tokens_of(row["label"].get<std::string>());
      const Grid shown_input = cut(input, row["offset"], row["input_size"]);
      const Grid shown_output = cut(label, row["offset"], row["output_size"]);
      const Grid original_input = undo(identifier.augmentation, shown_input);
      const Grid original_output = undo(identifier.augmentation, shown_output);
      EXPECT_EQ(apply(identifier.augmentation, original_input), shown_input);
      EXPECT_EQ(apply(identifier.augmentation, original_output), shown_output);
      const Translation translation{row["offset"][0].get<std::uint8_t>(), row["offset"][1].get<std::uint8_t>()};
      EXPECT_EQ(field_of(original_input, identifier.augmentation, translation, kLargestGrid, kPadToken), input);
      EXPECT_EQ(field_of(original_output, identifier.augmentation, translation, kLargestGrid, kPadToken), label);
      const auto [known, added] = originals.emplace(identifier.task + " " + row["pair"].get<std::string>(),
                                                    std::pair(original_input, original_output));
      EXPECT_EQ(known->second, std::pair(original_input, original_output)) << row["identifier"];
      shared += added ? 0 : 1;
      symmetries.insert(identifier.augmentation.tid);
      ++rows;
    }
  }
  EXPECT_EQ(rows, 88);
  EXPECT_EQ(symmetries.size(), 8U);
  EXPECT_GT(shared, 10);
}

}  // namespace
}  // namespace dis
