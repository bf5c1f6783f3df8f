// Sudokus and mazes from CSV files: what is read, how it is shown in training, and the official builders' folders.
#include "dis/data/puzzles/puzzles_data.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <map>
#include <set>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"
#include "dis/core/sha256.h"
#include "dis/data/arrays/puzzle_rows.h"
#include "dis/data/arrays/puzzle_rules.h"
#include "dis/data/puzzles/puzzle_csv.h"
#include "dis/data/puzzles/sudoku_symmetry.h"
#include "dis/data/shared_pairs.h"

namespace dis {
namespace {

namespace fs = std::filesystem;
using Tokens = std::vector<std::int32_t>;

const fs::path kBuilds = fs::path(DIS_SOURCE_DIR) / "tests/data/golden/puzzle_builds";

/// A folder with the CSV files of the recorded builds.
void copy_csv(const std::string& family, const fs::path& folder) {
  for (const std::string split : {"train", "test"}) {
    fs::copy_file(kBuilds / (family + "_" + split + ".csv"), folder / (split + ".csv"));
  }
}

DataConfig puzzles_config(const fs::path& folder, PuzzleCopies copies = PuzzleCopies::fresh) {
  DataConfig config;
  config.path = folder.string();
  config.copies = copies;
  return config;
}

struct DrawnPuzzle {
  Tokens input, label;
  Origin origin;
};

DrawnPuzzle drawn(const PuzzlesData& data, std::uint64_t position, std::uint64_t seed = 3) {
  const auto length = static_cast<std::size_t>(data.shape().length);
  DrawnPuzzle puzzle{Tokens(length), Tokens(length), {}};
  std::int32_t id = -1;
  puzzle.origin = data.example(seed, position, puzzle.input, puzzle.label, id);
  EXPECT_EQ(id, 0);
  return puzzle;
}

class OfficialBuilds : public testing::TestWithParam<std::string> {};

TEST_P(OfficialBuilds, AreExportedByteForByte) {
  const auto wanted = read_json(kBuilds / "builds.json").at("cases").at(GetParam());
  const auto family = GetParam().substr(0, GetParam().find('_'));
  const TemporaryFolder folder;
  copy_csv(family, folder.path());
  const auto& settings = wanted.at("settings");
  auto config = puzzles_config(folder.path(), PuzzleCopies::none);
  config.augmentations = settings.value("num_aug", 0);
  if (config.augmentations > 0 || settings.value("aug", false)) config.copies = PuzzleCopies::frozen;
  config.train_puzzles = settings.value("subsample_size", 0);
  config.min_rating = settings.value("min_difficulty", 0);
  const PuzzlesData data(family == "sudoku" ? sudoku_family() : maze_family(), config);
  const auto built = folder / "built";
  data.write_rows(built, {});
  for (const auto& [name, file] : wanted.at("files").items()) {
    SCOPED_TRACE(name);
    if (name.ends_with(".json")) {
      EXPECT_EQ(read_json(built / name), file);
    } else {
      EXPECT_EQ(sha256_hex(read_bytes(built / name)), file.at("sha256_of_file"));
    }
  }
  EXPECT_EQ(read_text(built / "identifiers.json"), "[\"<blank>\"]");
  const auto rows = read_puzzle_rows(built);
  EXPECT_EQ(rows.epoch_length(), data.epoch_length());
  EXPECT_EQ(rows.shape().vocabulary, data.shape().vocabulary);
}

INSTANTIATE_TEST_SUITE_P(Cases, OfficialBuilds,
                         testing::Values("sudoku_plain", "sudoku_augmented", "sudoku_subsample", "sudoku_difficult",
                                         "maze_plain", "maze_augmented", "maze_subsample"),
                         [](const auto& named) { return named.param; });

TEST(SudokuSymmetries, AreNumbered) {
  for (const int box : {2, 3}) {
    const auto all = sudoku_symmetries(box);
    EXPECT_EQ(all, box == 2 ? 2ULL * 24 * 64 : 2ULL * 362880 * 1679616);
    Tokens field(static_cast<std::size_t>(box * box * box * box));
    for (std::size_t i = 0; i < field.size(); ++i) field[i] = static_cast<std::int32_t>(i);
    Tokens image(field.size());
    apply(box, sudoku_symmetry(box, 0), field, image);
    EXPECT_EQ(image, field) << "0 is the identity";
    std::set<Tokens> images;
    const std::uint64_t stride = box == 2 ? 1 : all / 1013;
    for (std::uint64_t number = 0; number < all; number += stride) {
      const auto symmetry = sudoku_symmetry(box, number);
      EXPECT_EQ(number_of(box, symmetry), number);
      apply(box, symmetry, field, image);
      images.insert(image);
    }
    EXPECT_EQ(images.size(), (all + stride - 1) / stride) << "no two are the same";
    Draws draws(5, Purpose::test, 0, 0);
    for (int i = 0; i < 100; ++i) EXPECT_LT(draw_sudoku_symmetry(box, draws), all);
  }
}

TEST(SudokuSymmetries, TakeSolutionsToSolutions) {
  const TemporaryFolder folder;
  copy_csv("sudoku", folder.path());
  const PuzzlesData data(sudoku_family(), puzzles_config(folder.path(), PuzzleCopies::none));
  const auto puzzle = drawn(data, 0);
  Draws draws(5, Purpose::test, 0, 1);
  Tokens input(81), label(81);
  for (int i = 0; i < 200; ++i) {
    const auto symmetry = sudoku_family().draw(draws, 81);
    sudoku_family().apply(symmetry, puzzle.input, input);
    sudoku_family().apply(symmetry, puzzle.label, label);
    ASSERT_TRUE(is_sudoku_solution(input, label));
    ASSERT_EQ(sudoku_family().class_key(input, label), sudoku_family().class_key(puzzle.input, puzzle.label));
  }
}

TEST(PuzzleClasses, TellPuzzlesApart) {
  for (const std::string family : {"sudoku", "maze"}) {
    const TemporaryFolder folder;
    copy_csv(family, folder.path());
    const PuzzlesData data(family == "sudoku" ? sudoku_family() : maze_family(), puzzles_config(folder.path()));
    std::set<PairKey> keys;
    for (const auto& list : {data.trained_pairs(), data.tested_pairs()})
      keys.insert(list.keys.begin(), list.keys.end());
    EXPECT_EQ(std::ssize(keys), data.puzzles() + data.test_puzzles());
    EXPECT_FALSE(keys.contains(kNoPair));
  }
  // Two swapped columns of different stacks: still every row and column has each digit, but it is another structure.
  Tokens input(16, 1), label{2, 3, 4, 5, 4, 5, 2, 3, 3, 2, 5, 4, 5, 4, 3, 2};
  input[0] = 2, input[5] = 5, input[11] = 4;
  auto other_input = input, other_label = label;
  for (std::size_t row = 0; row < 4; ++row) {
    std::swap(other_input[row * 4 + 1], other_input[row * 4 + 2]);
    std::swap(other_label[row * 4 + 1], other_label[row * 4 + 2]);
  }
  EXPECT_NE(sudoku_family().class_key(input, label), sudoku_family().class_key(other_input, other_label));
  // One given less.
  other_input = input;
  other_input[5] = 1;
  EXPECT_NE(sudoku_family().class_key(input, label), sudoku_family().class_key(other_input, label));
}

TEST(Puzzles, AFreshCopyIsShownAtEachVisit) {
  for (const std::string family : {"sudoku", "maze"}) {
    SCOPED_TRACE(family);
    const TemporaryFolder folder;
    copy_csv(family, folder.path());
    const auto& of = family == "sudoku" ? sudoku_family() : maze_family();
    const PuzzlesData data(of, puzzles_config(folder.path()));
    const PuzzlesData plain(of, puzzles_config(folder.path(), PuzzleCopies::none));
    std::map<std::int64_t, std::set<std::int64_t>> copies;
    const auto visits = static_cast<std::uint64_t>(40 * data.puzzles());
    for (std::uint64_t position = 0; position < visits; ++position) {
      const auto puzzle = drawn(data, position);
      copies[puzzle.origin.item].insert(puzzle.origin.transform);
      EXPECT_TRUE(of.obeys(puzzle.input, puzzle.label) || family == "maze");
      const auto itself = drawn(plain, position);
      EXPECT_EQ(itself.origin.item, puzzle.origin.item) << "the order does not depend on the copies";
      auto frame = itself.label;
      data.augment(puzzle.origin, frame);
      EXPECT_EQ(frame, puzzle.label);
      EXPECT_EQ(drawn(data, position).input, puzzle.input);
    }
    EXPECT_EQ(std::ssize(copies), data.puzzles());
    for (const auto& [item, seen] : copies) EXPECT_EQ(seen.size(), family == "sudoku" ? 40U : 8U) << item;
  }
}

TEST(Puzzles, FrozenCopiesAreThoseOfTheExport) {
  const TemporaryFolder folder;
  copy_csv("sudoku", folder.path());
  auto config = puzzles_config(folder.path(), PuzzleCopies::frozen);
  config.augmentations = 2;
  const PuzzlesData data(sudoku_family(), config);
  data.write_rows(folder / "built", {});
  const auto rows = read_puzzle_rows(folder / "built");
  Tokens input(81), label(81);
  std::int32_t id = -1;
  for (std::uint64_t position = 0; position < 200; ++position) {
    rows.example(7, position, input, label, id);
    const auto puzzle = drawn(data, position, 7);
    EXPECT_EQ(puzzle.input, input);
    EXPECT_EQ(puzzle.label, label);
  }
}

TEST(Puzzles, AreScoredByRulesAndRating) {
  const TemporaryFolder folder;
  copy_csv("sudoku", folder.path());
  const PuzzlesData data(sudoku_family(), puzzles_config(folder.path()));
  const auto measures = data.measures();
  EXPECT_EQ(measures.front().key, "exact");
  std::map<std::string, std::int64_t> totals, hits;
  const auto tests = data.tests().front();
  for (std::int64_t test = 0; test < tests.size; ++test) {
    const auto example = tests.at(test);
    const auto counts = data.score({example.input, example.label, test % 2 == 0 ? example.label : example.input, test});
    ASSERT_EQ(counts.size(), measures.size());
    for (std::size_t i = 0; i < counts.size(); ++i) {
      totals[measures[i].key] += counts[i].total;
      hits[measures[i].key] += counts[i].hits;
    }
  }
  EXPECT_EQ(totals["valid"], tests.size);
  EXPECT_EQ(hits["valid"], (tests.size + 1) / 2);
  std::int64_t rated = 0, right = 0;
  for (const auto& [key, total] : totals) {
    if (!key.starts_with("exact_rating_")) continue;
    EXPECT_GT(total, 0) << key << ": only classes that the tests have";
    rated += total;
    right += hits[key];
  }
  EXPECT_EQ(rated, tests.size);
  EXPECT_EQ(right, hits["exact"]);
}

TEST(Puzzles, TestsStandInADrawnOrder) {
  const TemporaryFolder folder;
  copy_csv("sudoku", folder.path());
  auto config = puzzles_config(folder.path());
  const PuzzlesData data(sudoku_family(), config);
  config.build_seed = 43;
  const PuzzlesData other(sudoku_family(), config);
  std::set<Tokens> inputs, others;
  bool moved = false;
  for (std::int64_t test = 0; test < data.test_puzzles(); ++test) {
    const auto a = data.tests().front().at(test).input, b = other.tests().front().at(test).input;
    inputs.insert(a), others.insert(b);
    moved = moved || a != b;
  }
  EXPECT_EQ(std::ssize(inputs), data.test_puzzles());
  EXPECT_EQ(inputs, others);
  EXPECT_TRUE(moved);
}

TEST(Puzzles, TestsThatTrainingShowsInAnotherFormAreFound) {
  const TemporaryFolder folder;
  copy_csv("sudoku", folder.path());
  const PuzzlesData apart(sudoku_family(), puzzles_config(folder.path()));
  EXPECT_EQ(shared_pairs(apart).shared, 0);
  const auto puzzle = drawn(apart, 4);  // a copy of some training puzzle
  std::string question, answer;
  for (std::size_t cell = 0; cell < 81; ++cell) {
    question += puzzle.input[cell] == 1 ? '.' : static_cast<char>('0' + puzzle.input[cell] - 1);
    answer += static_cast<char>('0' + puzzle.label[cell] - 1);
  }
  write_atomically(folder / "test.csv", "source,question,answer,rating\nx," + question + "," + answer + ",3\n");
  const PuzzlesData data(sudoku_family(), puzzles_config(folder.path()));
  const auto shared = shared_pairs(data);
  EXPECT_EQ(shared.shared, 1);
  EXPECT_EQ(shared.examples.front().tested, "test puzzle 1");
  EXPECT_EQ(shared.examples.front().trained, "training puzzle " + std::to_string(puzzle.origin.item + 1));
  const PuzzlesData plain(sudoku_family(), puzzles_config(folder.path(), PuzzleCopies::none));
  EXPECT_EQ(shared_pairs(plain).shared, 0) << "without copies training does not show this form";
}

TEST(PuzzleCsv, MayBeGzippedAndHaveWindowsLines) {
  const TemporaryFolder folder;
  auto text = read_text(kBuilds / "sudoku_train.csv");  // with Windows' ends of lines
  ASSERT_TRUE(contains(text, "\r\n"));
  std::erase(text, '\r');
  text.pop_back();  // without the end of the last line
  const auto file = folder / "train.csv.gz";
  gzFile out = gzopen(file.c_str(), "wb");
  gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
  gzclose(out);
  EXPECT_EQ(find_puzzle_csv(folder.path(), "train"), file);
  const auto plain = read_puzzle_csv(kBuilds / "sudoku_train.csv", sudoku_family(), 0);
  const auto zipped = read_puzzle_csv(file, sudoku_family(), 0);
  ASSERT_EQ(zipped.size(), plain.size());
  for (std::int64_t i = 0; i < plain.size(); ++i) EXPECT_TRUE(std::ranges::equal(zipped.row(i), plain.row(i)));
  // Half of it.
  const auto bytes = read_bytes(file);
  write_atomically(file, std::string_view(bytes).substr(0, bytes.size() / 2));
  EXPECT_TRUE(
      contains(user_error_of([&] { read_puzzle_csv(file, sudoku_family(), 0); }), "it is cut off; fetch it again"));
}

TEST(PuzzleCsv, MistakesAreNamed) {
  const TemporaryFolder folder;
  const auto file = folder / "train.csv";
  const std::string head = "source,question,answer,rating\n", good = "a,b,1...............,1234341221434321,7\n";
  const auto message = [&](const std::string& text, const PuzzleFamily& family = sudoku_family()) {
    write_atomically(file, text);
    return user_error_of([&] { read_puzzle_csv(file, family, 0); });
  };
  EXPECT_TRUE(contains(message("question,answer\n"), "expected the columns source,question,answer,rating"));
  EXPECT_TRUE(contains(message(""), "expected the columns"));
  EXPECT_TRUE(contains(message(head), "expected at least one puzzle, found none"));
  EXPECT_TRUE(contains(message(head + "a,1,2\n"), "line 2: expected four columns"));
  EXPECT_TRUE(contains(message(head + good + "a,1...,1234,0\n"), "line 3: question: expected 16 characters"));
  EXPECT_TRUE(contains(message(head + "a,123456789,123456789,0\n"), "81 (or, of a small Sudoku, 16), found 9"));
  EXPECT_TRUE(contains(message(head + "a,7...............,1234341221434321,7\n"), "digits from 1 to 4, and . or 0"));
  EXPECT_TRUE(contains(message(head + "a,1...............,.234341221434321,7\n"),
                       "answer: expected digits from 1 to 4, found"));
  EXPECT_TRUE(
      contains(message(head + "a,2...............,1234341221434321,7\n"), "answer: expected what the question gives"));
  EXPECT_TRUE(
      contains(message(head + "a,1...............,1234341221434321,x\n"), "rating: expected a whole number from 0"));
  EXPECT_TRUE(contains(message(head + "a,S #o,SoGo,0\n", maze_family()), "# (wall), blank (open), S, G, found"));
  EXPECT_TRUE(contains(message(head + "a,S #G,SooG,0\n", maze_family()), "answer: expected what the question gives"));
  write_atomically(file, head + good + "\n");
  EXPECT_EQ(read_puzzle_csv(file, sudoku_family(), 0).size(), 1) << "a source may have a comma, and a line nothing";
  auto config = puzzles_config(folder.path());
  config.train_puzzles = 2;
  EXPECT_TRUE(
      contains(user_error_of([&] { PuzzlesData(sudoku_family(), config); }), "data.train_puzzles: expected at most 1"));
  config = puzzles_config(folder.path(), PuzzleCopies::frozen);
  EXPECT_TRUE(contains(user_error_of([&] { PuzzlesData(sudoku_family(), config); }), "expected Sudokus of 81"));
  config = puzzles_config(folder / "nothing");
  EXPECT_TRUE(
      contains(user_error_of([&] { PuzzlesData(sudoku_family(), config); }), "expected a folder with train.csv"));
  config = puzzles_config(folder.path());
  config.min_rating = 8;
  EXPECT_TRUE(contains(user_error_of([&] { PuzzlesData(sudoku_family(), config); }), "a rating of 8 or more"));
}

TEST(PuzzleDrawings, ShowPuzzlesAndMistakes) {
  const Tokens input{2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  Tokens answer{2, 3, 4, 5, 4, 5, 2, 3, 3, 2, 5, 4, 5, 4, 3, 3};
  const auto block = sudoku_family().drawing({"x", input, answer}, {});
  EXPECT_EQ(block.lines.at(0), "1'2 | 3 4 ");
  EXPECT_EQ(block.lines.at(2), "----+-----");
  EXPECT_EQ(block.lines.at(4), "4 3 | 2!2!") << "2 stands twice in its row";
  const Tokens maze{3, 2, 2, 4}, way{3, 5, 1, 4};
  const auto path = maze_family().drawing({"x", maze, way}, {});
  EXPECT_EQ(path.lines.at(0), "S o ");
  EXPECT_EQ(path.lines.at(1), "#!G ");
}

TEST(PuzzlesQuestions, AreReadAsTextOrCsv) {
  const TemporaryFolder folder;
  copy_csv("sudoku", folder.path());
  const PuzzlesData data(sudoku_family(), puzzles_config(folder.path()));
  const auto csv = data.questions(folder / "test.csv");
  ASSERT_EQ(csv.size(), 10U);
  std::string lines, blocks;
  for (const auto& example : csv) {
    EXPECT_TRUE(is_sudoku_solution(example.input, example.label));
    const auto text = data.written(example.input, example.input).get<std::string>();
    lines += text + "\r\n";
    for (std::size_t row = 0; row < 9; ++row) blocks += text.substr(9 * row, 9) + "\n";
    blocks += "\n";
  }
  for (const auto& text : {lines, blocks}) {
    write_atomically(folder / "mine.txt", text);
    const auto found = data.questions(folder / "mine.txt");
    ASSERT_EQ(found.size(), csv.size());
    for (std::size_t i = 0; i < csv.size(); ++i) {
      EXPECT_EQ(found[i].input, csv[i].input);
      EXPECT_EQ(found[i].label, Tokens(81, kIgnore));
    }
  }
  const auto message = [&](const std::string& text) {
    write_atomically(folder / "mine.txt", text);
    return user_error_of([&] { data.questions(folder / "mine.txt"); });
  };
  EXPECT_TRUE(contains(message("\n" + std::string(80, '.') + "\n"), "line 2: expected a puzzle of 81 characters"));
  EXPECT_TRUE(
      contains(message(blocks.substr(0, 30) + "\n\n" + lines), "line 1: expected a puzzle of 9 lines, found 3"));
  EXPECT_TRUE(contains(message(std::string(80, '.') + "x"), "found \"x\" in cell 81"));
  EXPECT_TRUE(contains(message("\n"), "expected a puzzle a line, found none"));
}

}  // namespace
}  // namespace dis
