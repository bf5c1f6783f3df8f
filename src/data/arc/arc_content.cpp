// ARC's pairs by their content.
#include "../content_hash.h"
#include "dis/data/arc/arc_data.h"

namespace dis {
namespace {

PairKey key_of_pair(const ArcPair& pair) { return pair.output ? arc_pair_key(pair.input, *pair.output) : kNoPair; }

/// "task 070dd51e, test 0": test pairs and demonstrations are counted apart, as they stand in the file.
std::string name_of_pair(const ArcTask& task, int which) {
  const bool test = task.pairs[static_cast<std::size_t>(which)].test;
  int number = 0;
  for (int i = 0; i < which; ++i) number += task.pairs[static_cast<std::size_t>(i)].test == test ? 1 : 0;
  return "task " + task.id + (test ? ", test " : ", demonstration ") + std::to_string(number);
}

}  // namespace

PairList ArcData::trained_pairs() const {
  PairList list{{}, [this](std::int64_t number) {
                  return name_of_pair(puzzles_.groups()[item(number).group].task, item(number).pair);
                }};
  for (const auto& [group, pair] : items_) {
    list.keys.push_back(key_of_pair(puzzles_.groups()[group].task.pairs[static_cast<std::size_t>(pair)]));
  }
  return list;
}

PairList ArcData::tested_pairs() const {
  std::vector<Item> tests;
  PairList list;
  for (std::size_t g = 0; g < puzzles_.groups().size(); ++g) {
    const auto& group = puzzles_.groups()[g];
    for (const int pair : group.test_pairs) {
      tests.push_back({g, pair});
      list.keys.push_back(key_of_pair(group.task.pairs[static_cast<std::size_t>(pair)]));
    }
  }
  list.name = [this, tests = std::move(tests)](std::int64_t number) {
    const auto& [group, pair] = tests.at(static_cast<std::size_t>(number));
    return name_of_pair(puzzles_.groups()[group].task, pair);
  };
  return list;
}

std::vector<ContentHash> ArcData::content() const {
  std::vector<ContentHash> hashes;
  for (const auto& group : puzzles_.groups()) {
    Sha256 shown, asked;
    for (const auto& pair : group.task.pairs) {
      (pair.test ? asked : shown).update(to_text(pair.input) + ">" + (pair.output ? to_text(*pair.output) : "?") + ";");
    }
    hashes.push_back({group.task.id, short_hash(shown), short_hash(asked), group.test_pairs.empty()});
  }
  return hashes;
}

}  // namespace dis
