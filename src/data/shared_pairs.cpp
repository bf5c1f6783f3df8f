#include "dis/data/shared_pairs.h"

#include <algorithm>
#include <unordered_map>

namespace dis {

TrainedPairs::TrainedPairs(std::vector<PairKey> keys) : keys_(std::move(keys)) {
  std::erase(keys_, kNoPair);
  std::ranges::sort(keys_);
  keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
}

bool TrainedPairs::contains(PairKey key) const { return std::ranges::binary_search(keys_, key); }

std::vector<bool> marks_of(const PairList& tested, const TrainedPairs& trained) {
  std::vector<bool> marks;
  marks.reserve(tested.keys.size());
  for (const auto key : tested.keys) marks.push_back(trained.contains(key));
  return marks;
}

SharedPairs shared_pairs(const TrainingStream& data) {
  const auto trained = data.trained_pairs(), tested = data.tested_pairs();
  std::unordered_map<PairKey, std::int64_t> first;
  for (std::size_t i = 0; i < trained.keys.size(); ++i) {
    if (trained.keys[i] != kNoPair) first.emplace(trained.keys[i], static_cast<std::int64_t>(i));
  }
  SharedPairs shared;
  for (std::size_t i = 0; i < tested.keys.size(); ++i) {
    if (tested.keys[i] == kNoPair) continue;
    ++shared.tested;
    const auto found = first.find(tested.keys[i]);
    if (found == first.end()) continue;
    ++shared.shared;
    if (shared.examples.size() == kSharedExamples) continue;
    shared.examples.push_back({tested.name(static_cast<std::int64_t>(i)), trained.name(found->second)});
  }
  return shared;
}

Json to_json(const SharedPairs& shared) {
  Json json = {{"tested", shared.tested}, {"trained", shared.shared}, {"examples", Json::array()}};
  for (const auto& pair : shared.examples) {
    json["examples"].push_back({{"tested", pair.tested}, {"trained", pair.trained}});
  }
  return json;
}

std::string to_text(const SharedPairs& shared) {
  std::string text = std::to_string(shared.shared) + " of " + std::to_string(shared.tested) +
                     (shared.shared == 1 ? " test pairs is trained" : " test pairs are trained");
  constexpr std::size_t kShown = 3;
  for (std::size_t i = 0; i < std::min(kShown, shared.examples.size()); ++i) {
    text += (i == 0 ? ": " : "; ") + shared.examples[i].tested + " = " + shared.examples[i].trained;
  }
  return text + (shared.shared > static_cast<std::int64_t>(kShown) ? "; ..." : "");
}

std::string leak_check_text(const Json& shared) {
  if (shared["tested"] == 0) return "";
  std::string text = "  leak check           of " + shared["tested"].dump() + " test pairs, training shows " +
                     shared["trained"].dump() + " with the answer, under whatever name\n";
  for (const auto& pair : shared["examples"]) {
    text += "    " + pair["tested"].get<std::string>() + " = " + pair["trained"].get<std::string>() + "\n";
  }
  if (shared["examples"].size() < shared["trained"]) text += "    ...\n";
  return text;
}

}  // namespace dis
