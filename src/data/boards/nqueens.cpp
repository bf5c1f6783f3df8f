#include "dis/data/boards/nqueens.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/random.h"
#include "dis/data/boards/board_file.h"
#include "dis/data/boards/board_generator.h"
#include "dis/data/puzzle_text.h"

namespace dis {
namespace {

constexpr std::uint64_t kAuthorsTrainSeed = 42;
constexpr std::uint64_t kAuthorsTestSeed = 1042;
constexpr std::int64_t kRowsPerAuthorsBoard = 9;

constexpr std::size_t kEmptyBoards = 100;  // as in the literature: how many different solutions are among 100 answers

// Numbers of the generated test sets.
constexpr std::uint64_t kSetBoards = 0;
constexpr std::uint64_t kSetOrbits = 1;

}  // namespace

NQueensData::NQueensData(const DataConfig& config, std::uint64_t seed) : config_(config) {
  ensure(config.board_size >= kSmallestBoard && config.board_size <= kLargestBoard, "NQueensData",
         "a board size from 4 to 16");
  ensure(config.min_givens >= 0 && config.min_givens < config.board_size, "NQueensData",
         "min_givens below the board size");
  if (config.split == Split::orbits && !config.train_file.empty()) {
    throw UserError(
        "data.train_file: expected none with data.split = orbits, which generates the training boards, found " +
        config.train_file + "; leave it empty or set data.split = boards");
  }
  if (config.split == Split::solutions && !(config.train_file.empty() && config.test_file.empty())) {
    throw UserError(
        "data.train_file and data.test_file: expected none with data.split = solutions, which lists all "
        "boards; leave them empty or set data.split = boards");
  }
  if (!config.train_file.empty()) training_ = read_board_file(config.train_file, board_size(), "data.train_file");
  if (!config.test_file.empty()) {
    add_test_set("file", "the boards of " + config.test_file,
                 read_board_file(config.test_file, board_size(), "data.test_file"));
  }
  if (config.split == Split::authors) {
    generate_authors(seed);
  } else if (config.split == Split::solutions) {
    generate_solutions(seed);
  } else {
    generate_apart(seed);
  }
}

void NQueensData::generate_authors(std::uint64_t seed) {
  const int n = board_size();
  const auto least = static_cast<int>(config_.min_givens);
  if (training_.empty()) training_ = authors_boards(n, least, config_.train_boards, kAuthorsTrainSeed + seed);
  if (test_sets_.empty()) {
    add_test_set("authors", "boards of the authors' generator, drawn without regard to training",
                 authors_boards(n, least, config_.test_boards, kAuthorsTestSeed + seed));
  }
}

void NQueensData::generate_solutions(std::uint64_t seed) {
  auto split = solution_boards(config_, seed);
  training_ = std::move(split.training);
  const std::string unseen = config_.augment ? "unseen givens, in no symmetry" : "unseen givens";
  test_sets_.push_back({"solutions", unseen + "; an input is there once for each of its solutions", {}});
  for (const CompactBoard& board : split.tests) test_sets_.back().boards.push_back(board.expanded());
  test_sets_.push_back({"empty", "the board without givens, again and again", {}});
  const auto solutions = all_solutions(board_size());
  for (std::size_t i = 0; i < kEmptyBoards; ++i) {
    test_sets_.back().boards.push_back(CompactBoard{solutions[i % solutions.size()], 0}.expanded());
  }
}

void NQueensData::generate_apart(std::uint64_t seed) {
  const auto least = static_cast<int>(config_.min_givens);
  const bool by_orbits = config_.split == Split::orbits;
  const SolutionSource source(board_size(), by_orbits ? config_.orbit_share : 0.0, seed);

  if (test_sets_.empty()) {
    std::function<bool(const Placement&)> may_test;
    if (training_.empty()) {
      may_test = [held_back = HeldBackGivens(source, config_.augment, seed)](const Placement& givens) {
        return held_back.contains(givens);
      };
    } else {
      PlacementSet seen;
      for (const CompactBoard& board : training_) seen.insert(givens_class(board.givens(), config_.augment));
      may_test = [seen = std::move(seen), augment = config_.augment](const Placement& givens) {
        return !seen.contains(givens_class(givens, augment));
      };
    }
    const auto draw = [&](Orbits orbits, std::uint64_t set) {
      return draw_test_boards({source, orbits, least}, config_.test_boards, seed, set, may_test);
    };
    add_test_set("boards",
                 by_orbits ? "unseen givens, solutions from symmetry orbits that training draws from" : "unseen givens",
                 draw(Orbits::seen, kSetBoards));
    if (by_orbits)
      add_test_set("orbits", "unseen givens, solutions from held-out symmetry orbits",
                   draw(Orbits::held_out, kSetOrbits));
  }

  if (!training_.empty()) return;
  PlacementSet test_classes;
  for (const TestSet& set : test_sets_) {
    for (const Board& board : set.boards) {
      test_classes.insert(givens_class(*placement_of(board.input), config_.augment));
    }
  }
  training_ = draw_training_boards(source, least, config_.train_boards, seed, config_.augment, test_classes);
}

void NQueensData::add_test_set(std::string name, std::string meaning, const std::vector<CompactBoard>& boards) {
  if (boards.empty()) {
    throw UserError("data.split: no test board is possible that training does not see (data.board_size = " +
                    std::to_string(board_size()) + ", data.min_givens = " + std::to_string(config_.min_givens) +
                    "); lower data.min_givens, set data.augment = false, or take data.split = authors");
  }
  if (name != "file" && std::cmp_less(boards.size(), config_.test_boards)) {
    meaning += "; " + std::to_string(boards.size()) + " boards, as no more of the " +
               std::to_string(config_.test_boards) + " asked for can be kept from training";
  }
  TestSet set{std::move(name), std::move(meaning), {}};
  for (const CompactBoard& board : boards) set.boards.push_back(board.expanded());
  test_sets_.push_back(std::move(set));
}

std::int64_t NQueensData::epoch_length() const {
  return items() * (config_.split == Split::authors && config_.augment ? kRowsPerAuthorsBoard : 1);
}

DataShape NQueensData::shape() const {
  return {.vocabulary = 3, .length = config_.board_size * config_.board_size, .identifiers = 1};
}

Origin NQueensData::example(std::uint64_t seed, std::uint64_t position, std::span<std::int32_t> input,
                            std::span<std::int32_t> label, std::int32_t& puzzle_id) const {
  const auto rows = static_cast<std::uint64_t>(epoch_length());
  const auto cells = static_cast<std::size_t>(shape().length);
  ensure(input.size() == cells && label.size() == cells, "NQueensData::example", "input and label of N x N cells");
  const auto row =
      static_cast<std::int64_t>(permuted_index(seed, Purpose::order, position / rows, rows, position % rows));
  Origin origin{.item = row};
  if (config_.augment && config_.split == Split::authors) {
    origin.item = row / kRowsPerAuthorsBoard;
    origin.transform = std::max<std::int64_t>(row % kRowsPerAuthorsBoard - 1, 0);
  } else if (config_.augment) {
    origin.transform = Draws(seed, Purpose::augment, 0, position).below(kSymmetries);
  }
  const CompactBoard& board = compact_item(origin.item);
  const auto write = [&](const Placement& placement, std::span<std::int32_t> field) {
    std::ranges::copy(transformed(placement, static_cast<int>(origin.transform)).field(), field.begin());
  };
  write(board.givens(), input);
  write(board.solution, label);
  puzzle_id = 0;
  return origin;
}

void NQueensData::augment(const Origin& origin, std::span<std::int32_t> frame) const {
  ensure(std::cmp_equal(frame.size(), shape().length), "NQueensData::augment", "a frame of N x N cells");
  transform_field(frame, board_size(), static_cast<int>(origin.transform));
}

std::vector<Measure> NQueensData::measures() const {
  std::vector<Measure> all{{"valid", "valid", Measure::Kind::share}};
  std::ranges::move(DataSet::measures(), std::back_inserter(all));
  return all;
}

std::vector<MeasureCount> NQueensData::score(const AnsweredRow& row) const {
  std::vector<MeasureCount> counts{{*obeys_rules(row.input, row.answer) ? 1 : 0, 1}};
  std::ranges::move(DataSet::score(row), std::back_inserter(counts));
  return counts;
}

std::optional<bool> NQueensData::obeys_rules(std::span<const std::int32_t> input,
                                             std::span<const std::int32_t> answer) const {
  const std::vector<std::uint8_t> givens(input.begin(), input.end());
  return is_valid_completion(givens, answer);
}

std::vector<Example> NQueensData::questions(const std::filesystem::path& file) const {
  const auto length = static_cast<std::size_t>(shape().length);
  std::vector<Example> examples;
  for (const auto& puzzle : read_puzzle_texts(file, length)) {
    auto input = tokens_of(puzzle, file, ". (empty) and Q (queen)", [](char character) -> std::optional<std::uint8_t> {
      if (character == '.' || character == '1') return kEmptyCell;
      if (character == 'Q' || character == '2') return kQueenCell;
      return std::nullopt;
    });
    const auto placement = placement_of(std::vector<std::uint8_t>(input.begin(), input.end()));
    if (!placement || !is_peaceful(*placement)) {
      throw UserError(file.string() + ": line " + std::to_string(puzzle.line) +
                      ": expected queens that do not attack one another, found some that do");
    }
    examples.push_back({std::move(input), std::vector<std::int32_t>(length, kIgnore)});
  }
  return examples;
}

Json NQueensData::written(std::span<const std::int32_t> tokens, std::span<const std::int32_t>) const {
  std::string text;
  for (const auto token : tokens) text += token == kEmptyCell ? '.' : token == kQueenCell ? 'Q' : '?';
  return text;
}

std::string NQueensData::identifier(std::int64_t index) const {
  ensure(index == 0, "NQueensData::identifier", "the blank identifier 0, the only one");
  return "<blank>";
}

}  // namespace dis
