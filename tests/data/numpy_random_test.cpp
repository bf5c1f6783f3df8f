#include "dis/data/numpy_random.h"

#include <gtest/gtest.h>

#include <string>

#include "dis/core/json.h"

namespace dis {
namespace {

Json golden() { return read_json(std::string(DIS_SOURCE_DIR) + "/tests/data/golden/numpy_random.json"); }

TEST(NumpyRandom, RawOutputsEqualNumpys) {
  const Json document = golden();
  for (const Json& entry : document["cases"]) {
    NumpyRandom random(std::stoull(entry["seed"].get<std::string>()));
    ASSERT_EQ(entry["raw"].size(), 4U);
    for (const Json& raw : entry["raw"]) EXPECT_EQ(std::to_string(random.next64()), raw.get<std::string>());
  }
  EXPECT_EQ(document["cases"].size(), 9U);
}

TEST(NumpyRandom, CallsInARowEqualNumpys) {
  int calls = 0;
  const Json document = golden();
  for (const Json& entry : document["cases"]) {
    NumpyRandom random(std::stoull(entry["seed"].get<std::string>()));
    for (const Json& call : entry["calls"]) {
      const auto name = call[0].get<std::string>();
      const auto first = call[1].get<std::int64_t>();
      const auto second = call[2].get<std::int64_t>();
      const auto expected = call[3].get<std::vector<std::int64_t>>();
      std::vector<std::int64_t> found;
      if (name == "permutation") found = random.permutation(first);
      if (name == "choice") found = random.choice(first, second);
      if (name == "integers") {
        for (std::size_t i = 0; i < expected.size(); ++i) found.push_back(random.integers(first, second));
      }
      ASSERT_EQ(found, expected) << "seed " << entry["seed"] << " " << name << "(" << first << ", " << second << ")";
      ++calls;
    }
  }
  EXPECT_GE(calls, 9 * 27);
}

TEST(NumpyRandom, RefusesWhatNumpyDrawsDifferently) {
  NumpyRandom random(0);
  EXPECT_THROW(random.choice(10001, 300), std::logic_error);
  EXPECT_THROW(random.choice(3, 4), std::logic_error);
  EXPECT_THROW(random.integers(3, 3), std::logic_error);
}

}  // namespace
}  // namespace dis
