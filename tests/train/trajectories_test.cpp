#include "dis/train/trajectories.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/train/targets.h"

namespace dis {
namespace {

using Tokens = std::vector<std::int32_t>;

constexpr std::size_t kCells = 16;

Tokens tokens(const std::string& digits) {
  Tokens result;
  for (const char digit : digits) result.push_back(digit - '0');
  return result;
}

Tokens copy(std::span<const std::int32_t> frame) { return {frame.begin(), frame.end()}; }

/// Two 4-queens boards: item 0 shows one queen of its solution, item 1 none. Transform 1 mirrors them left-right.
class TwoBoards : public TrainingStream {
 public:
  static void item(std::int64_t number, std::span<std::int32_t> input, std::span<std::int32_t> label) {
    std::ranges::copy(tokens(number == 0 ? "1211111111111111" : "1111111111111111"), input.begin());
    std::ranges::copy(tokens(number == 0 ? "1211111221111121" : "1121211111121211"), label.begin());
  }
  DataShape shape() const override { return {3, kCells, 1}; }
  Origin example(std::uint64_t, std::uint64_t position, std::span<std::int32_t> input, std::span<std::int32_t> label,
                 std::int32_t& puzzle_id) const override {
    const Origin origin{static_cast<std::int64_t>(position % 2), static_cast<std::int32_t>(position / 2 % 2)};
    item(origin.item, input, label);
    augment(origin, input);
    augment(origin, label);
    puzzle_id = 0;
    return origin;
  }
  void augment(const Origin& origin, std::span<std::int32_t> frame) const override {
    for (std::size_t r = 0; origin.transform == 1 && r < 4; ++r) std::ranges::reverse(frame.subspan(4 * r, 4));
  }
  std::string identifier(std::int64_t) const override { throw std::logic_error("not for this test"); }

  static TrajectoryItems items() {
    const auto find = [](const std::string& task, std::int64_t pair) -> std::optional<std::int64_t> {
      if ((task != "0" && task != "1") || pair != 0) return std::nullopt;
      return task[0] - '0';
    };
    const auto name = [](std::int64_t item) { return "task \"" + std::to_string(item) + "\", pair 0"; };
    return {.shape = TwoBoards().shape(), .count = 2, .grids = false, .find = find, .name = name, .read = &item};
  }
};

class TrajectoryFile : public testing::Test {
 protected:
  void SetUp() override {
    path_ =
        std::filesystem::path(testing::TempDir()) /
        (std::string("dis_trajectories_") + testing::UnitTest::GetInstance()->current_test_info()->name() + ".json");
  }
  void TearDown() override { std::filesystem::remove(path_); }

  Trajectories load(const std::string& text, const TrajectoryItems& items = TwoBoards::items(),
                    TrajectoryMissing missing = TrajectoryMissing::refuse) const {
    write_atomically(path_, text);
    return Trajectories(path_, items, missing);
  }

  /// A file whose item 0 has these frames, and item 1 good ones.
  Trajectories load_frames(const std::string& frames_of_item_0) const {
    return load(R"({"trajectories": [{"task": "0", "pair": 0, "frames": [)" + frames_of_item_0 + "]}," + kGood1 + "]}");
  }

  void expect_error(const std::string& text, const std::vector<std::string>& parts,
                    const TrajectoryItems& items = TwoBoards::items()) const {
    try {
      load(text, items);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const UserError& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      EXPECT_NE(message.find(path_.string()), std::string::npos) << message;
      for (const std::string& part : parts)
        EXPECT_NE(message.find(part), std::string::npos) << part << " in: " << message;
    }
  }
  void expect_frames_error(const std::string& frames, const std::vector<std::string>& parts) const {
    expect_error(R"({"trajectories": [{"task": "0", "pair": 0, "frames": [)" + frames + "]}," + kGood1 + "]}", parts);
  }

  inline static const std::string kGood0 =
      R"({"task": "0", "pair": 0, "frames": ["1211111211111111", "1211111221111111", "1211111221111121"]})";
  inline static const std::string kGood1 =
      R"({"task": "1", "pair": 0, "by": "a solver", "frames": [[[1,1,2,1],[2,1,1,1],[1,1,1,2],[1,2,1,1]]]})";
  inline static const std::string kLast = R"("1211111221111121")";

  std::filesystem::path path_;
};

TEST_F(TrajectoryFile, SpreadsItsFramesOverTheSteps) {
  const Trajectories three = load("{\"trajectories\": [" + kGood1 + "," + kGood0 + "]}");
  const std::vector<Tokens> frames{tokens("1211111211111111"), tokens("1211111221111111"), tokens("1211111221111121")};
  // Step s of N has frame ceil(s M / N), here with M = 3.
  const auto numbers = [&](std::int64_t N) {
    std::string result;
    for (std::int64_t s = 1; s <= N; ++s) {
      const auto found = std::ranges::find(frames, copy(three.at_step(0, s, N)));
      result += std::to_string(found - frames.begin() + 1);
    }
    return result;
  };
  EXPECT_EQ(numbers(1), "3");
  EXPECT_EQ(numbers(2), "23");
  EXPECT_EQ(numbers(3), "123");
  EXPECT_EQ(numbers(5), "12233");
  EXPECT_EQ(numbers(6), "112233");
  for (std::int64_t s = 1; s <= 4; ++s) EXPECT_EQ(copy(three.at_step(1, s, 4)), tokens("1121211111121211"));
  EXPECT_THROW(three.at_step(2, 1, 1), std::logic_error);
  EXPECT_THROW(three.at_step(0, 0, 1), std::logic_error);
}

TEST_F(TrajectoryFile, IsProjectedOnTheVocabulary) {
  // 0 (the pad), 3, 9, negative and huge values are no tokens: the first frame takes the input's, later ones the last
  // frame's.
  const Trajectories projected = load_frames(
      R"([[9, 0, 1, 1], [1, 1, 1, 2], [3, 1, 1, 1], [1, 1, -2, 1]], "1213111021111191", [[1, 2, 1, 1], [1, 1, 1, 2],
         [2, 1, 1, 1], [1, 1, 2, 18446744073709551615]])");
  EXPECT_EQ(copy(projected.at_step(0, 1, 3)), tokens("1211111211111111"));
  EXPECT_EQ(copy(projected.at_step(0, 2, 3)), tokens("1211111221111111"));
  EXPECT_EQ(copy(projected.at_step(0, 3, 3)), tokens("1211111221111121"));
}

TEST_F(TrajectoryFile, MayKeepItsDistanceFromFrameToFrame) {
  EXPECT_NO_THROW(load_frames(R"("1211111211111112", "1211111121111112", )" + kLast));
}

TEST_F(TrajectoryFile, IsNotLookedAtWhereThereIsNoLabel) {
  // Cell 0 has no label: the last frame may differ there, and a frame may become worse there.
  const std::string frames = R"(["1211111211111111", "2211111221111121"])";
  const std::string other = R"(["2121211111121211"])";
  const std::string text = R"({"trajectories": [{"task": "0", "pair": 0, "frames": )" + frames +
                           R"(}, {"task": "1", "pair": 0, "frames": )" + other + "}]}";
  TrajectoryItems items = TwoBoards::items();
  items.read = [](auto item, auto input, auto label) {
    TwoBoards::item(item, input, label);
    label[0] = kIgnore;
  };
  EXPECT_NO_THROW(load(text, items));
  EXPECT_THROW(load(text), UserError);
}

TEST_F(TrajectoryFile, BecomesTheTargetsWithTheExamplesAugmentation) {
  const auto trajectories =
      std::make_shared<const Trajectories>(load("{\"trajectories\": [" + kGood0 + "," + kGood1 + "]}"));
  MethodConfig method;
  method.targets = TargetKind::trajectory;
  method.num_supervision = 3;
  const TwoBoards stream;
  const TargetBuilder builder(method, stream.shape(), trajectories);
  Batch batch = draw_batch(stream, 1, 0, 4);  // items 0 and 1 as they are, then mirrored
  Tokens frames = builder.batch_frames(1, 0, batch, stream);
  const auto frame = [&](std::size_t lane, std::size_t s) {
    return copy(std::span(frames).subspan((lane * 4 + s) * kCells, kCells));
  };
  for (std::size_t lane = 0; lane < 4; ++lane) {
    EXPECT_EQ(frame(lane, 0), copy(std::span(batch.inputs).subspan(lane * kCells, kCells)));
    EXPECT_EQ(frame(lane, 3), copy(std::span(batch.labels).subspan(lane * kCells, kCells)));
  }
  EXPECT_EQ(frame(0, 1), tokens("1211111211111111"));
  EXPECT_EQ(frame(0, 2), tokens("1211111221111111"));
  EXPECT_EQ(frame(2, 1), tokens("1121211111111111"));
  EXPECT_EQ(frame(2, 2), tokens("1121211111121111"));
  EXPECT_EQ(frame(3, 1), tokens("1211111221111121"));

  batch.labels[0] = kIgnore;
  frames = builder.batch_frames(1, 0, batch, stream);
  for (std::size_t s = 0; s <= 3; ++s) EXPECT_EQ(frame(0, s)[0], kIgnore);

  EXPECT_THROW(TargetBuilder(method, stream.shape()), std::logic_error) << "frames are needed";
}

TEST_F(TrajectoryFile, MayLeaveItemsToTheirLabel) {
  const auto trajectories = std::make_shared<const Trajectories>(
      load("{\"trajectories\": [" + kGood0 + "]}", TwoBoards::items(), TrajectoryMissing::label));
  EXPECT_EQ(trajectories->missing_count(), 1);
  EXPECT_FALSE(trajectories->at_step(0, 1, 2).empty());
  EXPECT_TRUE(trajectories->at_step(1, 1, 2).empty());
  EXPECT_EQ(load("{\"trajectories\": []}", TwoBoards::items(), TrajectoryMissing::label).missing_count(), 2);
  EXPECT_EQ(load("{\"trajectories\": [" + kGood0 + "," + kGood1 + "]}").missing_count(), 0);

  MethodConfig method;
  method.targets = TargetKind::trajectory;
  method.num_supervision = 2;
  const TwoBoards stream;
  const TargetBuilder builder(method, stream.shape(), trajectories);
  Batch batch = draw_batch(stream, 1, 0, 4);  // lanes 1 and 3 show item 1, lane 3 mirrored
  batch.labels[3 * kCells] = kIgnore;
  const Tokens frames = builder.batch_frames(1, 0, batch, stream);
  for (const std::size_t lane : {1U, 3U}) {
    const auto label = copy(std::span(batch.labels).subspan(lane * kCells, kCells));
    for (const std::size_t s : {1U, 2U}) {
      EXPECT_EQ(copy(std::span(frames).subspan((lane * 3 + s) * kCells, kCells)), label) << lane << ", step " << s;
    }
  }
  EXPECT_EQ(frames[3 * 3 * kCells], kIgnore);
  EXPECT_EQ(copy(std::span(frames).subspan(kCells, kCells)), tokens("1211111221111111")) << "lane 0 has its frames";
}

TEST_F(TrajectoryFile, NamesWhatIsWrongWithTheFile) {
  const std::string rest = "," + kGood1 + "]}";
  const auto entry = [&](const std::string& fields) { return "{\"trajectories\": [{" + fields + "}" + rest; };
  expect_error("{\"trajectories\": [", {"not valid JSON"});
  expect_error("[1]", {"top level", "\"trajectories\"", "array"});
  expect_error(R"({"trajectories": 3})", {"top level", "\"trajectories\""});
  expect_error("{\"trajectories\": [7" + rest, {"trajectories[0]", "object", "number"});
  for (const std::string task : {"3", "null", "[\"0\"]"}) {
    expect_error(entry("\"task\": " + task + R"(, "pair": 0, "frames": [)" + kLast + "]"),
                 {"trajectories[0].task", "a string", "found " + task});
  }
  for (const std::string pair : {"1.0", "\"0\"", "null"}) {
    expect_error(entry(R"("task": "0", "pair": )" + pair + R"(, "frames": [)" + kLast + "]"),
                 {"trajectories[0].pair", "an integer", "found " + pair});
  }
  for (const std::string task : {"\"2\"", "\"-1\"", "\"\""}) {
    expect_error(entry("\"task\": " + task + R"(, "pair": 0, "frames": [)" + kLast + "]"),
                 {"trajectories[0].task and .pair: ", "\"0\" to \"1\"", "found " + task + " and 0"});
  }
  for (const std::string pair : {"1", "-1", "18446744073709551615"}) {
    expect_error(entry(R"("task": "0", "pair": )" + pair + R"(, "frames": [)" + kLast + "]"),
                 {"trajectories[0].task and .pair: ", "and pair 0", "found \"0\" and " + pair});
  }
  expect_error(entry(R"("pair": 0, "frames": [)" + kLast + "]"), {"trajectories[0].task", "found none"});
  expect_error(entry(R"("task": "0", "frames": [)" + kLast + "]"), {"trajectories[0].pair", "found none"});
  for (const std::string frames : {"", R"(, "frames": [])", R"(, "frames": "1")"}) {
    expect_error(entry(R"("task": "0", "pair": 0)" + frames), {"task \"0\", pair 0", "\"frames\""});
  }
  expect_error("{\"trajectories\": [" + kGood0 + "," + kGood0 + rest, {"trajectories[1]", "second one for task \"0\""});
  expect_error("{\"trajectories\": [" + kGood0 + "]}",
               {"task \"1\", pair 0", "2 training examples", "(1 have none)", "trajectory_missing"});
  std::filesystem::remove(path_);
  EXPECT_THROW(Trajectories(path_, TwoBoards::items(), TrajectoryMissing::label), UserError) << "no such file";
}

TEST_F(TrajectoryFile, NamesWhatIsWrongWithAFrame) {
  const std::string where = "task \"0\", pair 0, frame ";
  expect_frames_error(kLast + ", \"12\"", {where + "2", "16 digits", "found 2 digits"});
  expect_frames_error(R"("12111112211111x1")", {where + "1", "16 digits", "other characters"});
  expect_frames_error("17", {where + "1", "4 rows of 4 integers", "found number"});
  expect_frames_error("[[1, 1], [1, 1]]", {where + "1", "found 2 rows of 2"});
  expect_frames_error("[[1,2,1,1],[1,1,1,2],[2,1,1,1],[1,1,2]]", {where + "1", "same length", "3 cells in row 3"});
  expect_frames_error("[[1,2,1,1],7]", {where + "1", "4 rows of 4 integers", "found number as row 1"});
  expect_frames_error("[[1,2,1,1],[1,1,1,2],[2,1,1,1],[1,1,2,1.5]]", {where + "1", "integers, found 1.5"});
  expect_frames_error(R"("1211111211111111", "1211111111112111", )" + kLast, {where + "2", "(2)", "found 4"});
  expect_frames_error(R"("1211111211111111", "1211111221111111")", {where + "2", "last frame", "1 cells that differ"});
}

}  // namespace
}  // namespace dis
