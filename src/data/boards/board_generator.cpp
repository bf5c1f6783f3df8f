#include "dis/data/boards/board_generator.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "dis/core/error.h"
#include "dis/data/numpy_random.h"

namespace dis {
namespace {

// Draws of one number of givens before it is left out; a search costs much more than a look into the table, and there
// only 0 and 1 givens have few classes.
constexpr int kMostDraws = 20000;
constexpr int kMostSearches = 500;

constexpr std::uint32_t kHeldBackOneIn = 5;

// Steps of Purpose::orbit_split.
constexpr std::uint64_t kOrbitList = 0;   // which orbits of the list are held out
constexpr std::uint64_t kOrbitHash = 1;   // index = hash of an orbit
constexpr std::uint64_t kGivensList = 2;  // index = number of givens: which classes are held back
constexpr std::uint64_t kGivensHash = 3;  // index = hash of a class

/// The hash as the index of a draw.
std::uint64_t draw_index(const Placement& placement) { return PlacementHash{}(placement) >> 16; }

/// k of the rows 0..n-1, every choice equally likely, as bits.
std::uint32_t draw_rows(Draws& draws, int n, int k) {
  std::array<std::uint32_t, kLargestBoard> rows;
  std::iota(rows.begin(), rows.end(), 0U);
  std::uint32_t chosen = 0;
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(k); ++i) {
    std::swap(rows[i], rows[i + draws.below(static_cast<std::uint32_t>(n) - i)]);
    chosen |= 1U << rows[i];
  }
  return chosen;
}

std::vector<Placement> images(const std::vector<Placement>& orbits) {
  std::vector<Placement> all;
  for (const Placement& orbit : orbits) {
    for (int symmetry = 0; symmetry < kSymmetries; ++symmetry) all.push_back(transformed(orbit, symmetry));
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace

std::vector<CompactBoard> authors_boards(int n, int min_givens, std::int64_t count, std::uint64_t numpy_seed) {
  NumpyRandom random(numpy_seed);
  std::vector<CompactBoard> boards(static_cast<std::size_t>(count));
  for (CompactBoard& board : boards) {
    board.solution = search_solution(n, [&](std::span<std::int8_t> order) {
      const auto permutation = random.permutation(n);
      std::transform(permutation.begin(), permutation.end(), order.begin(),
                     [](std::int64_t column) { return static_cast<std::int8_t>(column); });
    });
    const std::int64_t k = random.integers(min_givens, n);
    for (const std::int64_t row : random.choice(n, k)) board.rows |= 1U << row;
  }
  return boards;
}

SolutionSource::SolutionSource(int n, double held_share, std::uint64_t seed)
    : n_(n), held_share_(held_share), seed_(seed) {
  if (held_share > 0 && (n == 4 || n == 6)) {
    throw UserError(
        "data.split: `orbits` needs a board with more than one symmetry orbit of solutions, found "
        "data.board_size = " +
        std::to_string(n) + ", which has one; take another size or data.split = boards");
  }
  if (n > kLargestTabled) return;
  std::vector<Placement> orbits;
  for (const Placement& solution : all_solutions(n)) {
    if (canonical(solution) == solution) orbits.push_back(solution);
  }
  std::size_t held = 0;
  if (held_share > 0) {
    const double share = std::round(held_share * static_cast<double>(orbits.size()));
    held = std::clamp(static_cast<std::size_t>(share), std::size_t{1}, orbits.size() - 1);
    Draws(seed, Purpose::orbit_split, kOrbitList, 0).shuffle(std::span(orbits));
  }
  const auto border = orbits.begin() + static_cast<std::ptrdiff_t>(held);
  held_.insert(orbits.begin(), border);
  held_solutions_ = images({orbits.begin(), border});
  seen_solutions_ = images({border, orbits.end()});
}

bool SolutionSource::is_held_out(const Placement& solution) const {
  if (held_share_ <= 0) return false;
  const Placement orbit = canonical(solution);
  if (n_ <= kLargestTabled) return held_.contains(orbit);
  return Draws(seed_, Purpose::orbit_split, kOrbitHash, draw_index(orbit)).uniform() < held_share_;
}

Placement SolutionSource::draw(Draws& draws, Orbits orbits) const {
  const bool held = orbits == Orbits::held_out;
  ensure(!held || held_share_ > 0, "SolutionSource::draw", "orbits that are held out");
  if (n_ <= kLargestTabled) {
    auto place = static_cast<std::size_t>(draws.below(static_cast<std::uint32_t>(
        (held ? 0 : seen_solutions_.size()) + (orbits == Orbits::seen ? 0 : held_solutions_.size()))));
    if (held) return held_solutions_[place];
    return place < seen_solutions_.size() ? seen_solutions_[place] : held_solutions_[place - seen_solutions_.size()];
  }
  for (;;) {
    const Placement solution = search_solution(n_, [&](std::span<std::int8_t> order) { draws.shuffle(order); });
    if (orbits == Orbits::all || is_held_out(solution) == held) return solution;
  }
}

std::vector<Placement> SolutionSource::list(Orbits orbits, bool one_per_orbit) const {
  std::vector<Placement> solutions;
  const auto take = [&](const std::vector<Placement>& part) {
    for (const Placement& solution : part) {
      if (!one_per_orbit || canonical(solution) == solution) solutions.push_back(solution);
    }
  };
  if (orbits != Orbits::held_out) take(seen_solutions_);
  if (orbits != Orbits::seen) take(held_solutions_);
  return solutions;
}

Placement givens_class(const Placement& givens, bool augment) { return augment ? canonical(givens) : givens; }

HeldBackGivens::HeldBackGivens(const SolutionSource& source, bool augment, std::uint64_t seed)
    : n_(source.size()), augment_(augment), seed_(seed) {
  if (n_ > kLargestTabled) return;
  std::vector<std::vector<Placement>> classes(static_cast<std::size_t>(n_));  // by number of givens
  for (const Placement& solution : source.list(Orbits::seen, augment)) {
    for (std::uint32_t rows = 0; rows + 1 < 1U << n_; ++rows) {
      const Placement givens = keep_rows(solution, rows);
      classes[static_cast<std::size_t>(givens.queens())].push_back(givens_class(givens, augment));
    }
  }
  for (std::size_t k = 0; k < classes.size(); ++k) {
    auto& list = classes[k];
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    Draws(seed, Purpose::orbit_split, kGivensList, k).shuffle(std::span(list));
    const std::size_t held = list.size() < 2 ? 0 : std::max<std::size_t>(1, list.size() / kHeldBackOneIn);
    training_only_.insert(list.begin() + static_cast<std::ptrdiff_t>(held), list.end());
  }
}

bool HeldBackGivens::contains(const Placement& givens) const {
  const Placement representative = givens_class(givens, augment_);
  if (n_ <= kLargestTabled) return !training_only_.contains(representative);
  return givens.queens() > 0 &&
         Draws(seed_, Purpose::orbit_split, kGivensHash, draw_index(representative)).below(kHeldBackOneIn) == 0;
}

BoardDrawer::BoardDrawer(const SolutionSource& source, Orbits orbits, int min_givens)
    : source_(source), orbits_(orbits), open_(static_cast<std::size_t>(source.size() - min_givens)) {
  std::iota(open_.begin(), open_.end(), min_givens);
}

std::optional<CompactBoard> BoardDrawer::next(Draws draws, const std::function<bool(const Placement&)>& acceptable) {
  const int most = source_.size() > kLargestTabled ? kMostSearches : kMostDraws;
  while (!open_.empty()) {
    const auto place = draws.below(static_cast<std::uint32_t>(open_.size()));
    for (int attempt = 0; attempt < most; ++attempt) {
      CompactBoard board;
      board.solution = source_.draw(draws, orbits_);
      board.rows = draw_rows(draws, source_.size(), open_[place]);
      if (acceptable(board.givens())) return board;
    }
    open_.erase(open_.begin() + place);
  }
  return std::nullopt;
}

std::vector<CompactBoard> draw_test_boards(BoardDrawer drawer, std::int64_t count, std::uint64_t seed,
                                           std::uint64_t set, const std::function<bool(const Placement&)>& may_test) {
  std::vector<CompactBoard> boards;
  PlacementSet inputs;
  while (std::cmp_less(boards.size(), count)) {
    const auto board = drawer.next(Draws(seed, Purpose::test_boards, set, boards.size()), [&](const Placement& givens) {
      return !inputs.contains(givens) && may_test(givens);
    });
    if (!board) break;
    inputs.insert(board->givens());
    boards.push_back(*board);
  }
  return boards;
}

std::vector<CompactBoard> draw_training_boards(const SolutionSource& source, int min_givens, std::int64_t count,
                                               std::uint64_t seed, bool augment, const PlacementSet& test_classes) {
  std::vector<CompactBoard> boards;
  boards.reserve(static_cast<std::size_t>(count));
  BoardDrawer drawer(source, Orbits::seen, min_givens);
  while (std::cmp_less(boards.size(), count)) {
    const auto board = drawer.next(Draws(seed, Purpose::train_boards, 0, boards.size()), [&](const Placement& givens) {
      return !test_classes.contains(givens_class(givens, augment));
    });
    if (!board) {
      throw UserError(
          "data.test_file: expected test boards that leave some givens to training, found that they take "
          "every board of size " +
          std::to_string(source.size()) + " with " + std::to_string(min_givens) +
          " givens or more; use fewer test boards or data.split = authors");
    }
    boards.push_back(*board);
  }
  return boards;
}

SolutionBoards solution_boards(const DataConfig& config, std::uint64_t seed) {
  const auto n = static_cast<int>(config.board_size), least = static_cast<int>(config.min_givens);
  const auto most_tested = static_cast<int>(config.max_givens);
  const auto most_trained = static_cast<int>(std::max(config.train_max_givens, config.max_givens));
  std::vector<CompactBoard> boards;
  std::vector<Placement> classes;  // of the inputs that may be kept
  for (const Placement& solution : all_solutions(n)) {
    for (std::uint32_t rows = 0; rows < 1U << n; ++rows) {
      const int givens = std::popcount(rows);
      if (givens < least || givens > most_trained) continue;
      boards.push_back({solution, rows});
      if (givens <= most_tested) classes.push_back(givens_class(boards.back().givens(), config.augment));
    }
  }
  std::sort(classes.begin(), classes.end());
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  Draws(seed, Purpose::solution_split, 0, 0).shuffle(std::span(classes));
  const auto kept = std::lround(config.test_share * static_cast<double>(classes.size()));
  const PlacementSet tested(classes.begin(), classes.begin() + kept);
  SolutionBoards split;
  for (const CompactBoard& board : boards) {
    (tested.contains(givens_class(board.givens(), config.augment)) ? split.tests : split.training).push_back(board);
  }
  Draws(seed, Purpose::solution_split, 1, 0).shuffle(std::span(split.tests));
  return split;
}

}  // namespace dis
