#include "dis/data/arc/arc_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/data/identifiers.h"

namespace dis {
namespace {

const std::filesystem::path kSets = std::filesystem::path(DIS_SOURCE_DIR) / "tests/data/arc";

ArcPuzzles puzzles_of(int side, bool frozen = false) {
  return ArcPuzzles({read_arc_subset(kSets, "small"), read_arc_subset(kSets, "other")},
                    {.augmentations = 20, .side = side, .test_set = "small", .frozen_translations = frozen});
}

/// An example of the stream, and where it is from.
struct Drawn {
  std::vector<std::int32_t> input, label;
  std::int32_t id = -1;
  Origin origin;
  std::size_t group = 0;
  const ArcPair* pair = nullptr;
  Augmentation augmentation;
};

Drawn draw(const ArcData& data, std::uint64_t seed, std::uint64_t position) {
  const auto length = static_cast<std::size_t>(data.shape().length);
  Drawn drawn;
  drawn.input.resize(length);
  drawn.label.resize(length);
  drawn.origin = data.example(seed, position, drawn.input, drawn.label, drawn.id);
  const auto item = data.item(drawn.origin.item);
  drawn.group = item.group;
  drawn.pair = &data.puzzles().groups()[item.group].task.pairs[static_cast<std::size_t>(item.pair)];
  drawn.augmentation = data.puzzles().augmentation(drawn.id - 1);
  return drawn;
}

/// Where a grid stands in its field: its first colour cell.
Translation place_of(const std::vector<std::int32_t>& field, int side) {
  const auto first = std::ranges::find_if(field, [](std::int32_t token) { return token >= kFirstColourToken; });
  const auto cell = static_cast<int>(first - field.begin());
  return {static_cast<std::uint8_t>(cell / side), static_cast<std::uint8_t>(cell % side)};
}

TEST(ArcData, AnExampleIsThePairThatItsOriginNames) {
  const ArcData data(puzzles_of(30));
  const auto shape = data.shape();
  EXPECT_EQ(shape.vocabulary, 12);
  EXPECT_EQ(shape.length, 900);
  EXPECT_EQ(shape.identifiers, data.puzzles().puzzles() + 1);
  for (std::uint64_t position = 0; position < 3000; ++position) {
    const auto drawn = draw(data, 5, position);
    EXPECT_EQ(data.puzzles().group_of(drawn.id - 1), drawn.group);
    const auto where = place_of(drawn.input, 30);
    std::vector<std::int32_t> field(900);
    write_field(drawn.pair->input, drawn.augmentation, where, 30, kPadToken, field);
    EXPECT_EQ(drawn.input, field);
    write_field(*drawn.pair->output, drawn.augmentation, where, 30, kIgnore, field);
    EXPECT_EQ(drawn.label, field) << "input and label move together";
  }
}

TEST(ArcData, NoTestExampleReachesTraining) {
  const ArcData data(puzzles_of(30));
  std::set<const ArcPair*> drawn;
  for (std::uint64_t position = 0; position < 5000; ++position) drawn.insert(draw(data, 1, position).pair);
  std::size_t training = 0;
  for (const auto& group : data.puzzles().groups()) {
    for (const int pair : group.test_pairs) {
      EXPECT_FALSE(drawn.contains(&group.task.pairs[static_cast<std::size_t>(pair)])) << group.task.id;
    }
    training += group.train_pairs.size();
  }
  EXPECT_EQ(drawn.size(), training) << "and every training pair does";
}

TEST(ArcData, AnEpochShowsOnePuzzleOfEveryTaskWhole) {
  const ArcData data(puzzles_of(30));
  for (std::int64_t epoch = 0; epoch < 5; ++epoch) {
    std::map<std::size_t, std::multiset<std::int64_t>> items;
    std::map<std::size_t, std::set<std::int32_t>> ids;
    for (std::int64_t i = 0; i < data.epoch_length(); ++i) {
      const auto drawn = draw(data, 3, static_cast<std::uint64_t>(epoch * data.epoch_length() + i));
      items[drawn.group].insert(drawn.origin.item);
      ids[drawn.group].insert(drawn.id);
    }
    ASSERT_EQ(items.size(), data.puzzles().groups().size());
    for (std::size_t g = 0; g < items.size(); ++g) {
      EXPECT_EQ(ids[g].size(), 1U);
      const std::set<std::int64_t> distinct(items[g].begin(), items[g].end());
      EXPECT_EQ(distinct.size(), data.puzzles().groups()[g].train_pairs.size());
      EXPECT_EQ(items[g].size(), distinct.size());
    }
  }
}

TEST(ArcData, OneExampleOfAVisitedPuzzleStaysAtTheOriginAndTheOthersGoEverywhere) {
  const ArcData data(puzzles_of(8));
  std::map<std::pair<std::int64_t, std::size_t>, std::pair<int, int>> visits;  // (epoch, group): at the origin, all
  std::map<int, std::vector<std::int64_t>> rows;                               // by the rows that are free
  for (std::int64_t position = 0; position < 40 * data.epoch_length(); ++position) {
    const auto drawn = draw(data, 9, static_cast<std::uint64_t>(position));
    const auto where = place_of(drawn.input, 8);
    auto& [origin, all] = visits[{position / data.epoch_length(), drawn.group}];
    origin += where == Translation{} ? 1 : 0;
    ++all;
    const auto input = view_of(drawn.augmentation.tid, drawn.pair->input.rows, drawn.pair->input.columns);
    const auto output = view_of(drawn.augmentation.tid, drawn.pair->output->rows, drawn.pair->output->columns);
    const int free = 8 - std::max(input.rows, output.rows);
    auto& counts = rows.try_emplace(free, static_cast<std::size_t>(free + 1)).first->second;
    ++counts.at(where.row);
  }
  for (const auto& [visit, counts] : visits) EXPECT_GE(counts.first, 1);
  // The origin is as likely as the other places and gets the kept examples on top.
  for (const auto& [free, counts] : rows) {
    for (std::size_t row = 1; row < counts.size(); ++row) {
      EXPECT_GT(counts[0], counts[row]);
      EXPECT_GT(counts[row], 0) << free << " free rows";
    }
  }
}

TEST(ArcData, FrozenTranslationsAreThoseOfTheBuild) {
  const ArcData data(puzzles_of(30, true), TranslationKind::frozen);
  for (std::uint64_t position = 0; position < 500; ++position) {
    const auto drawn = draw(data, 4, position);
    const auto& group = data.puzzles().groups()[drawn.group];
    const auto number =
        std::ranges::find(group.train_pairs, data.item(drawn.origin.item).pair) - group.train_pairs.begin();
    const auto example =
        group.first_example + (drawn.id - 1 - group.first_puzzle) * std::ssize(group.train_pairs) + number;
    EXPECT_EQ(place_of(drawn.input, 30), data.puzzles().translation(example));
  }
}

TEST(ArcData, WithoutTranslationsGridsStandAtTheOrigin) {
  const ArcData data(puzzles_of(30), TranslationKind::none);
  for (std::uint64_t position = 0; position < 200; ++position) {
    EXPECT_EQ(place_of(draw(data, 4, position).input, 30), Translation{});
  }
}

TEST(ArcData, TestFieldsStandAtTheOrigin) {
  const ArcData data(puzzles_of(30));
  const auto& group = data.puzzles().groups()[0];
  ASSERT_FALSE(group.test_pairs.empty());
  const ArcTestRow row{0, group.first_puzzle + 3, 0};
  std::vector<std::int32_t> input(900), label(900), expected(900);
  data.test_fields(row, input, label);
  const auto& pair = group.task.pairs[static_cast<std::size_t>(group.test_pairs[0])];
  const auto what = data.puzzles().augmentation(row.puzzle);
  write_field(pair.input, what, {}, 30, kPadToken, expected);
  EXPECT_EQ(input, expected);
  write_field(*pair.output, what, {}, 30, kIgnore, expected);
  EXPECT_EQ(label, expected);
  EXPECT_EQ(data.identifier(data.identifier_of(row)), data.puzzles().identifier(row.puzzle + 1));
}

TEST(ArcData, SubsetNames) {
  DataConfig config;
  config.subsets = "training, concept";
  const auto two = chosen_subsets(config);
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[1].name, "concept");
  EXPECT_FALSE(two[1].augmentations || two[1].pairs);
  config.subsets = "training:15,rearc:0:5";
  const auto counted = chosen_subsets(config);
  EXPECT_EQ(counted[0].augmentations, 15);
  EXPECT_FALSE(counted[0].pairs);
  EXPECT_EQ(counted[1].name, "rearc");
  EXPECT_EQ(counted[1].augmentations, 0);
  EXPECT_EQ(counted[1].pairs, 5);
  for (const std::string wrong : {"training,,concept", ":3", "a:", "a:x", "a:-1", "a:3:0", "a:3:5:7", "a:3:5x"}) {
    config.subsets = wrong;
    EXPECT_TRUE(contains(user_error_of([&] { chosen_subsets(config); }), "data.subsets")) << wrong;
  }
  config.subsets = "rearc:3:5";
  config.test_set = "rearc";
  EXPECT_TRUE(contains(user_error_of([&] { chosen_subsets(config); }), "the test set keeps all its pairs"));
}

/// Writes the set `name` with tasks of four demonstrations and a test each.
void write_made_set(const std::filesystem::path& folder, const std::string& name, const std::vector<std::string>& ids,
                    std::uint8_t first_colour) {
  ArcSubset subset{name, {}};
  for (const auto& id : ids) {
    auto& task = subset.tasks.emplace_back(ArcTask{id, {}});
    for (std::uint8_t i = 0; i < 5; ++i) {
      const auto colour = static_cast<std::uint8_t>((first_colour + i) % 10);
      ArcPair& pair = task.pairs.emplace_back();
      pair.input = {1, 2, {colour, 1}};
      pair.output = Grid{1, 2, {1, colour}};
      pair.test = i == 4;
    }
  }
  write_arc_subset(folder, subset);
}

/// The sets `own`, which is tested, and `made`, one of whose two tasks follows one of `own`.
DataConfig with_made_sets(const TemporaryFolder& folder, const std::string& subsets, std::int64_t augmentations) {
  write_made_set(folder.path(), "own", {"007bbfb7", "00d62c1b"}, 0);
  write_made_set(folder.path(), "made", {"re_007bbfb7", "re_0b148d64"}, 5);
  DataConfig config;
  config.path = folder.path().string();
  config.subsets = subsets;
  config.test_set = "own";
  config.augmentations = augmentations;
  return config;
}

TEST(ArcData, SetsHaveCountsOfTheirOwn) {
  const TemporaryFolder folder;
  auto config = with_made_sets(folder, "own,made:2:3", 6);
  const ArcData data(config);
  for (const auto& group : data.puzzles().groups()) {
    EXPECT_EQ(group.puzzles, group.subset == "own" ? 7 : 3);
    EXPECT_EQ(group.train_pairs.size(), group.subset == "own" ? 4U : 3U);
  }
  config.max_puzzles = 19;
  EXPECT_TRUE(contains(user_error_of([&] { ArcData{config}; }), "more than data.max_puzzles = 19"));
  config.max_puzzles = 20;
  EXPECT_EQ(ArcData(config).puzzles().puzzles(), 20);
}

TEST(ArcData, MadeTasksCountAsTheirSource) {
  EXPECT_EQ(source_task("re_007bbfb7"), "007bbfb7");
  for (const std::string id : {"007bbfb7", "re_", "re_007bbfbz", "re_007bbfb77"}) EXPECT_EQ(source_task(id), id);
  const TemporaryFolder folder;
  auto config = with_made_sets(folder, "own,made", 0);
  const auto answered = [&] {
    auto tasks = ArcData(config).answered_tasks().value();
    std::ranges::sort(tasks);
    return tasks;
  };
  // Of the own test set nothing is refused, but it is told.
  EXPECT_EQ(answered(), (std::vector<std::string>{"0b148d64", "re_007bbfb7", "re_0b148d64"}));
  EXPECT_EQ(ArcData(config).made_test_tasks(), std::vector<std::string>{"re_007bbfb7"});
  config.test_set = "";
  config.subsets = "made:0:2";  // without their test pairs
  EXPECT_EQ(answered(), (std::vector<std::string>{"007bbfb7", "0b148d64"}));
  config.subsets = "made";
  EXPECT_EQ(answered(), (std::vector<std::string>{"007bbfb7", "0b148d64", "re_007bbfb7", "re_0b148d64"}));
  EXPECT_TRUE(ArcData(config).made_test_tasks().empty());
}

TEST(ArcData, ATaskMayHaveAThousandPairs) {
  const TemporaryFolder folder;
  Json pairs = Json::array();
  for (int i = 0; i < 1000; ++i) {
    const auto digits = Json::array({Json::array({i / 100, i / 10 % 10, i % 10})});
    pairs.push_back({{"input", digits}, {"output", Json::array({Json::array({i * i % 7})})}});
  }
  std::filesystem::create_directory(folder / "made");
  write_atomically(folder / "made/re_007bbfb7.json", json_text(pairs));
  DataConfig config;
  config.path = folder.path().string();
  config.subsets = "made";
  config.test_set = "";
  config.augmentations = 5;
  EXPECT_EQ(ArcData(config).puzzles().examples(ArcSplit::train), 6000);
  EXPECT_EQ(ArcData(config).epoch_length(), 1000);
  config.subsets = "made:5:10";
  EXPECT_EQ(ArcData(config).epoch_length(), 10);
}

TEST(Identifiers, TheFileIsPythonsAndIsRecognised) {
  const ArcData data(puzzles_of(30));
  const auto file = std::filesystem::temp_directory_path() / "dis_identifiers_test.json";
  write_identifiers(file, data);
  const auto names = read_identifiers(file);
  EXPECT_EQ(names, identifier_names(data));
  EXPECT_TRUE(same_identifiers(file, data));
  EXPECT_FALSE(same_identifiers(file, ArcData(puzzles_of(8))));
  std::filesystem::remove(file);
  EXPECT_EQ(identifiers_sha256(ArcData(ArcPuzzles({read_arc_subset(kSets, "small"), read_arc_subset(kSets, "other")},
                                                  {.augmentations = 30, .test_set = "small"}))),
            read_json(kSets.parent_path() / "golden/arc_small.json").at("build").at("identifiers_sha256"));
}

}  // namespace
}  // namespace dis
