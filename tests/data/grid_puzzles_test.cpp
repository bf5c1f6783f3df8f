// A user's own puzzles, as the header of grid_puzzles.h describes them.
#include "dis/data/arrays/grid_puzzles.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"

namespace dis {
namespace {

using Tokens = std::vector<std::int32_t>;

PuzzleRows read(const TemporaryFolder& folder, const std::string& text) {
  std::ofstream(folder / "puzzles.json") << text;
  return read_grid_puzzles(folder / "puzzles.json");
}

constexpr const char* kPuzzles = R"({
  "vocabulary": 4, "rows": 2, "columns": 3,
  "train": [
    {"input": [[0, 1, 2], [3, 0, 1]], "output": [[3, 3, 3], [3, 3, 3]], "puzzle": "turn"},
    {"input": [[1]],                  "output": [[2], [0]]},
    {"input": [[2, 2]],               "output": [[1, 0, 1]],            "puzzle": "turn"},
    {"input": [[0]],                  "output": [[0]],                  "puzzle": "\u00e9"}
  ],
  "test": [
    {"input": [[3]], "output": [[1, 2]], "puzzle": "\u00e9"},
    {"input": [[2]], "output": [[1]],    "puzzle": "never seen"},
    {"input": [[1]], "output": [[1]],    "puzzle": "turn"},
    {"input": [[0]], "output": [[1]],    "puzzle": "\u00e9"},
    {"input": [[0, 0], [0, 0]], "output": [[1]]}
  ]})";

TEST(GridPuzzles, BecomeRowsOfTokens) {
  TemporaryFolder folder;
  const PuzzleRows data = read(folder, kPuzzles);
  EXPECT_EQ(data.shape().vocabulary, 5);
  EXPECT_EQ(data.shape().length, 6);
  EXPECT_EQ(data.shape().identifiers, 3);
  EXPECT_EQ(data.identifier(0), "<blank>");
  EXPECT_EQ(data.identifier(1), "turn");
  EXPECT_EQ(data.identifier(2), "\u00e9");
  EXPECT_EQ(data.epoch_length(), 4);

  // Training rows: the two examples of "turn" together, then the others.
  EXPECT_EQ(data.train().groups(), 3);
  constexpr std::int32_t kOff = kIgnore;
  const std::vector<std::pair<Tokens, Tokens>> rows{
      {{1, 2, 3, 4, 1, 2}, {4, 4, 4, 4, 4, 4}},
      {{3, 3, 0, 0, 0, 0}, {2, 1, 2, kOff, kOff, kOff}},
      {{2, 0, 0, 0, 0, 0}, {3, kOff, kOff, 1, kOff, kOff}},
      {{1, 0, 0, 0, 0, 0}, {1, kOff, kOff, kOff, kOff, kOff}},
  };
  const std::vector<std::int32_t> identifiers{1, 1, 0, 2};
  std::set<std::int64_t> seen;
  for (std::uint64_t position = 0; position < 8; ++position) {
    Tokens input(6), label(6);
    std::int32_t identifier = -1;
    const Origin origin = data.example(7, position, input, label, identifier);
    const auto item = static_cast<std::size_t>(origin.item);
    EXPECT_EQ(input, rows.at(item).first) << item;
    EXPECT_EQ(label, rows.at(item).second) << item;
    EXPECT_EQ(identifier, identifiers.at(item)) << item;
    seen.insert(origin.item);
    EXPECT_TRUE(position != 3 || seen.size() == 4) << "an epoch shows every example once";
  }

  // Test rows in the order of the file.
  ASSERT_EQ(data.test_examples(), 5);
  const std::vector<std::int32_t> test_identifiers{2, 0, 1, 2, 0};
  const std::vector<std::int32_t> first_tokens{4, 3, 2, 1, 1};
  for (std::int64_t i = 0; i < 5; ++i) {
    Tokens input(6), label(6);
    std::int32_t identifier = -1;
    data.test_example(i, input, label, identifier);
    EXPECT_EQ(identifier, test_identifiers[static_cast<std::size_t>(i)]) << i;
    EXPECT_EQ(input[0], first_tokens[static_cast<std::size_t>(i)]) << i;
    EXPECT_TRUE(i != 0 || label == (Tokens{2, 3, kOff, kOff, kOff, kOff}));
    EXPECT_TRUE(i != 4 || input == (Tokens{1, 1, 0, 1, 1, 0}));
  }
}

TEST(GridPuzzles, LargeVocabulariesAndNoTest) {
  TemporaryFolder folder;
  const PuzzleRows data = read(folder, R"({"vocabulary": 65535, "rows": 1, "columns": 2,
    "train": [{"input": [[65534, 0]], "output": [[300, 65534]]}]})");
  Tokens input(2), label(2);
  data.train().read(0, input, label);
  EXPECT_EQ(input, (Tokens{65535, 1}));
  EXPECT_EQ(label, (Tokens{301, 65535}));
  EXPECT_EQ(data.test_examples(), 0);
  // 255 values and the pad just fit into a byte.
  const PuzzleRows bytes = read(folder, R"({"vocabulary": 255, "rows": 1, "columns": 1,
    "train": [{"input": [[254]], "output": [[0]]}], "test": []})");
  EXPECT_EQ(bytes.train().sets()[0].inputs.type(), NpyType::u1);
  EXPECT_EQ(bytes.train().sets()[0].inputs.numbers(), std::vector<std::int64_t>{255});
}

TEST(GridPuzzles, MistakesAreNamedWithTheirPlace) {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string text = kPuzzles;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::vector<std::pair<std::string, std::string>> cases{
      {"[", "puzzles.json:1:"},
      {"[1, 2]", "expected an object with vocabulary, rows, columns, train, test, found [1,2]"},
      {with("\"rows\": 2", "\"rws\": 2"),
       "expected only the keys vocabulary, rows, columns, train, test, found \"rws\""},
      {with("\"rows\": 2,", ""), "expected the key \"rows\", found none"},
      {with("\"rows\": 2", "\"rows\": 0"), "rows: expected a whole number from 1 to 256, found 0"},
      {with("\"columns\": 3", "\"columns\": 257"), "columns: expected a whole number from 1 to 256, found 257"},
      {with("\"vocabulary\": 4", "\"vocabulary\": 18446744073709551615"), "vocabulary: expected a whole number"},
      {with("[3, 0, 1]", "[3, 0, 4]"), "train[0].input, row 1, column 2: expected a whole number from 0 to 3, found 4"},
      {with("[3, 0, 1]", "[3, 0.5, 1]"),
       "train[0].input, row 1, column 1: expected a whole number from 0 to 3, found 0.5"},
      {with("[3, 0, 1]", "[3, -1, 1]"), "found -1"},
      {with("[3, 0, 1]", "[3, 0]"), "train[0].input, row 1: expected 3 cells, as row 0 has, found 2"},
      {with("[3, 0, 1]", "[3, 0, 1, 2]"), "train[0].input, row 1: expected a list of 1 to 3 cells, found 4"},
      {with("[[2], [0]]", "[[2], [0], [0]]"), "train[1].output: expected a list of 1 to 2 rows, found 3"},
      {with("[[2], [0]]", "[]"), "train[1].output: expected a list of 1 to 2 rows, found 0"},
      {with("[[2], [0]]", "[[]]"), "train[1].output, row 0: expected a list of 1 to 3 cells, found 0"},
      {with("[[2], [0]]", "5"), "train[1].output: expected a list of 1 to 2 rows, found 5"},
      {with("\"output\": [[1, 2]]", "\"answer\": [[1, 2]]"), "test[0]: expected only the keys input, output, puzzle"},
      {with("\"output\": [[1, 2]], ", ""), "test[0]: expected the key \"output\", found none"},
      {with("\"turn\"", "\"\""), "train[0]: puzzle: expected a name"},
      {with("\"turn\"", "\"<blank>\""), "train[0]: puzzle: expected a name"},
      {with("\"turn\"", "3"), "train[0]: puzzle: expected a name that is not empty and not <blank>, found 3"},
      {R"({"vocabulary": 4, "rows": 2, "columns": 3, "train": []})", "train: expected at least one example"},
      {R"({"vocabulary": 4, "rows": 2, "columns": 3, "train": {}})", "train: expected a list of examples, found {}"},
      {R"({"vocabulary": 4, "rows": 2, "columns": 3, "train": [7]})", "train[0]: expected an object with input"},
  };
  TemporaryFolder folder;
  for (const auto& [text, part] : cases) {
    const std::string message = user_error_of([&] { read(folder, text); });
    EXPECT_TRUE(contains(message, part)) << message << "\nexpected: " << part;
    EXPECT_TRUE(contains(message, (folder / "puzzles.json").string())) << message;
  }
}

TEST(GridPuzzles, QuestionsAndAnswersAreWrittenAsTheFile) {
  TemporaryFolder folder;
  const PuzzleRows data = read(folder, kPuzzles);
  const auto questions = [&](const std::string& text) {
    write_atomically(folder / "mine.json", text);
    return data.questions(folder / "mine.json");
  };
  const auto found = questions(R"({"test": [{"input": [[0, 3], [1, 2]], "puzzle": "turn"},
                                            {"input": [[1]], "output": [[2]], "puzzle": "never seen"}]})");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].puzzle_id, 1);
  EXPECT_EQ(found[1].puzzle_id, 0);
  EXPECT_EQ(found[0].label, Tokens(6, kIgnore));
  EXPECT_EQ(found[1].label.front(), 3);
  EXPECT_EQ(data.written(found[0].input, found[0].input), Json::parse("[[0, 3], [1, 2]]"));
  EXPECT_EQ(data.written(Tokens{3, 0, 4, 4, 4, 4}, found[1].label), Json::parse("[[2]]")) << "the label's size";
  EXPECT_EQ(data.written(Tokens{3, 0, 4, 4, 4, 4}, found[0].input), Json::parse("[[2, null], [3, 3]]"));
  EXPECT_TRUE(contains(user_error_of([&] { questions(R"({"test": [{"input": [[9]]}]})"); }), "row 0, column 0"));
  EXPECT_TRUE(contains(user_error_of([&] { questions(R"({"test": []})"); }), "expected a list of puzzles"));
}

}  // namespace
}  // namespace dis
