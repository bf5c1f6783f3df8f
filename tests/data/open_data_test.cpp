// The table of kinds of data, and what a data set does where a kind says nothing else.
#include "dis/data/open_data.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/user_error.h"
#include "dis/config/fields.h"

namespace dis {
namespace {

/// Rows of no kind in particular.
class PlainRows : public DataSet {
 public:
  DataShape shape() const override { return {.vocabulary = 6, .length = 3, .identifiers = 1}; }
  Origin example(std::uint64_t, std::uint64_t, std::span<std::int32_t>, std::span<std::int32_t>,
                 std::int32_t&) const override {
    return {};
  }
  void augment(const Origin&, std::span<std::int32_t>) const override {}
  std::string identifier(std::int64_t) const override { return "<blank>"; }
  Json describe(const RunConfig&) const override { return {}; }
  std::string description_text(const Json&) const override { return ""; }
};

TEST(KindsOfData, EachValueOfTheFieldHasAnEntry) {
  const auto& field = *find_field("data.kind");
  for (const auto& name : field.choices) {
    RunConfig config;
    field.set(field, config, name);
    const auto& entry = kind_of(config.data);
    EXPECT_EQ(to_string(entry.kind), name);
    EXPECT_FALSE(entry.smaller(config.data).empty());
    EXPECT_EQ(entry.tasks, name == "arc");
  }
}

TEST(DataSet, ScoresCellsAgainstTheLabel) {
  const PlainRows data;
  ASSERT_EQ(data.measures().size(), 2U);
  const auto score = [&](const std::vector<std::int32_t>& label, const std::vector<std::int32_t>& answer) {
    const auto counts = data.score({std::vector<std::int32_t>{1, 1, 1}, label, answer});
    return std::vector{counts[0].hits, counts[0].total, counts[1].hits, counts[1].total};
  };
  using Counted = std::vector<std::int64_t>;  // exact of rows, right of cells
  EXPECT_EQ(score({1, 2, kIgnore}, {1, 2, 5}), (Counted{1, 1, 2, 2})) << "a cell without a label does not count";
  EXPECT_EQ(score({1, 2, 3}, {1, 2, 5}), (Counted{0, 1, 2, 3}));
  EXPECT_EQ(score({kIgnore, kIgnore, kIgnore}, {1, 2, 5}), (Counted{0, 0, 0, 0})) << "nor does a row without any";
}

TEST(DataSet, HasNoTestsNoDrawingAndNoExportUnlessItsKindSaysSo) {
  const PlainRows data;
  EXPECT_TRUE(data.tests().empty());
  EXPECT_FALSE(data.trained().has_value());
  EXPECT_TRUE(contains(user_error_of([&] { data.write_rows("nowhere", {}); }), "dis data export"));
}

}  // namespace
}  // namespace dis
