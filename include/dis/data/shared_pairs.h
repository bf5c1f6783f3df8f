// Test pairs whose answers training shows.
#pragma once

#include <string>
#include <vector>

#include "dis/core/json.h"
#include "dis/data/dataset.h"

namespace dis {

/// Keys of pairs that a network was trained on.
class TrainedPairs {
 public:
  TrainedPairs() = default;
  explicit TrainedPairs(std::vector<PairKey> keys);
  /// Never kNoPair.
  bool contains(PairKey key) const;
  const std::vector<PairKey>& keys() const { return keys_; }  ///< ascending, each once

 private:
  std::vector<PairKey> keys_;
};

/// [tested pairs] whether `trained` has the pair.
std::vector<bool> marks_of(const PairList& tested, const TrainedPairs& trained);

/// What a data set tests although it trains on it.
struct SharedPairs {
  std::int64_t tested = 0;  ///< test pairs with known answers
  std::int64_t shared = 0;  ///< of these, the trained ones
  struct Example {
    std::string tested, trained;  ///< names
  };
  std::vector<Example> examples;  ///< the first kSharedExamples
};
inline constexpr std::size_t kSharedExamples = 100;

SharedPairs shared_pairs(const TrainingStream& data);

/// {"tested", "trained", "examples": [{"tested", "trained"}, ...]}
Json to_json(const SharedPairs& shared);
/// "1 of 419 test pairs is trained under another name: task 070dd51e, test 0 = task 40853293, test 0"
std::string to_text(const SharedPairs& shared);
/// The same from to_json(), with every pair of the list: lines of a description, "" where nothing is tested.
std::string leak_check_text(const Json& shared);

}  // namespace dis
