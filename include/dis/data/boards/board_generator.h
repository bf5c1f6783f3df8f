// Where N-Queens boards come from when no file holds them: the authors' generator, and the leak-free splits.
//
// A drawn board is a solution, a number k of givens, uniform over min_givens..N-1, and a uniform choice of k of its
// queens. Solutions are uniform over all of them for N up to kLargestTabled; larger N take a randomised row-wise
// search, which does not give every solution the same probability.
//
// The leak-free splits speak of the class of some givens: the givens with their eight images when training shows boards
// under the symmetries (data.augment), the givens alone when it does not. A test board takes its whole class away from
// training. So that training keeps most of the boards of every number of givens, only a fifth of the classes of each
// number, held back by a draw that depends on the seed alone, may become test boards: rounded down, but at least one
// where there are two or more. The one board without givens is therefore never a test board of these splits, and where
// the held-back givens are few there are fewer test boards than asked for. Up to kLargestTabled the classes are
// counted; beyond, a class is held back with probability 1/5 by its hash. Classes that training cannot draw (the givens
// belong to held-out orbits only) are free for testing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_set>
#include <vector>

#include "dis/config/config.h"
#include "dis/core/random.h"
#include "dis/data/boards/queens.h"

namespace dis {

using PlacementSet = std::unordered_set<Placement, PlacementHash>;

/// `count` boards of the authors' generator, drawn as numpy's default_rng(numpy_seed) draws them: solution by row-wise
/// search, integers(min_givens, N), choice(N, k, replace=False). Test boards may repeat training boards.
std::vector<CompactBoard> authors_boards(int n, int min_givens, std::int64_t count, std::uint64_t numpy_seed);

/// Which solutions to draw from.
enum class Orbits { all, seen, held_out };

/// Solutions of one N, their symmetry orbits split in two when a share is held out.
class SolutionSource {
 public:
  /// `held_share`: share of the orbits held out, rounded, at least one and never all; 0: none is (`all` = `seen`).
  /// Beyond kLargestTabled an orbit is held out with that probability, by the hash of its canonical form.
  /// UserError when orbits are to be held out and N has a single one (4 and 6).
  SolutionSource(int n, double held_share, std::uint64_t seed);

  int size() const { return n_; }
  Placement draw(Draws& draws, Orbits orbits) const;
  bool is_held_out(const Placement& solution) const;
  /// The solutions of a part, one per orbit or all; empty beyond kLargestTabled.
  std::vector<Placement> list(Orbits orbits, bool one_per_orbit) const;

 private:
  int n_;
  double held_share_;
  std::uint64_t seed_;
  PlacementSet held_;  // canonical forms
  std::vector<Placement> seen_solutions_;
  std::vector<Placement> held_solutions_;
};

/// Decides which classes of givens may become test boards.
class HeldBackGivens {
 public:
  HeldBackGivens(const SolutionSource& source, bool augment, std::uint64_t seed);
  bool contains(const Placement& givens) const;

 private:
  int n_;
  bool augment_;
  std::uint64_t seed_;
  PlacementSet training_only_;  // classes that training can draw and that are not held back
};

/// What stands for the class of some givens.
Placement givens_class(const Placement& givens, bool augment);

/// Draws boards one after another with k uniform over min_givens..N-1. A k that gives no acceptable board in 20,000
/// draws (500 beyond kLargestTabled) is left out from then on.
class BoardDrawer {
 public:
  BoardDrawer(const SolutionSource& source, Orbits orbits, int min_givens);
  /// The next board whose givens are acceptable; nothing when every k has been left out.
  std::optional<CompactBoard> next(Draws draws, const std::function<bool(const Placement& givens)>& acceptable);

 private:
  const SolutionSource& source_;
  Orbits orbits_;
  std::vector<int> open_;  // numbers of givens not left out
};

/// Up to `count` test boards with distinct inputs, from the held-back givens; `set` tells test sets of one seed apart.
std::vector<CompactBoard> draw_test_boards(BoardDrawer drawer, std::int64_t count, std::uint64_t seed,
                                           std::uint64_t set,
                                           const std::function<bool(const Placement& givens)>& may_test);

/// `count` training boards, none of a class in `test_classes`.
/// UserError when no such board is left.
std::vector<CompactBoard> draw_training_boards(const SolutionSource& source, int min_givens, std::int64_t count,
                                               std::uint64_t seed, bool augment, const PlacementSet& test_classes);

/// The split `solutions`: every solution with every choice of its queens as givens.
struct SolutionBoards {
  std::vector<CompactBoard> training;  ///< min_givens..train_max_givens, inputs kept for tests left out
  std::vector<CompactBoard> tests;     ///< min_givens..max_givens, in an order that is drawn; an input with m solutions
                                       ///< is there m times, each with another label
};

/// Of the inputs with up to max_givens queens round(share x their number), drawn as a function of the seed, are kept
/// for tests; with `augment` of the classes of symmetric ones (givens_class()). n up to kLargestTabled.
SolutionBoards solution_boards(const DataConfig& config, std::uint64_t seed);

}  // namespace dis
