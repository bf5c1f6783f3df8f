#include "dis/eval/votes/arc_vote.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/random.h"

namespace dis {
namespace {

/// What counts in the ranking of a candidate.
struct Standing {
  std::int64_t votes = 0;
  double sum = 0.0;                                               // of the probabilities, in the order of the votes
  std::int64_t first = -1;                                        // its first vote
  std::int64_t place = std::numeric_limits<std::int64_t>::max();  // that it was given, ahead of all that count votes

  void add(std::int64_t vote, double probability) {
    if (votes++ == 0) first = vote;
    sum += probability;
  }
  double mean() const { return sum / static_cast<double>(votes); }
};

/// A standing as rankings compare it.
struct RankKey {
  explicit RankKey(const Standing& s)
      : place(s.place), votes(s.votes), mean(std::round(s.mean() * 0x1p40)), first(s.first) {}

  bool ahead_of(const RankKey& other) const {
    if (place != other.place) return place < other.place;
    if (votes != other.votes) return votes > other.votes;
    if (mean != other.mean) return mean > other.mean;
    return first < other.first;
  }

  std::int64_t place;
  std::int64_t votes;
  double mean;  // in steps of 2^-40: the same numbers summed in another order are a tie, whatever rounding made of them
  std::int64_t first;
};

struct Entry {
  Standing standing;
  std::uint64_t hash = 0;
  const std::uint8_t* grid = nullptr;  // packed

  PackedGrid packed() const { return {grid, packed_size(grid[0], grid[1])}; }
};

/// Packed grids in blocks that never move.
class Arena {
 public:
  const std::uint8_t* keep(PackedGrid grid) {
    if (room_ < grid.size()) {
      blocks_.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(kBlock));
      room_ = kBlock;
    }
    auto* place = blocks_.back().get() + (kBlock - room_);
    std::copy(grid.begin(), grid.end(), place);
    room_ -= grid.size();
    return place;
  }

 private:
  static constexpr std::size_t kBlock = 1 << 20;
  std::vector<std::unique_ptr<std::uint8_t[]>> blocks_;
  std::size_t room_ = 0;  // left in the last block
};

/// The subset of each draw: place of every vote in a random order.
std::vector<std::uint32_t> random_places(std::size_t votes, std::int64_t test, std::uint64_t seed, std::uint64_t draw) {
  std::vector<std::uint32_t> order(votes), places(votes);
  std::iota(order.begin(), order.end(), 0U);
  Draws(seed, Purpose::votes, draw, static_cast<std::uint64_t>(test)).shuffle(std::span(order));
  for (std::uint32_t place = 0; place < order.size(); ++place) places[order[place]] = place;
  return places;
}

}  // namespace

std::vector<TestInput> test_inputs(std::span<const ArcTask> tasks) {
  std::vector<TestInput> inputs;
  for (std::size_t task = 0; task < tasks.size(); ++task) {
    int test = 0;
    for (const ArcPair& pair : tasks[task].pairs) {
      if (pair.test) inputs.push_back({task, test++, &pair});
    }
  }
  return inputs;
}

double halting_probability(double logit) { return 1.0 / (1.0 + std::exp(-logit)); }

/// One test input.
struct VoteBook::Book {
  std::vector<Entry> candidates;       // in the order in which they were first seen
  std::vector<std::uint32_t> table;    // candidate + 1 at the place of its hash or behind it; 0: free
  std::vector<std::uint32_t> choices;  // [votes] candidate
  std::vector<double> probabilities;   // [votes]

  std::size_t place_of(std::uint64_t hash, PackedGrid grid) const {
    const std::size_t mask = table.size() - 1;
    for (std::size_t place = hash & mask;; place = (place + 1) & mask) {
      if (table[place] == 0) return place;
      const Entry& entry = candidates[table[place] - 1];
      if (entry.hash == hash && std::ranges::equal(entry.packed(), grid)) return place;
    }
  }

  void enlarge() {
    table.assign(std::max<std::size_t>(16, 2 * table.size()), 0);
    for (std::uint32_t i = 0; i < candidates.size(); ++i)
      table[place_of(candidates[i].hash, candidates[i].packed())] = i + 1;
  }

  /// Whether the grid is a new candidate.
  bool add(std::uint64_t hash, PackedGrid grid, double probability, Arena& arena) {
    if (table.size() < 2 * (candidates.size() + 1)) enlarge();
    std::uint32_t& slot = table[place_of(hash, grid)];
    const bool is_new = slot == 0;
    if (is_new) {
      candidates.push_back({{}, hash, arena.keep(grid)});
      slot = static_cast<std::uint32_t>(candidates.size());
    }
    candidates[slot - 1].standing.add(static_cast<std::int64_t>(choices.size()), probability);
    choices.push_back(slot - 1);
    probabilities.push_back(probability);
    return is_new;
  }

  std::optional<std::size_t> find(const Grid& answer) const {
    if (candidates.empty() || answer.rows > kLargestGrid || answer.columns > kLargestGrid) return {};
    const auto packed = pack_grid(answer);
    const auto slot = table[place_of(hash_of(packed), packed)];
    if (slot == 0) return {};
    return slot - 1;
  }

  std::vector<Standing> standings() const {
    std::vector<Standing> all(candidates.size());
    std::ranges::transform(candidates, all.begin(), &Entry::standing);
    return all;
  }

  /// Those of the votes whose place is below `count`.
  std::vector<Standing> standings(std::span<const std::uint32_t> places, std::int64_t count) const {
    std::vector<Standing> some(candidates.size());
    for (std::size_t vote = 0; vote < choices.size(); ++vote) {
      if (places[vote] < count) some[choices[vote]].add(static_cast<std::int64_t>(vote), probabilities[vote]);
    }
    return some;
  }

  std::vector<Candidate> ranked(const std::vector<Standing>& standings, std::size_t most) const {
    std::vector<std::pair<RankKey, std::size_t>> order;
    order.reserve(standings.size());
    for (std::size_t i = 0; i < standings.size(); ++i) {
      if (standings[i].votes > 0) order.emplace_back(standings[i], i);
    }
    most = std::min(most, order.size());
    std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(most), &RankKey::ahead_of,
                              [](const auto& entry) -> const RankKey& { return entry.first; });
    std::vector<Candidate> ranking;
    ranking.reserve(most);
    for (std::size_t place = 0; place < most; ++place) {
      const auto i = order[place].second;
      ranking.push_back({unpack_grid(candidates[i].packed()), standings[i].votes, standings[i].mean()});
    }
    return ranking;
  }
};

namespace {

std::optional<std::int64_t> rank_in(const std::vector<Standing>& standings, std::size_t candidate) {
  if (standings[candidate].votes == 0) return {};
  const RankKey own(standings[candidate]);
  return 1 + std::ranges::count_if(standings, [&](const Standing& s) {
           const bool may = s.place < own.place || s.votes >= own.votes;
           return may && RankKey(s).ahead_of(own);
         });
}

}  // namespace

class VoteBook::Shelf {
 public:
  std::vector<Book> books;
  Arena arena;
  std::int64_t votes = 0;
  std::int64_t distinct = 0;
};

VoteBook::VoteBook(std::int64_t tests) : shelf_(std::make_unique<Shelf>()) {
  ensure(tests >= 0, "VoteBook", "a number of test inputs");
  shelf_->books.resize(static_cast<std::size_t>(tests));
}
VoteBook::~VoteBook() = default;
VoteBook::VoteBook(VoteBook&& other) noexcept = default;
VoteBook& VoteBook::operator=(VoteBook&& other) noexcept = default;

const VoteBook::Book& VoteBook::book(std::int64_t test) const {
  ensure(test >= 0 && test < tests(), "VoteBook", "the number of a test input");
  return shelf_->books[static_cast<std::size_t>(test)];
}

void VoteBook::add(const Ballots& ballots) {
  for (std::size_t i = 0; i < ballots.size(); ++i) {
    const Ballot ballot = ballots[i];
    ensure(ballot.test >= 0 && ballot.test < tests(), "VoteBook::add", "the number of a test input");
    Book& book = shelf_->books[static_cast<std::size_t>(ballot.test)];
    if (book.add(ballot.hash, ballot.grid, ballot.probability, shelf_->arena)) ++shelf_->distinct;
    ++shelf_->votes;
  }
}

void VoteBook::add(std::int64_t test, const Grid& answer, double probability) {
  batch_.clear();
  batch_.add(0, test, probability, answer);
  add(batch_);
}

void VoteBook::add(const PredictionBatch& batch, int threads) {
  batch_.read(batch, threads);
  add(batch_);
}

void VoteBook::put_first(std::int64_t test, std::span<const Grid> order) {
  ensure(test >= 0 && test < tests(), "VoteBook::put_first", "the number of a test input");
  Book& b = shelf_->books[static_cast<std::size_t>(test)];
  for (auto& entry : b.candidates) entry.standing.place = Standing().place;
  for (std::size_t place = 0; place < order.size(); ++place) {
    const auto candidate = b.find(order[place]);
    ensure(candidate.has_value(), "VoteBook::put_first", "candidates");
    b.candidates[*candidate].standing.place = static_cast<std::int64_t>(place);
  }
}

std::int64_t VoteBook::tests() const { return static_cast<std::int64_t>(shelf_->books.size()); }
std::int64_t VoteBook::votes() const { return shelf_->votes; }
std::int64_t VoteBook::distinct() const { return shelf_->distinct; }
std::int64_t VoteBook::votes(std::int64_t test) const { return static_cast<std::int64_t>(book(test).choices.size()); }
std::int64_t VoteBook::distinct(std::int64_t test) const {
  return static_cast<std::int64_t>(book(test).candidates.size());
}

std::vector<Candidate> VoteBook::ranking(std::int64_t test, std::optional<std::int64_t> most) const {
  const Book& b = book(test);
  return b.ranked(b.standings(),
                  most ? static_cast<std::size_t>(std::max<std::int64_t>(0, *most)) : b.candidates.size());
}

std::vector<Candidate> VoteBook::ranking(std::int64_t test, const VoteSubset& subset) const {
  const Book& b = book(test);
  const auto places = random_places(b.choices.size(), test, subset.seed, subset.draw);
  return b.ranked(b.standings(places, subset.votes), b.candidates.size());
}

std::int64_t VoteBook::votes_for(std::int64_t test, const Grid& answer) const {
  const auto candidate = book(test).find(answer);
  return candidate ? book(test).candidates[*candidate].standing.votes : 0;
}

std::optional<std::int64_t> VoteBook::rank(std::int64_t test, const Grid& answer) const {
  const auto candidate = book(test).find(answer);
  if (!candidate) return {};
  return rank_in(book(test).standings(), *candidate);
}

std::vector<std::optional<std::int64_t>> VoteBook::ranks(std::int64_t test, const Grid& answer,
                                                         std::span<const std::int64_t> votes, std::uint64_t seed,
                                                         std::uint64_t draw) const {
  const Book& b = book(test);
  std::vector<std::optional<std::int64_t>> found(votes.size());
  const auto candidate = b.find(answer);
  if (!candidate) return found;
  const auto places = random_places(b.choices.size(), test, seed, draw);
  for (std::size_t i = 0; i < votes.size(); ++i) found[i] = rank_in(b.standings(places, votes[i]), *candidate);
  return found;
}

}  // namespace dis
