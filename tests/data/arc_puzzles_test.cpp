#include "dis/data/arc/arc_puzzles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "core/user_error.h"
#include "dis/core/json.h"
#include "dis/core/random.h"
#include "dis/core/sha256.h"
#include "dis/data/numpy_legacy_random.h"

namespace dis {
namespace {

const std::filesystem::path kData = std::filesystem::path(DIS_SOURCE_DIR) / "tests/data";

template <class Action>
void expect_user_error(Action&& action, const std::vector<std::string>& parts) {
  const auto message = user_error_of(action);
  for (const auto& part : parts) EXPECT_TRUE(contains(message, part)) << "no \"" << part << "\" in: " << message;
}

Json golden() { return read_json(kData / "golden/arc_small.json"); }

std::vector<ArcSubset> small_sets() {
  return {read_arc_subset(kData / "arc", "small"), read_arc_subset(kData / "arc", "other")};
}

ArcPuzzles golden_puzzles() {
  const auto build = golden().at("build");
  return ArcPuzzles(small_sets(), {.augmentations = build.at("augmentations").get<std::int64_t>(),
                                   .seed = build.at("seed").get<std::uint32_t>(),
                                   .side = build.at("side").get<int>(),
                                   .test_set = build.at("test_set").get<std::string>(),
                                   .frozen_translations = true});
}

Grid random_grid(std::uint64_t number, int most_colours = kColours) {
  Draws draws(1, Purpose::test, 0, number);
  Grid grid{1 + static_cast<int>(draws.below(6)), 1 + static_cast<int>(draws.below(6)), {}};
  for (int i = 0; i < grid.rows * grid.columns; ++i) {
    grid.cells.push_back(static_cast<std::uint8_t>(draws.below(static_cast<std::uint32_t>(most_colours))));
  }
  return grid;
}

Augmentation random_augmentation(std::uint64_t number) {
  Draws draws(2, Purpose::test, 0, number);
  Augmentation augmentation;
  augmentation.tid = static_cast<int>(draws.below(kSymmetries));
  draws.shuffle(std::span(augmentation.colours).subspan(1));
  return augmentation;
}

/// A puzzle as the reference compares it: all pairs, in any order.
using PuzzleKey = std::multiset<std::pair<Grid, Grid>>;
PuzzleKey key_of(const ArcTask& task, const Augmentation& augmentation) {
  PuzzleKey key;
  for (const auto& pair : task.pairs) key.emplace(apply(augmentation, pair.input), apply(augmentation, *pair.output));
  return key;
}

TEST(NumpyLegacyRandom, DrawsWhatNumpyDraws) {
  const auto draws = golden().at("draws");
  NumpyLegacyRandom random(draws.at("seed").get<std::uint32_t>());
  for (const auto& value : draws.at("randint_8")) EXPECT_EQ(random.up_to(7), value.get<std::uint32_t>());
  EXPECT_EQ(random.up_to(0), draws.at("randint_1").get<std::uint32_t>());
  for (const auto& value : draws.at("randint_1000")) EXPECT_EQ(random.up_to(999), value.get<std::uint32_t>());
  for (const auto& permutation : draws.at("permutation_9")) {
    std::vector<int> items(9);
    std::iota(items.begin(), items.end(), 1);
    random.shuffle(std::span(items));
    EXPECT_EQ(items, permutation.get<std::vector<int>>());
  }
  std::vector<int> items(20);
  std::iota(items.begin(), items.end(), 0);
  random.shuffle(std::span(items));
  EXPECT_EQ(items, draws.at("shuffle_20").get<std::vector<int>>());
}

TEST(Grid, SymmetriesAreThoseOfTheReference) {
  const Grid grid = grid_from_text("123/456");
  const char* expected[] = {"123/456", "36/25/14", "654/321", "41/52/63", "321/654", "456/123", "14/25/36", "63/52/41"};
  for (int tid = 0; tid < kSymmetries; ++tid) {
    EXPECT_EQ(to_text(apply({tid, kSameColours}, grid)), expected[tid]) << "symmetry " << tid;
  }
}

TEST(Grid, ColoursComeBeforeTheSymmetry) {
  ColourMap map = kSameColours;
  std::swap(map[1], map[5]);
  EXPECT_EQ(to_text(apply({1, map}, grid_from_text("12/34"))), "24/53");
}

TEST(Grid, EveryAugmentationIsUndone) {
  std::set<int> seen;
  for (std::uint64_t number = 0; number < 2000; ++number) {
    const auto grid = random_grid(number);
    const auto augmentation = random_augmentation(number);
    seen.insert(augmentation.tid);
    EXPECT_EQ(undo(augmentation, apply(augmentation, grid)), grid) << "symmetry " << augmentation.tid;
  }
  EXPECT_EQ(seen.size(), kSymmetries);
}

TEST(Grid, TextIsReadAndRefused) {
  EXPECT_EQ(grid_from_text(""), Grid{});
  EXPECT_EQ(to_text(grid_from_text("012/345")), "012/345");
  expect_user_error([] { grid_from_text("01/2"); }, {"row 1 has 1 cells", "row 0 has 2"});
  expect_user_error([] { grid_from_text("0a"); }, {"found 'a'"});
}

TEST(ArcPuzzles, TheBuildEqualsTheReferences) {
  const auto build = golden().at("build");
  const auto puzzles = golden_puzzles();
  const auto& groups = build.at("groups");
  ASSERT_EQ(puzzles.groups().size(), groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto& group = puzzles.groups()[g];
    EXPECT_EQ((Json{group.subset, group.task.id, group.puzzles}), groups[g]);
    EXPECT_EQ(puzzles.group_of(group.first_puzzle), g);
    EXPECT_EQ(puzzles.group_of(group.first_puzzle + group.puzzles - 1), g);
  }
  const auto identifiers = build.at("identifiers").get<std::vector<std::string>>();
  ASSERT_EQ(puzzles.identifiers(), std::ssize(identifiers));
  for (std::size_t i = 0; i < identifiers.size(); ++i) {
    EXPECT_EQ(puzzles.identifier(static_cast<std::int64_t>(i)), identifiers[i]);
  }
}

TEST(ArcPuzzles, FrozenArraysEqualTheReferences) {
  const auto build = golden().at("build");
  const auto puzzles = golden_puzzles();
  Sha256 inputs, labels;
  std::vector<std::uint8_t> field(900);
  std::int64_t example = 0;
  for (const auto& group : puzzles.groups()) {
    EXPECT_EQ(group.first_example, example);
    for (std::int64_t puzzle = 0; puzzle < group.puzzles; ++puzzle) {
      const auto what = puzzles.augmentation(group.first_puzzle + puzzle);
      for (const int number : group.train_pairs) {
        const auto& pair = group.task.pairs[static_cast<std::size_t>(number)];
        const auto where = puzzles.translation(example++);
        write_field(pair.input, what, where, 30, std::uint8_t{0}, field);
        inputs.update(std::as_bytes(std::span(field)));
        write_field(*pair.output, what, where, 30, std::uint8_t{0}, field);
        labels.update(std::as_bytes(std::span(field)));
      }
    }
  }
  EXPECT_EQ(example, puzzles.examples(ArcSplit::train));
  EXPECT_EQ(inputs.hex(), build.at("train_inputs_sha256").get<std::string>());
  EXPECT_EQ(labels.hex(), build.at("train_labels_sha256").get<std::string>());
}

TEST(ArcPuzzles, AGroupHoldsNoPuzzleTwice) {
  const auto puzzles = golden_puzzles();
  for (const auto& group : puzzles.groups()) {
    std::set<PuzzleKey> keys;
    for (std::int64_t i = 0; i < group.puzzles; ++i) {
      EXPECT_TRUE(keys.insert(key_of(group.task, puzzles.augmentation(group.first_puzzle + i))).second)
          << group.task.id << ", puzzle " << i;
    }
  }
}

// A task of one colour that no symmetry changes has a single puzzle for each colour, and black has but one.
TEST(ArcPuzzles, EqualPuzzlesOfSymmetricTasksAreFound) {
  const auto task = [](const char* id, const char* grid) {
    const Grid g = grid_from_text(grid);
    return ArcTask{id, {{g, g, false}, {g, g, true}}};
  };
  const ArcPuzzles puzzles({{"own", {task("black", "00/00"), task("red", "22/22"), task("two", "12/21")}}},
                           {.augmentations = 200, .test_set = "own"});
  std::map<std::string, std::int64_t> sizes;
  for (const auto& group : puzzles.groups()) sizes[group.task.id] = group.puzzles;
  EXPECT_EQ(sizes["black"], 1);
  EXPECT_EQ(sizes["red"], 9);
  EXPECT_EQ(sizes["two"], 9 * 8);
}

TEST(ArcPuzzles, NoTestPairOfTheTestSetIsATrainingPair) {
  const auto puzzles = golden_puzzles();
  std::int64_t tests = 0;
  for (const auto& group : puzzles.groups()) {
    for (const int number : group.train_pairs) {
      EXPECT_FALSE(group.subset == "small" && group.task.pairs[static_cast<std::size_t>(number)].test);
    }
    for (const int number : group.test_pairs) {
      EXPECT_TRUE(group.subset == "small" && group.task.pairs[static_cast<std::size_t>(number)].test);
    }
    EXPECT_EQ(group.train_pairs.size() + group.test_pairs.size(), group.task.pairs.size());
    tests += group.puzzles * std::ssize(group.test_pairs);
  }
  EXPECT_GT(tests, 0);
  EXPECT_EQ(puzzles.examples(ArcSplit::test), tests);
}

TEST(ArcPuzzles, LargeTasksAreLeftOut) {
  const ArcPuzzles puzzles(small_sets(), {.augmentations = 3, .side = 6, .test_set = "small"});
  EXPECT_EQ(puzzles.groups().size(), 7U);
  for (const auto& group : puzzles.groups()) {
    for (const auto& pair : group.task.pairs) EXPECT_LE(std::max(pair.input.rows, pair.output->columns), 6);
  }
}

TEST(ArcPuzzles, TasksThatNoFieldHoldsAreLeftOutAndNamed) {
  const auto all = ArcPuzzles(small_sets(), {.test_set = "small"});
  EXPECT_TRUE(all.left_out().empty());
  EXPECT_EQ(all.left_out_text(), "");
  auto sets = small_sets();
  ArcTask wide = sets[0].tasks.front();
  wide.id = "wide";
  wide.pairs.front().input = {1, 31, std::vector<std::uint8_t>(31, 3)};
  sets[0].tasks.insert(sets[0].tasks.begin(), wide);
  const ArcPuzzles puzzles(sets, {.test_set = "small"});
  ASSERT_EQ(puzzles.left_out().size(), 1U);
  EXPECT_EQ(puzzles.left_out()[0].name, "small");
  EXPECT_EQ(puzzles.left_out()[0].tasks, std::vector{wide});
  EXPECT_EQ(puzzles.left_out_text(),
            "1 task (wide) left out for a grid of more than 30 rows or columns (data.max_grid)");
  ASSERT_EQ(puzzles.puzzles(), all.puzzles());
  for (std::int64_t i = 0; i < all.identifiers(); i += 97) EXPECT_EQ(puzzles.identifier(i), all.identifier(i));
  wide.id = "wider";
  sets[1].tasks.push_back(wide);
  EXPECT_TRUE(ArcPuzzles(sets, {.test_set = "small"}).left_out_text().starts_with("2 tasks (wide for one) left out"));
}

TEST(ArcPuzzles, Mistakes) {
  expect_user_error([] { ArcPuzzles(small_sets(), {.side = 1, .test_set = "small"}); },
                    {"no task is left", "data.max_grid = 1"});
  expect_user_error([] { ArcPuzzles(small_sets(), {.test_set = "evaluation"}); },
                    {"data.test_set", "small, other", "\"evaluation\""});
  expect_user_error(
      [] {
        auto sets = small_sets();
        sets[1].tasks.push_back(sets[0].tasks[0]);
        ArcPuzzles(sets, {.test_set = "small"});
      },
      {"0d3d703e", "both subsets small and other"});
  expect_user_error(
      [] {
        auto sets = small_sets();
        sets[1].tasks[0].pairs.back().output.reset();
        ArcPuzzles(sets, {.test_set = "small"});
      },
      {"subset other", "not known"});
}

TEST(ArcPuzzles, IdentifiersAreTakenApart) {
  const auto puzzles = golden_puzzles();
  for (std::int64_t i = 1; i < puzzles.identifiers(); ++i) {
    const auto parsed = parse_identifier(puzzles.identifier(i));
    EXPECT_EQ(parsed.task, puzzles.groups()[puzzles.group_of(i - 1)].task.id);
    EXPECT_EQ(parsed.augmentation, puzzles.augmentation(i - 1));
  }
  for (const char* bad : {"a|||t8|||0123456789", "a|||t1|||0123456788", "a|||t1|||012345678", "a|||1|||0123456789",
                          "a|||t1|||012345678x", "a|||t1||0123456789"}) {
    expect_user_error([&] { parse_identifier(bad); }, {bad});
  }
}

TEST(WriteField, EndMarkersStandBelowAndToTheRight) {
  std::vector<std::int32_t> field(16);
  write_field(grid_from_text("12"), {}, {1, 1}, 4, kPadToken, field);
  EXPECT_EQ(field, (std::vector<std::int32_t>{0, 0, 0, 0, 0, 3, 4, 1, 0, 1, 1, 0, 0, 0, 0, 0}));
  write_field(grid_from_text("12"), {}, {3, 2}, 4, -100, field);
  EXPECT_EQ(field, (std::vector<std::int32_t>{-100, -100, -100, -100, -100, -100, -100, -100, -100, -100, -100, -100,
                                              -100, -100, 3, 4}));
  EXPECT_THROW(write_field(grid_from_text("12"), {}, {0, 3}, 4, 0, field), std::logic_error);
}

}  // namespace
}  // namespace dis
