// Trajectories of the real data sets: which examples they belong to, and what becomes of the frames of grids.
#include "dis/train/trajectory_items.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/train/targets.h"

namespace dis {
namespace {

using Tokens = std::vector<std::int32_t>;

constexpr int kSide = 5;
constexpr std::size_t kFieldCells = kSide * kSide;
constexpr std::int64_t kItemSteps = 3;

Tokens tokens_of(std::span<const std::int32_t> frame) { return {frame.begin(), frame.end()}; }

/// A field with these rows of tokens: '.' pad, '|' end marker, a digit its colour.
Tokens field(const std::string& text) {
  Tokens tokens;
  for (const char c : text) {
    if (c == ' ') continue;
    tokens.push_back(c == '.' ? kPadToken : c == '|' ? kEndToken : kFirstColourToken + (c - '0'));
  }
  return tokens;
}

ArcPair pair(const std::string& input, const std::string& output, bool test = false) {
  return {grid_from_text(input), grid_from_text(output), test};
}

/// "seen": the task "late" has its test pair first, all its pairs are trained on. "kept": the test pair of the task
/// "early" is held out. Grids have different colours and sizes, so that no augmentation leaves them alone.
ArcData grids(std::int64_t augmentations = 0) {
  std::vector<ArcSubset> subsets{
      {"seen",
       {{"late", {pair("12/34", "123/450", true), pair("123/456", "12/34/56"), pair("1", "1230/0450/0067/8900")}}}},
      {"kept", {{"early", {pair("012", "210"), pair("10200/00345", "12345/06789"), pair("9", "8", true)}}}}};
  return ArcData(ArcPuzzles(std::move(subsets), {.augmentations = augmentations, .side = kSide, .test_set = "kept"}));
}

std::int64_t find(const TrajectoryItems& items, const std::string& task, std::int64_t pair) {
  return items.find(task, pair).value_or(-1);
}

TEST(TrajectoryItems, OfBoardsAreNumbered) {
  DataConfig config;
  config.board_size = 5;
  config.train_boards = 12;
  config.test_boards = 2;
  const NQueensData data(config, 3);
  const TrajectoryItems items = trajectory_items(data);
  EXPECT_FALSE(items.grids);
  EXPECT_EQ(items.count, 12);
  EXPECT_EQ(items.shape.length, 25);
  EXPECT_EQ(find(items, "0", 0), 0);
  EXPECT_EQ(find(items, "11", 0), 11);
  for (const std::string task : {"12", "-1", "", "1x", " 1", "99999999999999999999"}) {
    EXPECT_EQ(find(items, task, 0), -1) << task;
  }
  EXPECT_EQ(find(items, "0", 1), -1);
  EXPECT_EQ(items.name(7), "task \"7\", pair 0");
  Tokens input(25), label(25);
  items.read(7, input, label);
  EXPECT_TRUE(std::ranges::equal(input, data.item(7).input));
  EXPECT_TRUE(std::ranges::equal(label, data.item(7).label));
}

TEST(TrajectoryItems, OfArcAreTheTrainingPairs) {
  const ArcData data = grids();
  const TrajectoryItems items = trajectory_items(data);
  EXPECT_TRUE(items.grids);
  EXPECT_EQ(items.count, 5);
  std::set<std::int64_t> found;
  for (const auto& [task, index] : std::map<std::string, std::vector<int>>{{"late", {0, 1, 2}}, {"early", {0, 1}}}) {
    for (const int i : index) {
      const std::int64_t item = find(items, task, i);
      ASSERT_GE(item, 0) << task << " " << i;
      EXPECT_EQ(data.item(item).pair, i);
      EXPECT_EQ(items.name(item), "task \"" + task + "\", pair " + std::to_string(i));
      found.insert(item);
    }
  }
  EXPECT_EQ(found, (std::set<std::int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(find(items, "early", 2), -1) << "held out";
  EXPECT_EQ(find(items, "early", -1), -1);
  EXPECT_EQ(find(items, "late", 3), -1);
  EXPECT_EQ(find(items, "Late", 0), -1);

  Tokens input(kFieldCells), label(kFieldCells);
  items.read(find(items, "late", 1), input, label);
  EXPECT_EQ(input, field("123|. 456|. |||.. ..... ....."));
  Tokens expected = field("12|.. 34|.. 56|.. ||... .....");
  std::ranges::replace(expected, kPadToken, kIgnore);
  EXPECT_EQ(label, expected);
}

class GridTrajectories : public testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::path(testing::TempDir()) /
            (std::string("dis_grid_trajectories_") + testing::UnitTest::GetInstance()->current_test_info()->name() +
             ".json");
  }
  void TearDown() override { std::filesystem::remove(path_); }

  Trajectories load(const ArcData& data, const std::string& entries) const {
    write_atomically(path_, "{\"trajectories\": [" + entries + "]}");
    return Trajectories(path_, trajectory_items(data), TrajectoryMissing::label);
  }
  /// Frames of the example 123/456 -> 12/34/56.
  Trajectories load_frames(const std::string& frames) const {
    return load(grids(), R"({"task": "late", "pair": 1, "frames": [)" + frames + "]}");
  }
  void expect_error(const std::string& entries, const std::vector<std::string>& parts) const {
    try {
      load(grids(), entries);
      ADD_FAILURE() << "accepted: " << entries;
    } catch (const UserError& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      EXPECT_NE(message.find(path_.string()), std::string::npos) << message;
      for (const std::string& part : parts) {
        EXPECT_NE(message.find(part), std::string::npos) << part << " in: " << message;
      }
    }
  }
  void expect_frames_error(const std::string& frames, const std::vector<std::string>& parts) const {
    expect_error(R"({"task": "late", "pair": 1, "frames": [)" + frames + "]}", parts);
  }

  std::filesystem::path path_;
};

constexpr std::int64_t kItem = 1;  // late, pair 1: the first subset's only task, its second pair

TEST_F(GridTrajectories, TheShippedExampleIsOfRealPairs) {
  const ArcPair other = pair("1", "2", true);
  std::vector<ArcSubset> subsets{
      {"training",
       {{"25ff71a9", {other, other, pair("111/000/000", "000/111/000")}},
        {"a79310a0", {other, pair("88000/88000/00000/00000/00000", "00000/22000/22000/00000/00000")}},
        {"d037b0a7", {other, pair("006/040/300", "006/046/346")}}}}};
  const ArcData data(ArcPuzzles(std::move(subsets), {.augmentations = 0, .side = kSide, .test_set = ""}));
  const Trajectories found(DIS_SOURCE_DIR "/configs/table1/llm_trajectory_example.json", trajectory_items(data),
                           TrajectoryMissing::label);
  EXPECT_EQ(found.missing_count(), 4);
}

TEST_F(GridTrajectories, BecomeFieldsAtTheOrigin) {
  const Trajectories found = load_frames(R"("0", [[1, 2, 0, 0, 0]], "12/34/00/00/00", [[1, 2], [3, 4], [5, 6]])");
  EXPECT_EQ(tokens_of(found.at_step(kItem, 1, 4)), field("0|... |.... ..... ..... ....."));
  EXPECT_EQ(tokens_of(found.at_step(kItem, 2, 4)), field("12000 ||||| ..... ..... .....")) << "no end at the edge";
  EXPECT_EQ(tokens_of(found.at_step(kItem, 3, 4)), field("12|.. 34|.. 00|.. 00|.. 00|.."));
  EXPECT_EQ(tokens_of(found.at_step(kItem, 4, 4)), field("12|.. 34|.. 56|.. ||... ....."));
  EXPECT_EQ(found.missing_count(), 4);
  EXPECT_TRUE(found.at_step(0, 4, 4).empty());
}

TEST_F(GridTrajectories, AreProjectedOnTheColours) {
  // The input is 123/456. Row 2 of the first frame and column 2 of the second have no colour before them.
  const Trajectories found = load_frames(
      R"([[10, 2], [3, -1], [99, 18446744073709551615]], [[-5, 2, 10], [3, 4, 7], [5, 6, 10]], "12/34/56")");
  EXPECT_EQ(tokens_of(found.at_step(kItem, 1, 3)), field("12|.. 35|.. 00|.. ||... ....."));
  EXPECT_EQ(tokens_of(found.at_step(kItem, 2, 3)), field("120|. 347|. 560|. |||.. ....."));
}

TEST_F(GridTrajectories, MustComeNearerToTheLabel) {
  const std::string where = "task \"late\", pair 1, frame ";
  // Labelled are 6 colours and the end markers: 3 beside, 2 below them.
  EXPECT_NO_THROW(load_frames(R"("77/77/77", "17/37/77", "12/34/56")"));
  EXPECT_NO_THROW(load_frames(R"("17/37/77", "71/77/56", "12/34/56")")) << "2 right cells, then 2 others";
  expect_frames_error(R"("12/34/57", "12/34/77", "12/34/56")", {where + "2", "before (1)", "found 2"});
  expect_frames_error(R"("12/34/57", "124/345/566", "12/34/56")", {where + "2", "before (1)", "found 3"});
  expect_frames_error(R"("12/34/57")", {where + "1", "last frame", "1 cells that differ"});
  expect_frames_error(R"("123/345/560")", {where + "1", "last frame", "3 cells that differ"});
  expect_frames_error(R"("12/34")", {where + "1", "last frame", "5 cells that differ"});
}

TEST_F(GridTrajectories, NameWhatIsWrong) {
  const auto entry = [](const std::string& task, const std::string& pair) {
    return "{\"task\": \"" + task + "\", \"pair\": " + pair + R"(, "frames": ["12/34/56"]})";
  };
  expect_error(entry("lat", "1"), {"trajectories[0].task and .pair: ", "id of a task", "found \"lat\" and 1"});
  expect_error(entry("late", "3"), {"trajectories[0].task and .pair: ", "found \"late\" and 3"});
  expect_error(entry("early", "2"), {"that training sees", "found \"early\" and 2"});
  expect_error(entry("late", "1") + "," + entry("late", "1"),
               {"trajectories[1]", "second one for task \"late\", pair 1"});

  const std::string where = "task \"late\", pair 1, frame ";
  expect_frames_error(R"("12/34/56", "12.34")", {where + "2", "at most 5 x 5", "other characters"});
  expect_frames_error(R"("12/3/56")", {where + "1", "same length", "1 cells in row 1 and 2 in row 0"});
  expect_frames_error(R"("12/34/56/")", {where + "1", "same length", "0 cells in row 3"});
  for (const std::string empty : {"\"\"", "[]", "[[]]"}) expect_frames_error(empty, {where + "1", "at most 5 x 5"});
  expect_frames_error(R"("123456")", {where + "1", "at most 5 x 5", "found 1 rows of 6"});
  expect_frames_error(R"("1/2/3/4/5/6")", {where + "1", "at most 5 x 5", "found 6 rows of 1"});
  expect_frames_error("[[1, 2], [3, 4], [5, null]]", {where + "1", "integers, found null"});
  expect_frames_error("[1, 2]", {where + "1", "found number as row 0"});
  expect_frames_error("{}", {where + "1", "found object"});

  write_atomically(path_, "{\"trajectories\": [" + entry("late", "1") + "]}");
  EXPECT_THROW(Trajectories(path_, trajectory_items(grids()), TrajectoryMissing::refuse), UserError);
}

/// Where the labelled cells begin: the translation of a field whose pads are kIgnore.
Translation corner_of(std::span<const std::int32_t> label) {
  std::size_t row = kSide, column = kSide;
  for (std::size_t cell = 0; cell < kFieldCells; ++cell) {
    if (label[cell] < kFirstColourToken) continue;
    row = std::min(row, cell / kSide);
    column = std::min(column, cell % kSide);
  }
  return {static_cast<std::uint8_t>(row), static_cast<std::uint8_t>(column)};
}

TEST_F(GridTrajectories, AreTurnedRecolouredAndMovedWithTheirExample) {
  const ArcData data = grids(300);
  const TrajectoryItems items = trajectory_items(data);
  // Every example: its label with colour 9 in the top left corner, then its label.
  const auto output_of = [&](std::int64_t number) {
    const auto& item = data.item(number);
    return *data.puzzles().groups()[item.group].task.pairs[static_cast<std::size_t>(item.pair)].output;
  };
  const auto first_frame_of = [&](std::int64_t number) {
    Grid grid = output_of(number);
    grid.cells.front() = 9;
    return grid;
  };
  std::string entries;
  for (std::int64_t i = 0; i < data.items(); ++i) {
    const auto& item = data.item(i);
    Json entry{{"task", data.puzzles().groups()[item.group].task.id}, {"pair", item.pair}};
    entry["frames"] = {to_text(first_frame_of(i)), to_text(output_of(i))};
    if (i > 0) entries += ",";
    entries += entry.dump();
  }
  MethodConfig method;
  method.targets = TargetKind::trajectory;
  method.num_supervision = kItemSteps;
  const TargetBuilder builder(method, data.shape(), std::make_shared<const Trajectories>(load(data, entries)));

  constexpr std::int64_t kLanes = 4000;
  const Batch batch = draw_batch(data, 7, 0, kLanes);
  const Tokens frames = builder.batch_frames(7, 0, batch, data);
  std::set<int> symmetries;
  std::set<ColourMap> colours;
  std::set<std::pair<int, int>> places;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const auto label = std::span(batch.labels).subspan(lane * kFieldCells, kFieldCells);
    const auto frame = [&](std::size_t s) {
      return tokens_of(std::span(frames).subspan((lane * (kItemSteps + 1) + s) * kFieldCells, kFieldCells));
    };
    const auto what = data.puzzles().augmentation(batch.puzzle_ids[lane] - 1);
    const auto place = corner_of(label);
    symmetries.insert(what.tid);
    colours.insert(what.colours);
    places.insert({place.row, place.column});

    Tokens first(kFieldCells);
    write_field(first_frame_of(batch.origins[lane].item), what, place, kSide, kPadToken, first);
    for (std::size_t cell = 0; cell < kFieldCells; ++cell) {
      if (label[cell] == kIgnore) first[cell] = kIgnore;
    }
    ASSERT_EQ(frame(1), first) << "lane " << lane;
    ASSERT_EQ(frame(2), tokens_of(label)) << "lane " << lane;
    ASSERT_EQ(frame(3), tokens_of(label)) << "lane " << lane;
  }
  EXPECT_EQ(symmetries.size(), 8U);
  EXPECT_GT(colours.size(), 400U) << "of 602 puzzles";
  EXPECT_GE(places.size(), 12U);
}

}  // namespace
}  // namespace dis
