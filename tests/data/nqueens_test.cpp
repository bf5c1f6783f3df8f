// The N-Queens data set: the authors' boards exactly, the leak-free splits, and their distributions.
#include "dis/data/boards/nqueens.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "data/uniformity.h"
#include "dis/core/error.h"
#include "dis/core/json.h"
#include "dis/data/boards/board_generator.h"
#include "dis/data/boards/board_statistics.h"

namespace dis {
namespace {

Json golden(const std::string& name) { return read_json(std::string(DIS_SOURCE_DIR) + "/tests/data/golden/" + name); }

DataConfig config_of(Split split, int n = 8) {
  DataConfig config;
  config.split = split;
  config.board_size = n;
  return config;
}

std::string text_of(const std::vector<std::uint8_t>& tokens) {
  std::string text;
  for (const auto token : tokens) text += static_cast<char>('0' + token);
  return text;
}

std::string compact_text(const CompactBoard& board) {
  std::string columns;
  std::string marks;
  for (int row = 0; row < board.solution.size; ++row) {
    columns += static_cast<char>('0' + board.solution.column[static_cast<std::size_t>(row)]);
    marks += (board.rows >> row & 1U) ? 'x' : '.';
  }
  return columns + " " + marks;
}

BoardCounts count(const TestSet& set) {
  return count_boards(static_cast<std::int64_t>(set.boards.size()),
                      [&](std::int64_t i) { return set.boards[static_cast<std::size_t>(i)]; });
}

BoardCounts count_training(const NQueensData& data) {
  return count_boards(data.items(), [&](std::int64_t i) { return data.item(i); });
}

struct DrawnRow {
  std::vector<std::int32_t> input;
  std::vector<std::int32_t> label;
  Origin origin;
  auto operator<=>(const DrawnRow& other) const {
    return std::pair(input, label) <=> std::pair(other.input, other.label);
  }
};

DrawnRow example_at(const NQueensData& data, std::uint64_t seed, std::uint64_t position) {
  const auto length = static_cast<std::size_t>(data.shape().length);
  DrawnRow example{std::vector<std::int32_t>(length), std::vector<std::int32_t>(length), {}};
  std::int32_t puzzle_id = -1;
  example.origin = data.example(seed, position, example.input, example.label, puzzle_id);
  EXPECT_EQ(puzzle_id, 0);
  return example;
}

// ---------------------------------------------------------------------------------------------- the authors' boards

TEST(AuthorsBoards, TrainingBoardsEqualTheOfficialOnes) {
  const NQueensData data(config_of(Split::authors), 0);
  const Json expected = golden("nqueens_official_train.json")["boards"];
  ASSERT_EQ(static_cast<std::size_t>(data.items()), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(compact_text(data.compact_item(static_cast<std::int64_t>(i))), expected[i].get<std::string>()) << i;
  }
}

TEST(AuthorsBoards, TestBoardsEqualTheOfficialOnes) {
  const NQueensData data(config_of(Split::authors), 0);
  const Json document = golden("nqueens_official_test.json");
  ASSERT_EQ(data.test_sets().size(), 1U);
  const TestSet& set = data.test_sets().front();
  EXPECT_EQ(set.name, "authors");
  ASSERT_EQ(set.boards.size(), document["test"].size());
  for (std::size_t i = 0; i < set.boards.size(); ++i) {
    const Json& expected = document["test"][i];
    ASSERT_EQ(text_of(set.boards[i].input), expected["input"].get<std::string>()) << i;
    ASSERT_EQ(text_of(set.boards[i].label), expected["label"].get<std::string>()) << i;
    EXPECT_EQ(set.boards[i].givens, expected["k"].get<int>()) << i;
    EXPECT_EQ(set.boards[i].completions, std::min(expected["completions"].get<int>(), kCompletionsCap)) << i;
  }
}

TEST(AuthorsBoards, CountsEqualTheOfficialOnes) {
  const NQueensData data(config_of(Split::authors), 0);
  const Json expected = golden("nqueens_official_test.json")["counts"];
  const BoardCounts training = count_training(data);
  EXPECT_EQ(training.distinct, expected["train_boards_distinct"].get<int>());
  EXPECT_EQ(training.solutions, expected["distinct_solutions_train_unaugmented"].get<int>());
  for (const auto& [k, boards] : training.by_givens) {
    EXPECT_EQ(boards, expected["train_boards_by_k"][std::to_string(k)].get<int>());
  }
  const BoardCounts test = count(data.test_sets().front());
  EXPECT_EQ(test.distinct, expected["test_rows_distinct"].get<int>());
  EXPECT_EQ(test.distinct_inputs, expected["test_inputs_distinct"].get<int>());
  EXPECT_EQ(test.solutions, expected["distinct_solutions_test"].get<int>());
  EXPECT_EQ(test.by_completions[0], expected["test_boards_with_one_completion"].get<int>());
  const Overlap overlap = overlap_with_training(data, data.test_sets().front().boards);
  EXPECT_EQ(overlap.inputs, expected["test_inputs_also_in_train_inputs"].get<int>());
  EXPECT_EQ(overlap.boards, expected["test_rows_also_in_train_rows"].get<int>());
  EXPECT_EQ(overlap.orbits, 200);

  DataConfig plain = config_of(Split::authors);
  plain.augment = false;
  const NQueensData unaugmented(plain, 0);
  EXPECT_EQ(overlap_with_training(unaugmented, unaugmented.test_sets().front().boards).boards,
            expected["test_rows_also_in_unaugmented_train_boards"].get<int>());
}

TEST(AuthorsBoards, AnEpochHoldsTheOfficialRows) {
  const NQueensData data(config_of(Split::authors), 0);
  ASSERT_EQ(data.epoch_length(), 7200);
  const Json counts = golden("nqueens_official_test.json")["counts"];
  std::set<DrawnRow> rows;
  std::set<std::vector<std::int32_t>> inputs;
  std::map<std::int64_t, std::map<std::int64_t, int>> visits;  // [board][symmetry]
  for (std::uint64_t position = 0; position < 7200; ++position) {
    const DrawnRow example = example_at(data, 5, position);
    ++visits[example.origin.item][example.origin.transform];
    inputs.insert(example.input);
    rows.insert(example);
  }
  EXPECT_EQ(static_cast<int>(rows.size()), counts["train_rows_distinct"].get<int>());
  EXPECT_EQ(static_cast<int>(inputs.size()), counts["train_inputs_distinct"].get<int>());
  EXPECT_EQ(visits.size(), 800U);
  for (const auto& [board, symmetries] : visits) {
    for (int symmetry = 0; symmetry < kSymmetries; ++symmetry) {
      EXPECT_EQ(symmetries.at(symmetry), symmetry == 0 ? 2 : 1) << board;
    }
  }
}

TEST(AuthorsBoards, TheSeedMovesTheGenerator) {
  const NQueensData first(config_of(Split::authors), 0);
  const NQueensData second(config_of(Split::authors), 1);
  EXPECT_NE(compact_text(first.compact_item(0)) + compact_text(first.compact_item(1)),
            compact_text(second.compact_item(0)) + compact_text(second.compact_item(1)));
  DataConfig some = config_of(Split::authors, 12);
  some.min_givens = 3;
  const NQueensData data(some, 0);
  const BoardCounts counts = count_training(data);
  EXPECT_EQ(counts.by_givens.begin()->first, 3);
  EXPECT_EQ(counts.by_givens.rbegin()->first, 11);
}

// ------------------------------------------------------------------------------------------------- leak-free splits

struct LeakCase {
  Split split;
  int n;
  bool augment;
  int min_givens;
};

class LeakFree : public testing::TestWithParam<LeakCase> {};

TEST_P(LeakFree, TrainingSeesNoTestBoard) {
  const LeakCase& parameter = GetParam();
  DataConfig config = config_of(parameter.split, parameter.n);
  config.augment = parameter.augment;
  config.min_givens = parameter.min_givens;
  config.train_boards = parameter.n > 10 ? 500 : 3000;
  config.test_boards = 100;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const NQueensData data(config, seed);
    ASSERT_EQ(data.items(), config.train_boards);
    ASSERT_EQ(data.test_sets().size(), parameter.split == Split::orbits ? 2U : 1U);

    // What the model is shown, from the stream itself.
    std::set<std::vector<std::int32_t>> shown;
    for (std::int64_t item = 0; item < data.items(); ++item) {
      for (int symmetry = 0; symmetry < (config.augment ? kSymmetries : 1); ++symmetry) {
        const Board board = data.item(item);
        std::vector<std::int32_t> input(board.input.begin(), board.input.end());
        data.augment({.item = item, .transform = symmetry}, input);
        shown.insert(input);
      }
    }
    for (std::uint64_t position = 0; position < 500; ++position) {
      ASSERT_TRUE(shown.contains(example_at(data, seed, position).input));
    }

    for (const TestSet& set : data.test_sets()) {
      ASSERT_FALSE(set.boards.empty());
      for (const Board& board : set.boards) {
        EXPECT_FALSE(shown.contains({board.input.begin(), board.input.end()})) << set.name;
        EXPECT_TRUE(is_valid_completion(board.input, board.label));
        EXPECT_GE(board.givens, parameter.min_givens);
        EXPECT_LT(board.givens, parameter.n);
        EXPECT_EQ(board.completions, count_completions(board.input, kCompletionsCap));
      }
      EXPECT_EQ(count(set).distinct_inputs, count(set).boards) << set.name;
      const Overlap overlap = overlap_with_training(data, set.boards);
      EXPECT_EQ(overlap.inputs, 0) << set.name;
      EXPECT_EQ(overlap.boards, 0) << set.name;
      if (set.name == "orbits") {
        EXPECT_EQ(overlap.orbits, 0);
      } else if (parameter.n <= 8) {
        EXPECT_EQ(overlap.orbits, count(set).boards);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Splits, LeakFree,
                         testing::Values(LeakCase{Split::boards, 4, true, 0}, LeakCase{Split::boards, 4, false, 1},
                                         LeakCase{Split::boards, 5, true, 1}, LeakCase{Split::boards, 6, true, 0},
                                         LeakCase{Split::boards, 7, true, 0}, LeakCase{Split::boards, 7, false, 0},
                                         LeakCase{Split::boards, 8, true, 1}, LeakCase{Split::boards, 8, false, 0},
                                         LeakCase{Split::boards, 10, true, 0}, LeakCase{Split::boards, 11, true, 0},
                                         LeakCase{Split::boards, 16, true, 2}, LeakCase{Split::orbits, 5, true, 0},
                                         LeakCase{Split::orbits, 7, true, 0}, LeakCase{Split::orbits, 8, true, 0},
                                         LeakCase{Split::orbits, 8, false, 1}, LeakCase{Split::orbits, 9, true, 0},
                                         LeakCase{Split::orbits, 12, true, 1}),
                         [](const auto& test) {
                           return to_string(test.param.split) + std::to_string(test.param.n) +
                                  (test.param.augment ? "augmented" : "plain") + std::to_string(test.param.min_givens);
                         });

// The numbers of GRAM's protocol, if every subset of the queens is taken.
TEST(SolutionsSplit, ListsAllBoards) {
  struct Counts {
    int n;
    std::int64_t rows, inputs, tested;
  };
  for (const auto& [n, rows, inputs, tested] : {Counts{8, 8464, 5148, 772}, Counts{10, 126700, 43420, 6513}}) {
    auto config = config_of(Split::solutions, n);
    config.min_givens = 1;
    config.augment = false;
    const NQueensData data(config, 3);
    const auto& tests = data.test_sets().front();
    EXPECT_EQ(data.items() + std::ssize(tests.boards), rows);
    EXPECT_EQ(count(tests).distinct_inputs, tested);
    EXPECT_EQ(count_training(data).distinct_inputs, inputs - tested);
    EXPECT_EQ(overlap_with_training(data, tests.boards).inputs, 0);
    EXPECT_EQ(count(tests).by_givens.begin()->first, 1);
    EXPECT_EQ(count(tests).by_givens.rbegin()->first, 3);
    const auto& empty = data.test_sets().back();
    EXPECT_EQ(empty.name, "empty");
    EXPECT_EQ(empty.boards.size(), 100U);
    EXPECT_EQ(count(empty).by_givens.size(), 1U);
  }
}

TEST(SolutionsSplit, AnInputIsThereOnceForEachOfItsSolutions) {
  auto config = config_of(Split::solutions);
  config.min_givens = 1;
  const NQueensData data(config, 0);
  std::map<Placement, std::set<Placement>> labels;
  for (const auto& board : data.test_sets().front().boards) {
    EXPECT_TRUE(is_valid_completion(board.input, board.label));
    EXPECT_TRUE(labels[*placement_of(board.input)].insert(*placement_of(board.label)).second) << "a row is there twice";
  }
  for (const auto& [input, found] : labels) EXPECT_EQ(std::ssize(found), count_completions(input, 1000));
}

TEST(SolutionsSplit, KeepsImagesApartWhereTrainingShowsThem) {
  auto config = config_of(Split::solutions);
  config.min_givens = 1;
  config.train_max_givens = 7;
  for (const bool augment : {true, false}) {
    config.augment = augment;
    const NQueensData data(config, 1);
    EXPECT_EQ(overlap_with_training(data, data.test_sets().front().boards).inputs, 0);
    EXPECT_EQ(count_training(data).by_givens.rbegin()->first, 7);
    std::set<Placement> trained;
    for (std::int64_t i = 0; i < data.items(); ++i) trained.insert(canonical(data.compact_item(i).givens()));
    std::int64_t images = 0;
    for (const auto& board : data.test_sets().front().boards) {
      images += trained.contains(canonical(*placement_of(board.input))) ? 1 : 0;
    }
    EXPECT_EQ(images > 0, !augment);
  }
}

TEST(SolutionsSplit, IsAFunctionOfTheSeed) {
  auto config = config_of(Split::solutions);
  config.min_givens = 1;
  const auto first_test = [&](std::uint64_t seed) {
    return *placement_of(NQueensData(config, seed).test_sets().front().boards.front().input);
  };
  EXPECT_EQ(first_test(1), first_test(1));
  EXPECT_NE(first_test(1), first_test(2));
  config.test_file = "boards.json";
  EXPECT_THROW(NQueensData(config, 0), UserError);
}

TEST(LeakCheck, SeesALeak) {
  NQueensData data(config_of(Split::boards), 0);
  Board leaked = data.item(3);
  transform_field(std::span(leaked.input), 8, 5);
  transform_field(std::span(leaked.label), 8, 5);
  const Overlap overlap = overlap_with_training(data, std::vector<Board>{leaked});
  EXPECT_EQ(overlap.inputs, 1);
  EXPECT_EQ(overlap.boards, 1);
  EXPECT_EQ(overlap.orbits, 1);
}

TEST(BoardsSplit, MostBoardsOfEveryKindStayForTraining) {
  DataConfig config = config_of(Split::boards, 6);
  config.test_boards = 1000000;  // as many as there can be
  config.train_boards = 5000;
  const NQueensData data(config, 0);
  const TestSet& set = data.test_sets().front();
  EXPECT_NE(set.meaning.find("as no more of the 1000000 asked for"), std::string::npos) << set.meaning;
  std::map<int, std::set<Placement>> all;
  for (const Placement& solution : all_solutions(6)) {
    for (std::uint32_t rows = 0; rows < (1U << 6) - 1; ++rows) {
      const Placement givens = keep_rows(solution, rows);
      all[givens.queens()].insert(canonical(givens));
    }
  }
  std::map<int, std::set<Placement>> tested;
  std::map<int, std::set<Placement>> trained;
  for (const Board& board : set.boards) tested[board.givens].insert(canonical(*placement_of(board.input)));
  for (std::int64_t i = 0; i < data.items(); ++i) {
    trained[data.item(i).givens].insert(canonical(data.compact_item(i).givens()));
  }
  EXPECT_TRUE(tested[0].empty());
  for (const auto& [k, classes] : all) {
    EXPECT_EQ(trained[k].size() + tested[k].size(), classes.size()) << k;  // 5000 draws meet every class
    if (classes.size() > 1) {
      EXPECT_EQ(tested[k].size(), std::max<std::size_t>(1, classes.size() / 5)) << k;
    }
  }
}

TEST(OrbitsSplit, HoldsOutTheShareOfOrbits) {
  for (const auto& [share, held] : std::map<double, std::size_t>{{0.01, 1}, {0.2, 2}, {0.5, 6}, {0.9, 11}}) {
    const SolutionSource source(8, share, 7);
    EXPECT_EQ(source.list(Orbits::held_out, true).size(), held) << share;
    EXPECT_EQ(source.list(Orbits::seen, true).size(), 12 - held) << share;
    EXPECT_EQ(source.list(Orbits::all, false).size(), 92U);
    for (const Placement& solution : source.list(Orbits::held_out, false)) EXPECT_TRUE(source.is_held_out(solution));
    for (const Placement& solution : source.list(Orbits::seen, false)) EXPECT_FALSE(source.is_held_out(solution));
  }
  EXPECT_EQ(SolutionSource(5, 0.9, 7).list(Orbits::seen, true).size(), 1U);  // two orbits: one of each
  EXPECT_NE(SolutionSource(8, 0.2, 1).list(Orbits::held_out, true),
            SolutionSource(8, 0.2, 2).list(Orbits::held_out, true));
}

TEST(OrbitsSplit, BeyondTheTableTheShareIsHeldOutByHash) {
  const SolutionSource source(12, 0.3, 1);
  Draws draws(1, Purpose::test, 2, 0);
  int held = 0;
  for (int i = 0; i < 2000; ++i) {
    const Placement solution = source.draw(draws, Orbits::all);
    held += source.is_held_out(solution) ? 1 : 0;
    EXPECT_EQ(source.is_held_out(transformed(solution, 3)), source.is_held_out(solution));
  }
  EXPECT_NEAR(held, 600, 4 * std::sqrt(2000 * 0.3 * 0.7));
  EXPECT_TRUE(source.is_held_out(source.draw(draws, Orbits::held_out)));
  EXPECT_FALSE(source.is_held_out(source.draw(draws, Orbits::seen)));
}

std::string error_of(const DataConfig& config) {
  try {
    NQueensData data(config, 0);
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

TEST(NQueensErrors, ImpossibleSplitsAreRefused) {
  for (const int n : {4, 6}) {
    const std::string error = error_of(config_of(Split::orbits, n));
    EXPECT_NE(error.find("data.board_size = " + std::to_string(n)), std::string::npos) << error;
  }
  DataConfig config = config_of(Split::orbits);
  config.train_file = "boards.json";
  EXPECT_NE(error_of(config).find("data.train_file: expected none"), std::string::npos) << error_of(config);
  config = config_of(Split::boards, 4);
  config.min_givens = 3;  // one class of givens up to symmetry: nothing to hold back
  EXPECT_NE(error_of(config).find("data.min_givens = 3"), std::string::npos) << error_of(config);
}

// ---------------------------------------------------------------------------------------------------- distributions

TEST(BoardsDistribution, GivensSubsetsAndSolutionsAreUniform) {
  DataConfig config = config_of(Split::boards);
  config.test_boards = 1;
  config.train_boards = 40000;
  const NQueensData data(config, 11);
  std::vector<std::int64_t> by_givens(8);
  std::map<Placement, std::int64_t> by_solution;
  std::map<std::uint32_t, std::int64_t> pairs_of_rows;   // boards with 2 givens
  std::map<std::uint32_t, std::int64_t> threes_of_rows;  // boards with 3 givens
  for (std::int64_t i = 0; i < data.items(); ++i) {
    const CompactBoard& board = data.compact_item(i);
    const int k = board.givens().queens();
    ++by_givens[static_cast<std::size_t>(k)];
    ++by_solution[board.solution];
    if (k == 2) ++pairs_of_rows[board.rows];
    if (k == 3) ++threes_of_rows[board.rows];
  }
  const auto counts_of = [](const auto& map) {
    std::vector<std::int64_t> counts;
    for (const auto& [key, value] : map) counts.push_back(value);
    return counts;
  };
  EXPECT_LT(uniformity(by_givens), kUnlikely);
  EXPECT_EQ(by_solution.size(), 92U);
  EXPECT_LT(uniformity(counts_of(by_solution)), kUnlikely);
  EXPECT_EQ(pairs_of_rows.size(), 28U);
  EXPECT_LT(uniformity(counts_of(pairs_of_rows)), kUnlikely);
  EXPECT_EQ(threes_of_rows.size(), 56U);
  EXPECT_LT(uniformity(counts_of(threes_of_rows)), kUnlikely);
  // The authors' search is not uniform, and the test sees it.
  std::map<Placement, std::int64_t> authors;
  for (const CompactBoard& board : authors_boards(8, 0, 40000, 42)) ++authors[board.solution];
  EXPECT_GT(uniformity(counts_of(authors)), 10 * kUnlikely);
}

TEST(BoardsDistribution, AugmentationIsUniformPerVisit) {
  const NQueensData data(config_of(Split::boards), 0);
  std::vector<std::int64_t> symmetries(kSymmetries);
  std::vector<std::int64_t> visits(static_cast<std::size_t>(data.items()));
  for (std::uint64_t position = 0; position < 8000; ++position) {
    const DrawnRow example = example_at(data, 3, position);
    ++symmetries[static_cast<std::size_t>(example.origin.transform)];
    ++visits[static_cast<std::size_t>(example.origin.item)];
    const Board board = data.item(example.origin.item);
    std::vector<std::int32_t> input(board.input.begin(), board.input.end());
    std::vector<std::int32_t> label(board.label.begin(), board.label.end());
    data.augment(example.origin, input);
    data.augment(example.origin, label);
    ASSERT_EQ(input, example.input);
    ASSERT_EQ(label, example.label);
  }
  EXPECT_LT(uniformity(symmetries), kUnlikely);
  EXPECT_TRUE(std::all_of(visits.begin(), visits.end(), [](auto count) { return count == 10; }));  // ten epochs
}

// ------------------------------------------------------------------------------------------------------- the stream

TEST(NQueensStream, DrawsAreFunctionsOfSeedAndPosition) {
  const NQueensData data(config_of(Split::boards), 0);
  const NQueensData same(config_of(Split::boards), 0);
  const NQueensData other(config_of(Split::boards), 1);
  int differing_order = 0;
  int differing_boards = 0;
  for (std::uint64_t position = 900; position < 950; ++position) {
    const DrawnRow example = example_at(data, 0, position);
    EXPECT_EQ(example.input, example_at(same, 0, position).input);
    differing_order += example.origin.item != example_at(data, 1, position).origin.item;
    differing_boards += example.input != example_at(other, 0, position).input;
  }
  EXPECT_GT(differing_order, 40);
  EXPECT_GT(differing_boards, 25);
}

TEST(NQueensStream, ShapeAndBatch) {
  DataConfig config = config_of(Split::boards, 5);
  config.augment = false;
  const NQueensData data(config, 0);
  EXPECT_EQ(data.shape().vocabulary, 3);
  EXPECT_EQ(data.shape().length, 25);
  EXPECT_EQ(data.shape().identifiers, 1);
  EXPECT_EQ(data.identifier(0), "<blank>");
  EXPECT_THROW(data.identifier(1), std::logic_error);
  const Batch batch = draw_batch(data, 4, 100, 3);
  for (std::size_t lane = 0; lane < 3; ++lane) {
    const DrawnRow example = example_at(data, 4, 100 + lane);
    EXPECT_EQ(example.origin.transform, 0);
    EXPECT_TRUE(
        std::equal(example.input.begin(), example.input.end(), batch.inputs.begin() + static_cast<int>(lane) * 25));
  }
}

TEST(NQueensPicture, ShowsGivensAnswersAndMistakes) {
  DataConfig config;
  config.board_size = 4;
  const NQueensData data(config, 0);
  EXPECT_TRUE(data.picture({}).has_value()) << "whatever the example: asked before there is any";
  std::vector<std::int32_t> input(16, kEmptyCell);
  input[1] = kQueenCell;
  auto answer = input;
  answer[7] = answer[8] = answer[9] = kQueenCell;
  const auto panel = data.picture({"answer", input, answer});
  ASSERT_TRUE(panel && panel->grid);
  EXPECT_EQ(panel->letters, " Q     QQQ      ");
  EXPECT_EQ(panel->grid->cells[1], 5) << "given";
  EXPECT_EQ(panel->grid->cells[7], 8);
  EXPECT_EQ(panel->grid->cells[8], 7) << "two queens in a row";
  EXPECT_EQ(panel->grid->cells[0], 0);
}

}  // namespace
}  // namespace dis
