#include "dis/data/arc/arc_puzzles.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_set>
#include <utility>

#include "dis/core/error.h"
#include "dis/data/numpy_legacy_random.h"

namespace dis {
namespace {

constexpr std::int64_t kTrialsPerAugmentation = 5;
constexpr unsigned kBitsPerColour = 4;

std::uint64_t pack(const Augmentation& augmentation) {
  std::uint64_t packed = static_cast<std::uint64_t>(augmentation.tid);
  for (const auto colour : augmentation.colours) packed = packed << kBitsPerColour | colour;
  return packed;
}

Augmentation unpack(std::uint64_t packed) {
  Augmentation augmentation;
  for (auto colour = augmentation.colours.rbegin(); colour != augmentation.colours.rend(); ++colour) {
    *colour = static_cast<std::uint8_t>(packed & ((1U << kBitsPerColour) - 1));
    packed >>= kBitsPerColour;
  }
  augmentation.tid = static_cast<int>(packed);
  return augmentation;
}

// ---- equal puzzles

/// splitmix64's finaliser.
std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xBF58476D1CE4E5B9ULL;
  x ^= x >> 27;
  x *= 0x94D049BB133111EBULL;
  return x ^ x >> 31;
}

/// 128 bits that tell the puzzles of a task apart: at 10^9 comparisons the odds of a mistake are below 10^-20.
using Fingerprint = std::array<std::uint64_t, 2>;

struct FingerprintHash {
  std::size_t operator()(const Fingerprint& f) const { return static_cast<std::size_t>(f[0]); }
};

/// The fingerprints of a task's augmented puzzles, without making them. A puzzle is the multiset of its pairs (of both
/// splits). A pair's fingerprint is a sum over its cells of a random number of the place times one of the colour; so
/// the places are summed once per symmetry and colour, and a permutation of the colours costs ten products a pair.
class Fingerprints {
 public:
  explicit Fingerprints(const ArcTask& task) : pairs_(task.pairs.size()), sums_(kSymmetries * pairs_) {
    for (int tid = 0; tid < kSymmetries; ++tid) {
      for (std::size_t pair = 0; pair < pairs_; ++pair) {
        auto& sums = sums_[static_cast<std::size_t>(tid) * pairs_ + pair];
        add(task.pairs[pair].input, tid, 1, sums);
        if (task.pairs[pair].output) add(*task.pairs[pair].output, tid, 2, sums);
      }
    }
  }

  Fingerprint of(const Augmentation& augmentation) const {
    Fingerprint whole{};
    for (std::size_t pair = 0; pair < pairs_; ++pair) {
      const auto& sums = sums_[static_cast<std::size_t>(augmentation.tid) * pairs_ + pair];
      for (std::size_t half = 0; half < whole.size(); ++half) {
        std::uint64_t sum = sums.shapes[half];
        for (std::size_t colour = 0; colour < kColours; ++colour) {
          sum += sums.places[half][colour] * colour_number(half, augmentation.colours[colour]);
        }
        whole[half] += mix(sum);  // a sum, for the order of the pairs does not count
      }
    }
    return whole;
  }

 private:
  struct Sums {
    std::array<std::uint64_t, 2> shapes{};
    std::array<std::array<std::uint64_t, kColours>, 2> places{};
  };

  static std::uint64_t colour_number(std::size_t half, std::uint8_t colour) {
    static const auto numbers = [] {
      std::array<std::array<std::uint64_t, kColours>, 2> table{};
      std::uint64_t i = 0;
      for (auto& row : table) {
        for (auto& number : row) number = mix(0x9E3779B97F4A7C15ULL * ++i);
      }
      return table;
    }();
    return numbers[half][colour];
  }

  static std::uint64_t number(std::size_t half, std::uint64_t role, int row, int column) {
    const std::uint64_t place = static_cast<std::uint64_t>(half) << 32 | role << 16 |
                                static_cast<std::uint64_t>(row) << 8 | static_cast<std::uint64_t>(column);
    return mix(place * std::uint64_t{0xD1342543DE82EF95} + std::uint64_t{0x632BE59BD9B4E019});
  }

  static void add(const Grid& grid, int tid, std::uint64_t role, Sums& sums) {
    const auto view = view_of(tid, grid.rows, grid.columns);
    for (std::size_t half = 0; half < sums.shapes.size(); ++half) {
      sums.shapes[half] += mix(number(half, role + 2, view.rows, view.columns));
      for (int row = 0; row < view.rows; ++row) {
        for (int column = 0; column < view.columns; ++column) {
          const int cell = view.base + row * view.row_step + column * view.column_step;
          sums.places[half][grid.cells[static_cast<std::size_t>(cell)]] += number(half, role, row, column);
        }
      }
    }
  }

  std::size_t pairs_;
  std::vector<Sums> sums_;  // [symmetries, pairs]
};

/// The base puzzle and its augmentations, as the reference draws them.
std::vector<std::uint64_t> draw_group(const ArcTask& task, std::int64_t augmentations, NumpyLegacyRandom& random) {
  const Fingerprints fingerprints(task);
  std::vector<std::uint64_t> group{pack(Augmentation{})};
  std::unordered_set<Fingerprint, FingerprintHash> seen{fingerprints.of(Augmentation{})};
  for (std::int64_t trial = 0; trial < kTrialsPerAugmentation * augmentations; ++trial) {
    Augmentation augmentation;
    augmentation.tid = static_cast<int>(random.up_to(kSymmetries - 1));
    random.shuffle(std::span(augmentation.colours).subspan(1));  // black stays
    if (!seen.insert(fingerprints.of(augmentation)).second) continue;
    group.push_back(pack(augmentation));
    if (std::ssize(group) == augmentations + 1) break;
  }
  return group;
}

// ---- the tasks

void check_subsets(const std::vector<ArcSubset>& subsets, const std::string& test_set) {
  std::map<std::string, std::string> subset_of;
  std::string names;
  bool known_test_set = test_set.empty();
  for (const auto& subset : subsets) {
    names += (names.empty() ? "" : ", ") + subset.name;
    known_test_set |= subset.name == test_set;
    for (const auto& task : subset.tasks) {
      const auto [place, added] = subset_of.emplace(task.id, subset.name);
      if (!added) {
        throw UserError("task " + task.id + " is in both subsets " + place->second + " and " + subset.name +
                        " of data.subsets; choose subsets without common tasks");
      }
    }
  }
  if (!known_test_set) {
    throw UserError("data.test_set: expected one of data.subsets (" + names + "), found \"" + test_set + "\"");
  }
}

ArcGroup make_group(ArcTask task, const std::string& subset, bool is_test_set) {
  ArcGroup group{std::move(task), subset, 0, 0, {}, {}, 0};
  int tests = 0;
  for (std::size_t i = 0; i < group.task.pairs.size(); ++i) {
    const auto& pair = group.task.pairs[i];
    const bool to_test = pair.test && is_test_set;
    if (!to_test && !pair.output) {
      throw UserError("task " + group.task.id + " of subset " + subset + ": the output of test input " +
                      std::to_string(tests) +
                      " is not known, so it cannot be trained on; add the solutions file, or make " + subset +
                      " the data.test_set");
    }
    tests += pair.test ? 1 : 0;
    (to_test ? group.test_pairs : group.train_pairs).push_back(static_cast<int>(i));
  }
  return group;
}

bool swaps_sides(int tid) { return tid == 1 || tid == 3 || tid >= 6; }

/// The reference's offsets of one puzzle's training examples: one of them stays at the origin.
void draw_translations(const ArcGroup& group, int tid, int side, NumpyLegacyRandom& random,
                       std::vector<Translation>& out) {
  const auto stays = random.up_to(static_cast<std::uint32_t>(group.train_pairs.size() - 1));
  for (std::size_t i = 0; i < group.train_pairs.size(); ++i) {
    const auto& pair = group.task.pairs[static_cast<std::size_t>(group.train_pairs[i])];
    int rows = std::max(pair.input.rows, pair.output->rows);
    int columns = std::max(pair.input.columns, pair.output->columns);
    if (swaps_sides(tid)) std::swap(rows, columns);
    Translation translation;
    if (i != stays) {
      translation.row = static_cast<std::uint8_t>(random.up_to(static_cast<std::uint32_t>(side - rows)));
      translation.column = static_cast<std::uint8_t>(random.up_to(static_cast<std::uint32_t>(side - columns)));
    }
    out.push_back(translation);
  }
}

template <class Token>
void write_tokens(const Grid& grid, const Augmentation& augmentation, Translation translation, int side, Token pad,
                  std::span<Token> field) {
  const auto view = view_of(augmentation.tid, grid.rows, grid.columns);
  const int top = translation.row, left = translation.column;
  ensure(std::cmp_equal(field.size(), side * side) && top + view.rows <= side && left + view.columns <= side,
         "write_field", "a field of side x side cells that holds the translated grid");
  std::array<Token, kColours> tokens;
  for (std::size_t colour = 0; colour < tokens.size(); ++colour) {
    tokens[colour] = static_cast<Token>(kFirstColourToken + augmentation.colours[colour]);
  }
  std::ranges::fill(field, pad);
  for (int row = 0; row < view.rows; ++row) {
    Token* to = field.data() + (top + row) * side + left;
    int cell = view.base + row * view.row_step;
    for (int column = 0; column < view.columns; ++column, cell += view.column_step) {
      to[column] = tokens[grid.cells[static_cast<std::size_t>(cell)]];
    }
    if (left + view.columns < side) to[view.columns] = static_cast<Token>(kEndToken);
  }
  if (top + view.rows < side) {
    Token* below = field.data() + (top + view.rows) * side + left;
    std::fill(below, below + view.columns, static_cast<Token>(kEndToken));
  }
}

UserError too_many_puzzles(const ArcPuzzlesSettings& settings, const std::string& subset) {
  return UserError("the tasks up to the set " + subset +
                   " of data.subsets have more than data.max_puzzles = " + std::to_string(settings.most_puzzles) +
                   " puzzles, each a row of the puzzle table; give a set that is only trained on fewer than the " +
                   std::to_string(settings.augmentations) + " augmentations, as in \"training," + subset +
                   ":3\", lower data.augmentations, or raise data.max_puzzles");
}

}  // namespace

ArcPuzzles::ArcPuzzles(std::vector<ArcSubset> subsets, const ArcPuzzlesSettings& settings) : settings_(settings) {
  ensure(settings.augmentations >= 0 && settings.side >= 1 && settings.side <= kLargestGrid, "ArcPuzzles",
         "0 or more augmentations, a side of 1 to 30");
  check_subsets(subsets, settings.test_set);
  NumpyLegacyRandom random(settings.seed);
  for (auto& subset : subsets) {
    const auto large = std::stable_partition(subset.tasks.begin(), subset.tasks.end(),
                                             [&](const ArcTask& task) { return largest_side(task) <= settings.side; });
    if (large != subset.tasks.end()) {
      left_out_.push_back({subset.name, {large, subset.tasks.end()}});
      subset.tasks.erase(large, subset.tasks.end());
    }
    random.shuffle(std::span(subset.tasks));
    const auto augmentations = subset.augmentations.value_or(settings.augmentations);
    for (auto& task : subset.tasks) {
      auto& group = groups_.emplace_back(make_group(std::move(task), subset.name, subset.name == settings.test_set));
      const auto drawn = draw_group(group.task, augmentations, random);
      group.first_puzzle = puzzles();
      group.puzzles = std::ssize(drawn);
      augmentations_.insert(augmentations_.end(), drawn.begin(), drawn.end());
      if (puzzles() > settings.most_puzzles) throw too_many_puzzles(settings, subset.name);
    }
  }
  if (groups_.empty()) {
    throw UserError("no task is left: data.max_grid = " + std::to_string(settings.side) +
                    " leaves out every task of data.subsets");
  }
  std::int64_t examples = 0;
  for (auto& group : groups_) {
    group.first_example = examples;
    examples += group.puzzles * std::ssize(group.train_pairs);
  }
  if (!settings.frozen_translations) return;
  translations_.reserve(static_cast<std::size_t>(examples));
  for (const auto& group : groups_) {
    for (std::int64_t i = 0; i < group.puzzles; ++i) {
      draw_translations(group, augmentation(group.first_puzzle + i).tid, settings.side, random, translations_);
    }
  }
}

std::string ArcPuzzles::left_out_text() const {
  std::size_t count = 0;
  for (const auto& subset : left_out_) count += subset.tasks.size();
  if (count == 0) return "";
  return std::to_string(count) + (count == 1 ? " task (" : " tasks (") + left_out_.front().tasks.front().id +
         (count == 1 ? "" : " for one") + ") left out for a grid of more than " + std::to_string(settings_.side) +
         " rows or columns (data.max_grid)";
}

std::vector<ArcTask> ArcPuzzles::left_out_tests() const {
  std::vector<ArcTask> tasks;
  for (const auto& subset : left_out_) {
    if (subset.name != settings_.test_set) continue;
    std::ranges::copy_if(subset.tasks, std::back_inserter(tasks), has_tests);
  }
  return tasks;
}

std::int64_t ArcPuzzles::examples(ArcSplit split) const {
  std::int64_t examples = 0;
  for (const auto& group : groups_) {
    examples += group.puzzles * std::ssize(split == ArcSplit::train ? group.train_pairs : group.test_pairs);
  }
  return examples;
}

std::size_t ArcPuzzles::group_of(std::int64_t puzzle) const {
  ensure(puzzle >= 0 && puzzle < puzzles(), "ArcPuzzles::group_of", "the number of a puzzle");
  const auto next = std::ranges::upper_bound(groups_, puzzle, {}, &ArcGroup::first_puzzle);
  return static_cast<std::size_t>(next - groups_.begin()) - 1;
}

Augmentation ArcPuzzles::augmentation(std::int64_t puzzle) const {
  return unpack(augmentations_.at(static_cast<std::size_t>(puzzle)));
}

Translation ArcPuzzles::translation(std::int64_t example) const {
  return translations_.at(static_cast<std::size_t>(example));
}

std::string ArcPuzzles::identifier(std::int64_t index) const {
  if (index == 0) return "<blank>";
  const auto puzzle = index - 1;
  const auto& group = groups_[group_of(puzzle)];
  if (puzzle == group.first_puzzle) return group.task.id;
  const auto what = augmentation(puzzle);
  std::string name = group.task.id + "|||t" + std::to_string(what.tid) + "|||";
  for (const auto colour : what.colours) name += static_cast<char>('0' + colour);
  return name;
}

ArcIdentifier parse_identifier(const std::string& name) {
  constexpr const char* kSeparator = "|||";
  const auto first = name.find(kSeparator);
  if (first == std::string::npos) return {name, {}};
  ArcIdentifier parsed{name.substr(0, first), {}};
  const auto rest = name.substr(first + 3);  // "t3|||0768314952"
  const auto malformed = [&] {
    return UserError("puzzle identifier \"" + name +
                     "\": expected a task's id, or id|||t<0..7>|||<ten digits, a permutation>");
  };
  if (rest.size() != 15 || rest[0] != 't' || rest[1] < '0' || rest[1] > '7' || rest.substr(2, 3) != kSeparator) {
    throw malformed();
  }
  parsed.augmentation.tid = rest[1] - '0';
  std::array<bool, kColours> taken{};
  for (std::size_t colour = 0; colour < kColours; ++colour) {
    const char digit = rest[5 + colour];
    if (digit < '0' || digit > '9' || std::exchange(taken[static_cast<std::size_t>(digit - '0')], true)) {
      throw malformed();
    }
    parsed.augmentation.colours[colour] = static_cast<std::uint8_t>(digit - '0');
  }
  return parsed;
}

void write_field(const Grid& grid, const Augmentation& augmentation, Translation translation, int side,
                 std::int32_t pad, std::span<std::int32_t> field) {
  write_tokens(grid, augmentation, translation, side, pad, field);
}

void write_field(const Grid& grid, const Augmentation& augmentation, Translation translation, int side,
                 std::uint8_t pad, std::span<std::uint8_t> field) {
  write_tokens(grid, augmentation, translation, side, pad, field);
}

}  // namespace dis
