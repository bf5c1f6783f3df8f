#include "dis/data/puzzles/puzzles_data.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "../content_hash.h"
#include "../text_lines.h"
#include "dis/core/cpus.h"
#include "dis/core/error.h"
#include "dis/core/parts.h"
#include "dis/data/arc/arc_data.h"
#include "dis/data/numpy_legacy_random.h"
#include "dis/data/puzzle_text.h"
#include "dis/data/puzzles/puzzle_csv.h"

namespace dis {
namespace fs = std::filesystem;

namespace {

struct RatingRange {
  int least;
  const char* name;
};
constexpr std::array<RatingRange, kRatingClasses> kRatingRanges{
    {{0, "0"}, {1, "1-9"}, {10, "10-29"}, {30, "30-99"}, {100, "100+"}}};

constexpr std::int64_t kPairsAtOnce = 10'000;

}  // namespace

int rating_class(int rating) {
  int found = 0;
  for (int i = 0; i < kRatingClasses; ++i)
    found = rating >= kRatingRanges[static_cast<std::size_t>(i)].least ? i : found;
  return found;
}

std::string rating_class_name(int rating_class) {
  return kRatingRanges.at(static_cast<std::size_t>(rating_class)).name;
}

PuzzlesData::PuzzlesData(const PuzzleFamily& family, const DataConfig& config) : family_(family), config_(config) {
  read_files();
  NumpyLegacyRandom random(static_cast<std::uint32_t>(config.build_seed));
  if (config.train_puzzles > training_.size()) {
    throw UserError("data.train_puzzles: expected at most " + std::to_string(training_.size()) + ", the puzzles of '" +
                    data_path(config).string() + "'" +
                    (config.min_rating > 0 ? " with data.min_rating = " + std::to_string(config.min_rating) : "") +
                    ", found " + std::to_string(config.train_puzzles));
  }
  if (config.train_puzzles > 0 && config.train_puzzles < training_.size()) {
    training_ = training_.chosen(random.choice(training_.size(), config.train_puzzles));
  }
  if (config.copies != PuzzleCopies::frozen) return;
  if (family.name() == sudoku_family().name() && training_.length() != 81) {
    throw UserError("data.copies = frozen: expected Sudokus of 81 characters, as the official builder takes, found " +
                    std::to_string(training_.length()));
  }
  const auto most = std::numeric_limits<std::int32_t>::max();  // rows that a folder of the official builders can have
  if (training_.size() > most / (config.augmentations + 1)) {
    throw UserError("data.copies = frozen: expected at most " + std::to_string(most) + " rows, found " +
                    std::to_string(training_.size()) + " puzzles with data.augmentations = " +
                    std::to_string(config.augmentations) + ": take fewer (data.train_puzzles), or copies = fresh");
  }
  for (std::int64_t puzzle = 0; puzzle < training_.size(); ++puzzle) {
    const auto copies = family.official_copies(random, config.augmentations);
    frozen_.insert(frozen_.end(), copies.begin(), copies.end());
  }
  sampler_.emplace(std::vector<SampledGroup>(static_cast<std::size_t>(training_.size()), {copies(), 1}));
}

void PuzzlesData::read_files() {
  const auto folder = data_path(config_);
  const auto train = find_puzzle_csv(folder, "train"), test = find_puzzle_csv(folder, "test");
  if (!train) {
    throw UserError("data.path: expected a folder with train.csv or train.csv.gz, found none in '" + folder.string() +
                    "' (data/README.md says where they come from)");
  }
  training_ = read_puzzle_csv(*train, family_, config_.min_rating);
  tests_ = test ? read_puzzle_csv(*test, family_, config_.min_rating) : PuzzleTable(training_.length());
  std::array<bool, kRatingClasses> tested{};
  for (std::int64_t i = 0; i < tests_.size(); ++i)
    tested.at(static_cast<std::size_t>(rating_class(tests_.rating(i)))) = true;
  for (int i = 0; i < kRatingClasses; ++i) {
    if (tested[static_cast<std::size_t>(i)]) classes_.push_back(i);
  }
  if (tests_.length() != training_.length()) {
    throw UserError(test->string() + ": expected puzzles of " + std::to_string(training_.length()) +
                    " characters, as " + train->string() + " has, found " + std::to_string(tests_.length()));
  }
}

std::int64_t PuzzlesData::copies() const {
  if (config_.copies != PuzzleCopies::frozen) return 1;
  return 1 + std::ssize(frozen_) / training_.size();
}

std::int64_t PuzzlesData::copy_symmetry(std::int64_t puzzle, std::int64_t copy) const {
  if (copy == 0) return 0;
  return static_cast<std::int64_t>(frozen_.at(static_cast<std::size_t>(puzzle * (copies() - 1) + copy - 1)));
}

void PuzzlesData::read(const Origin& origin, std::span<std::int32_t> input, std::span<std::int32_t> label) const {
  training_.read(origin.item, input, label);
  if (origin.transform == 0) return;
  augment(origin, input);
  augment(origin, label);
}

void PuzzlesData::copy(std::int64_t puzzle, std::int64_t copy, std::span<std::int32_t> input,
                       std::span<std::int32_t> label) const {
  read({puzzle, copy_symmetry(puzzle, copy)}, input, label);
}

DataShape PuzzlesData::shape() const {
  return {.vocabulary = family_.vocabulary(training_.length()),
          .length = static_cast<std::int64_t>(training_.length()),
          .identifiers = 1};
}

Origin PuzzlesData::example(std::uint64_t seed, std::uint64_t position, std::span<std::int32_t> input,
                            std::span<std::int32_t> label, std::int32_t& puzzle_id) const {
  puzzle_id = 0;
  const auto origin = drawn_origin(seed, position);
  read(origin, input, label);
  return origin;
}

Origin PuzzlesData::drawn_origin(std::uint64_t seed, std::uint64_t position) const {
  if (sampler_) {
    const auto pick = sampler_->pick(seed, position);
    return {pick.group, copy_symmetry(pick.group, pick.puzzle)};
  }
  const auto rows = static_cast<std::uint64_t>(training_.size());
  const auto item = permuted_index(seed, Purpose::order, position / rows, rows, position % rows);
  Origin origin{.item = static_cast<std::int64_t>(item)};
  if (config_.copies == PuzzleCopies::fresh) {
    Draws draws(seed, Purpose::augment, 0, position);
    origin.transform = static_cast<std::int64_t>(family_.draw(draws, training_.length()));
  }
  return origin;
}

void PuzzlesData::augment(const Origin& origin, std::span<std::int32_t> frame) const {
  const std::vector<std::int32_t> before(frame.begin(), frame.end());
  family_.apply(static_cast<std::uint64_t>(origin.transform), before, frame);
}

std::string PuzzlesData::identifier(std::int64_t index) const {
  ensure(index == 0, "PuzzlesData::identifier", "the blank identifier 0, the only one");
  return "<blank>";
}

std::int64_t PuzzlesData::row_of(std::int64_t number, bool test) const {
  if (!test) return number;
  const auto rows = static_cast<std::uint64_t>(tests_.size());
  return static_cast<std::int64_t>(permuted_index(static_cast<std::uint64_t>(config_.build_seed), Purpose::test_order,
                                                  0, rows, static_cast<std::uint64_t>(number)));
}

PairList PuzzlesData::pairs_of(const PuzzleTable& table, bool test) const {
  PairList list{{}, [this, test](std::int64_t number) {
                  return (test ? "test puzzle " : "training puzzle ") + std::to_string(row_of(number, test) + 1);
                }};
  list.keys.resize(static_cast<std::size_t>(table.size()));
  // Millions of Sudokus take seconds.
  const auto threads = table.size() < kPairsAtOnce ? 1 : static_cast<std::size_t>(usable_threads());
  in_parts(list.keys.size(), threads, [&](std::size_t first, std::size_t past) {
    std::vector<std::int32_t> input(table.length()), label(table.length());
    for (auto number = first; number < past; ++number) {
      table.read(row_of(static_cast<std::int64_t>(number), test), input, label);
      list.keys[number] =
          config_.copies == PuzzleCopies::none ? row_pair_key(input, label) : family_.class_key(input, label);
    }
  });
  return list;
}

PairList PuzzlesData::trained_pairs() const { return pairs_of(training_, false); }

PairList PuzzlesData::tested_pairs() const { return pairs_of(tests_, true); }

std::vector<ContentHash> PuzzlesData::content() const {
  const auto hash_of = [](const PuzzleTable& table) {
    Sha256 hash;
    for (std::int64_t number = 0; number < table.size(); ++number) hash.update(std::as_bytes(table.row(number)));
    return short_hash(hash);
  };
  return {{"puzzles", hash_of(training_), hash_of(tests_), false}};
}

std::vector<Measure> PuzzlesData::measures() const {
  auto measures = DataSet::measures();
  measures.push_back({"valid", "valid", Measure::Kind::share});
  for (const int i : classes_) {
    const auto name = rating_class_name(i);
    measures.push_back({"exact_rating_" + name, "rating " + name, Measure::Kind::share});
  }
  return measures;
}

std::vector<MeasureCount> PuzzlesData::score(const AnsweredRow& row) const {
  auto counts = DataSet::score(row);
  counts.push_back({family_.obeys(row.input, row.answer) ? 1 : 0, 1});
  const auto exact = counts.front();
  const int of = row.test < 0 ? -1 : rating_class(tests_.rating(row_of(row.test, true)));
  for (const int i : classes_) counts.push_back(i == of ? exact : MeasureCount{});
  return counts;
}

std::vector<Example> PuzzlesData::questions(const fs::path& file) const {
  const auto length = training_.length();
  std::vector<Example> examples;
  std::string_view first_line;
  if (TextLines lines(file); lines.next(first_line) && first_line == kPuzzleColumns) {
    const auto table = read_puzzle_csv(file, family_, 0);
    if (table.length() != length) {
      throw UserError(file.string() + ": expected puzzles of " + std::to_string(length) +
                      " characters, as the network was trained on, found " + std::to_string(table.length()));
    }
    for (std::int64_t i = 0; i < table.size(); ++i) {
      auto& example = examples.emplace_back(
          Example{std::vector<std::int32_t>(length), std::vector<std::int32_t>(length), 0, true, {}});
      table.read(i, example.input, example.label);
    }
    return examples;
  }
  for (const auto& puzzle : read_puzzle_texts(file, length)) {
    auto input = tokens_of(puzzle, file, family_.alphabet(false, length),
                           [&](char character) { return family_.token(character, false, length); });
    examples.push_back({std::move(input), std::vector<std::int32_t>(length, kIgnore)});
  }
  return examples;
}

Json PuzzlesData::written(std::span<const std::int32_t> tokens, std::span<const std::int32_t>) const {
  std::string text;
  for (const auto token : tokens) text += family_.character(token, tokens.size());
  return text;
}

std::optional<bool> PuzzlesData::obeys_rules(std::span<const std::int32_t> input,
                                             std::span<const std::int32_t> answer) const {
  return family_.obeys(input, answer);
}

}  // namespace dis
