#include "dis/data/arc/arc_data.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/log.h"
#include "dis/core/random.h"

namespace dis {
namespace {

ArcPuzzles read_puzzles(const DataConfig& data) {
  const auto folder = data_path(data);
  std::vector<ArcSubset> subsets;
  for (const auto& choice : chosen_subsets(data)) {
    auto& subset = subsets.emplace_back(read_arc_subset(folder, choice.name));
    subset.augmentations = choice.augmentations;
    if (!choice.pairs) continue;
    for (auto& task : subset.tasks) {
      task.pairs.resize(std::min(task.pairs.size(), static_cast<std::size_t>(*choice.pairs)));
    }
  }
  return ArcPuzzles(std::move(subsets), {.augmentations = data.augmentations,
                                         .most_puzzles = data.max_puzzles,
                                         .seed = static_cast<std::uint32_t>(data.build_seed),
                                         .side = static_cast<int>(data.max_grid),
                                         .test_set = data.test_set,
                                         .frozen_translations = data.translations == TranslationKind::frozen});
}

GroupSampler sampler_of(const ArcPuzzles& puzzles) {
  std::vector<SampledGroup> groups;
  for (const auto& group : puzzles.groups()) groups.push_back({group.puzzles, std::ssize(group.train_pairs)});
  return GroupSampler(std::move(groups));
}

/// The tasks of the test set.
std::set<std::string> ids_of_tests(const ArcPuzzles& puzzles) {
  std::set<std::string> ids;
  for (const auto& group : puzzles.groups()) {
    if (!group.test_pairs.empty()) ids.insert(group.task.id);
  }
  return ids;
}

/// A number of data.subsets from `least` to 1,000,000.
std::int64_t subset_number(const std::string& text, std::int64_t least, const std::string& choice) {
  std::int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > 1'000'000) {
    throw UserError("data.subsets: expected NAME, NAME:AUGMENTATIONS or NAME:AUGMENTATIONS:PAIRS, numbers from " +
                    std::to_string(least) + " to 1000000, found \"" + choice + "\"");
  }
  return number;
}

ArcSubsetChoice subset_choice(const std::string& text) {
  ArcSubsetChoice choice;
  const auto first = text.find(':');
  choice.name = text.substr(0, first);
  if (first == std::string::npos) return choice;
  const auto second = text.find(':', first + 1);
  choice.augmentations = subset_number(text.substr(first + 1, second - first - 1), 0, text);
  if (second != std::string::npos) choice.pairs = subset_number(text.substr(second + 1), 1, text);
  return choice;
}

/// puzzle, row and column in one number.
constexpr std::int64_t kPlaces = 32;

std::int64_t encode(std::int64_t puzzle, Translation translation) {
  return (puzzle * kPlaces + translation.row) * kPlaces + translation.column;
}

/// The grid at the origin of a field of side x side: it ends where the first column and the first row have no colour.
Grid grid_at_origin(std::span<const std::int32_t> field, int side) {
  const auto at = [&](int row, int column) {
    return field[static_cast<std::size_t>(row) * static_cast<std::size_t>(side) + static_cast<std::size_t>(column)];
  };
  const auto is_colour = [](std::int32_t token) {
    return token >= kFirstColourToken && token < kFirstColourToken + kColours;
  };
  Grid grid;
  while (grid.rows < side && is_colour(at(grid.rows, 0))) ++grid.rows;
  while (grid.columns < side && is_colour(at(0, grid.columns))) ++grid.columns;
  for (int row = 0; row < grid.rows; ++row) {
    for (int column = 0; column < grid.columns; ++column) {
      const auto colour = std::clamp(at(row, column) - kFirstColourToken, 0, kColours - 1);
      grid.cells.push_back(static_cast<std::uint8_t>(colour));
    }
  }
  return grid;
}

}  // namespace

std::filesystem::path data_path(const DataConfig& data) {
  if (!data.path.empty()) return data.path;
  if (const char* environment = std::getenv("DIS_DATA_DIR"); environment != nullptr && *environment != '\0') {
    return environment;
  }
  // Also from a folder inside the repository.
  std::error_code ignored;
  for (auto place = std::filesystem::current_path(ignored); !place.empty(); place = place.parent_path()) {
    if (std::filesystem::is_directory(place / "data/arc", ignored)) return place / "data/arc";
    if (place == place.root_path()) break;
  }
  return "data/arc";
}

std::vector<ArcSubsetChoice> chosen_subsets(const DataConfig& data) {
  std::vector<std::string> texts(1);
  for (const char c : data.subsets) {
    if (c == ',') {
      texts.emplace_back();
    } else if (c != ' ') {
      texts.back() += c;
    }
  }
  std::vector<ArcSubsetChoice> choices;
  for (const auto& text : texts) {
    const auto& choice = choices.emplace_back(subset_choice(text));
    if (choice.name.empty()) {
      throw UserError("data.subsets: expected names separated by commas, as training,evaluation,concept, found \"" +
                      data.subsets + "\"");
    }
    if (choice.pairs && choice.name == data.test_set) {
      throw UserError("data.subsets: the test set keeps all its pairs: expected " + choice.name + " or " + choice.name +
                      ":" + std::to_string(*choice.augmentations) + ", found \"" + text + "\"");
    }
  }
  return choices;
}

ArcData::ArcData(ArcPuzzles puzzles, TranslationKind translations)
    : puzzles_(std::move(puzzles)), translations_(translations), sampler_(sampler_of(puzzles_)) {
  for (std::size_t g = 0; g < puzzles_.groups().size(); ++g) {
    first_item_.push_back(items());
    for (const int pair : puzzles_.groups()[g].train_pairs) items_.push_back({g, pair});
  }
}

ArcData::ArcData(const DataConfig& data) : ArcData(read_puzzles(data), data.translations) {
  if (const auto text = puzzles_.left_out_text(); !text.empty()) log_warn(text);
  if (const auto made = made_test_tasks(); !made.empty()) {
    log_warn("training sees made pairs of " + std::to_string(made.size()) + " of the test set's tasks (" +
             made.front() + " for one): a score says how they were learnt, not how an unseen task would be");
  }
}

DataShape ArcData::shape() const {
  return {kArcVocabulary, std::int64_t{puzzles_.side()} * puzzles_.side(), puzzles_.identifiers()};
}

Translation ArcData::translation_of(std::uint64_t seed, std::uint64_t position, const ArcGroup& group, const Pick& pick,
                                    int tid, const ArcPair& pair) const {
  if (translations_ == TranslationKind::none) return {};
  if (translations_ == TranslationKind::frozen) {
    return puzzles_.translation(group.first_example + pick.puzzle * std::ssize(group.train_pairs) + pick.example);
  }
  const auto kept = Draws(seed, Purpose::translate, static_cast<std::uint64_t>(pick.epoch) + 1,
                          static_cast<std::uint64_t>(pick.group))
                        .below(static_cast<std::uint32_t>(group.train_pairs.size()));
  if (std::cmp_equal(kept, pick.example))
    return {};  // as in the reference: one of a puzzle's examples, for the test
                // inputs stand at the origin
  const auto input = view_of(tid, pair.input.rows, pair.input.columns);
  const auto output = view_of(tid, pair.output->rows, pair.output->columns);
  Draws draws(seed, Purpose::translate, 0, position);
  const auto offset = [&](int extent) {
    return static_cast<std::uint8_t>(draws.below(static_cast<std::uint32_t>(puzzles_.side() - extent + 1)));
  };
  const auto row = offset(std::max(input.rows, output.rows));
  return {row, offset(std::max(input.columns, output.columns))};
}

Origin ArcData::example(std::uint64_t seed, std::uint64_t position, std::span<std::int32_t> input,
                        std::span<std::int32_t> label, std::int32_t& puzzle_id) const {
  const Pick pick = sampler_.pick(seed, position);
  const auto& group = puzzles_.groups()[static_cast<std::size_t>(pick.group)];
  const auto& pair =
      group.task.pairs[static_cast<std::size_t>(group.train_pairs[static_cast<std::size_t>(pick.example)])];
  const auto puzzle = group.first_puzzle + pick.puzzle;
  const auto what = puzzles_.augmentation(puzzle);
  const auto translation = translation_of(seed, position, group, pick, what.tid, pair);
  write_field(pair.input, what, translation, puzzles_.side(), kPadToken, input);
  write_field(*pair.output, what, translation, puzzles_.side(), kIgnore, label);
  puzzle_id = static_cast<std::int32_t>(puzzle) + 1;
  return {first_item_[static_cast<std::size_t>(pick.group)] + pick.example, encode(puzzle, translation)};
}

std::optional<std::vector<std::string>> ArcData::answered_tasks() const {
  const auto tested = ids_of_tests(puzzles_);
  std::vector<std::string> tasks;
  for (const auto& group : puzzles_.groups()) {
    const auto is_test = [&](int pair) { return group.task.pairs[static_cast<std::size_t>(pair)].test; };
    if (std::ranges::any_of(group.train_pairs, is_test)) tasks.push_back(group.task.id);
    const auto source = source_task(group.task.id);  // whichever of its pairs are trained
    if (source != group.task.id && !tested.contains(source)) tasks.push_back(source);
  }
  return tasks;
}

std::vector<std::string> ArcData::made_test_tasks() const {
  const auto tested = ids_of_tests(puzzles_);
  std::vector<std::string> made;
  for (const auto& group : puzzles_.groups()) {
    const auto& id = group.task.id;
    if (source_task(id) != id && tested.contains(source_task(id))) made.push_back(id);
  }
  return made;
}

void ArcData::augment(const Origin& origin, std::span<std::int32_t> frame) const {
  const auto puzzle = origin.transform / (kPlaces * kPlaces);
  const auto what = puzzles_.augmentation(puzzle);
  const auto grid = grid_at_origin(frame, puzzles_.side());
  // A frame may be larger than the pair's grids: it moves only as far as it fits.
  const auto view = view_of(what.tid, grid.rows, grid.columns);
  const auto place = [&](std::int64_t offset, int extent) {
    return static_cast<std::uint8_t>(std::min<std::int64_t>(offset, puzzles_.side() - extent));
  };
  const Translation translation{place(origin.transform / kPlaces % kPlaces, view.rows),
                                place(origin.transform % kPlaces, view.columns)};
  write_field(grid, what, translation, puzzles_.side(), kPadToken, frame);
}

void ArcData::test_fields(const ArcTestRow& row, std::span<std::int32_t> input, std::span<std::int32_t> label) const {
  const auto& group = puzzles_.groups().at(static_cast<std::size_t>(row.group));
  const auto& pair =
      group.task.pairs.at(static_cast<std::size_t>(group.test_pairs.at(static_cast<std::size_t>(row.test))));
  const auto what = puzzles_.augmentation(row.puzzle);
  write_field(pair.input, what, {}, puzzles_.side(), kPadToken, input);
  if (pair.output) {
    write_field(*pair.output, what, {}, puzzles_.side(), kIgnore, label);
  } else {
    std::ranges::fill(label, kIgnore);
  }
}

}  // namespace dis
