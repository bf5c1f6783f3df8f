// Pairs by their content: what counts as the same pair, and what data sets say of what they share.
#include "dis/data/shared_pairs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "core/temporary_folder.h"
#include "dis/core/random.h"
#include "dis/data/arc/arc_data.h"
#include "dis/data/arc/arc_export.h"
#include "dis/data/arrays/grid_puzzles.h"
#include "dis/data/arrays/puzzle_rows.h"
#include "dis/data/boards/board_statistics.h"
#include "dis/data/boards/nqueens.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

const Grid kInput = grid_from_text("0123/0000/5500"), kOutput = grid_from_text("12/70");

TEST(PairKeys, OfArcAreTheSameInEveryAugmentation) {
  const auto key = arc_pair_key(kInput, kOutput);
  Draws draws(1, Purpose::augment, 0, 0);
  for (int tid = 0; tid < kSymmetries; ++tid) {
    for (int i = 0; i < 20; ++i) {
      Augmentation augmentation{tid, kSameColours};
      draws.shuffle(std::span(augmentation.colours).subspan(1));
      EXPECT_EQ(arc_pair_key(apply(augmentation, kInput), apply(augmentation, kOutput)), key) << tid;
    }
  }
}

TEST(PairKeys, OfOtherArcPairsDiffer) {
  const auto key = arc_pair_key(kInput, kOutput);
  ColourMap black = kSameColours;
  std::swap(black[0], black[9]);
  EXPECT_NE(arc_pair_key(apply({0, black}, kInput), apply({0, black}, kOutput)), key) << "training keeps black";
  EXPECT_NE(arc_pair_key(kInput, apply({1, kSameColours}, kOutput)), key) << "one symmetry for both grids";
  EXPECT_NE(arc_pair_key(kInput, grid_from_text("12/30")), key);
  EXPECT_NE(arc_pair_key(kOutput, kInput), key);
  EXPECT_NE(arc_pair_key(grid_from_text("01"), grid_from_text("0/1")),
            arc_pair_key(grid_from_text("0/1"), grid_from_text("0/1")));
}

ArcTask task_of(const std::string& id, const ArcPair& shown, const ArcPair& asked) {
  auto test = asked;
  test.test = true;
  return {id, {shown, test}};
}

ArcPuzzles puzzles_of(const ArcPair& asked) {
  const ArcPair other{grid_from_text("1"), grid_from_text("2"), false},
      third{grid_from_text("11"), grid_from_text("3"), false};
  return ArcPuzzles(
      {{"train", {task_of("known", other, {kInput, kOutput, true})}}, {"test", {task_of("new", third, asked)}}},
      {.augmentations = 2, .test_set = "test"});
}

TEST(SharedPairs, OfArcAreFoundUnderOtherNames) {
  Augmentation turned{3, kSameColours};
  std::swap(turned.colours[1], turned.colours[7]);
  const ArcData leaky(puzzles_of({apply(turned, kInput), apply(turned, kOutput), true}));
  const auto shared = shared_pairs(leaky);
  EXPECT_EQ(shared.tested, 1);
  ASSERT_EQ(shared.shared, 1);
  EXPECT_EQ(shared.examples[0].tested, "task new, test 0");
  EXPECT_EQ(shared.examples[0].trained, "task known, test 0");
  EXPECT_EQ(shared_pairs(ArcData(puzzles_of({kInput, grid_from_text("12/71"), true}))).shared, 0);
  const auto unknown = shared_pairs(ArcData(puzzles_of({kInput, std::nullopt, true})));
  EXPECT_EQ(unknown.tested, 0);
  EXPECT_EQ(unknown.shared, 0);

  // The same as rows of the builder: augmented, and moved in training.
  const TemporaryFolder folder;
  export_arc(leaky.puzzles(), folder / "rows", [](std::int64_t, std::int64_t) {});
  const auto rows = read_puzzle_rows(folder / "rows");
  EXPECT_EQ(shared_pairs(rows).tested, rows.test_examples());
  EXPECT_EQ(shared_pairs(rows).shared, rows.test_examples()) << "every augmentation of it";
}

TEST(SharedPairs, OfBoardsAreThoseOfTheLeakCheck) {
  DataConfig config;
  config.board_size = 5;
  config.train_boards = 40;
  config.test_boards = 30;
  for (const auto split : {Split::authors, Split::boards}) {
    for (const bool augment : {false, true}) {
      config.split = split;
      config.augment = augment;
      const NQueensData data(config, 3);
      std::int64_t expected = 0;
      for (const auto& set : data.test_sets()) expected += overlap_with_training(data, set.boards).boards;
      EXPECT_EQ(shared_pairs(data).shared, expected);
      EXPECT_EQ(expected > 0, split == Split::authors);
    }
  }
}

TEST(SharedPairs, OfGridsAreRowsAsTheyStand) {
  const TemporaryFolder folder;
  const auto pair = [](Json input, Json output) { return Json{{"input", {input}}, {"output", {output}}}; };
  write_json(folder / "g.json", {{"vocabulary", 3},
                                 {"rows", 1},
                                 {"columns", 2},
                                 {"train", {pair({0, 1}, {1, 2}), pair({0, 0}, {1, 1})}},
                                 {"test", {pair({0, 1}, {1, 2}), pair({1, 0}, {2, 1}), pair({0, 0}, {1, 2})}}});
  const auto shared = shared_pairs(read_grid_puzzles(folder / "g.json"));
  EXPECT_EQ(shared.tested, 3);
  ASSERT_EQ(shared.shared, 1);
  EXPECT_EQ(shared.examples[0].tested, "example 0");
  EXPECT_EQ(shared.examples[0].trained, "training example 0");
}

TEST(SharedPairs, OfTheSetsThatAreShipped) {
  const fs::path sets = fs::path(DIS_SOURCE_DIR) / "../shared/data/arc";
  if (!fs::exists(sets / "arc-agi_evaluation_challenges.json")) GTEST_SKIP() << "no ARC sets in " << sets;
  DataConfig config;
  config.kind = DataKind::arc;
  config.path = sets.string();
  config.augmentations = 0;
  config.subsets = "training,evaluation";
  config.test_set = "evaluation";
  const auto first = shared_pairs(ArcData(config));
  EXPECT_EQ(first.tested, 419);
  EXPECT_EQ(first.shared, 9);
  EXPECT_TRUE(std::ranges::any_of(first.examples, [](const auto& pair) {
    return pair.tested == "task 070dd51e, test 0" && pair.trained == "task 40853293, test 0";
  }));
  config.subsets = "training2,evaluation2";
  config.test_set = "evaluation2";
  EXPECT_EQ(shared_pairs(ArcData(config)).shared, 0);
}

TEST(ContentHash, ChangesWithACell) {
  const auto content = ArcData(puzzles_of({kInput, kOutput, true})).content();
  const auto corrected = ArcData(puzzles_of({kInput, grid_from_text("12/71"), true})).content();
  ASSERT_EQ(content.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(content[i].shown, corrected[i].shown);
    EXPECT_EQ(content[i].asked == corrected[i].asked, content[i].name == "known");
    EXPECT_EQ(content[i].trained, content[i].name == "known");
  }
}

}  // namespace
}  // namespace dis
