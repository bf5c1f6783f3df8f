// When each rule stops a row.
#include "dis/analysis/early_exit.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace dis {
namespace {

/// Five steps: the answer changes at 1, 2 and 4, and is right after 2 and 3, and again after 5 (a cell without a label
/// changes at 5, so that only the labelled ones agree).
RowTrace row() {
  RowTrace trace;
  trace.exact = {false, true, true, false, false};
  trace.changed = {true, true, false, true, true};
  trace.changed_labelled = {true, true, false, true, false};
  trace.halting = {-3.0, 0.0, 0.5, 3.0, 5.0};
  trace.margin = {0.5, 0.2, -0.1, 0.05, 0.02};
  return trace;
}

std::int64_t stop(const std::string& rule, double threshold = 0.0) { return exit_step({rule, threshold}, row()); }

TEST(EarlyExit, EveryRuleStopsWhereItSays) {
  EXPECT_EQ(stop("steps", 1), 1);
  EXPECT_EQ(stop("steps", 5), 5);
  EXPECT_EQ(stop("agreement"), 3);
  EXPECT_EQ(stop("halting", 0.0), 3) << "a logit of exactly 0 does not halt";
  EXPECT_EQ(stop("halting", 2.0), 4);
  EXPECT_EQ(stop("halting", 9.0), 5) << "who never halts makes all steps";
  EXPECT_EQ(stop("margin", 1.0), 1);
  EXPECT_EQ(stop("margin", 0.3), 2);
  EXPECT_EQ(stop("margin", 0.1), 3);
  EXPECT_EQ(stop("margin", -1.0), 5);
  EXPECT_EQ(stop("last change"), 4);
  EXPECT_EQ(last_change(row()), 4);
  EXPECT_THROW(exit_step({"whim", 0.0}, row()), std::logic_error);
}

TEST(EarlyExit, CountsStepsAndSolvedRows) {
  ExitCount agreement, first;
  agreement.add({"agreement", 0.0}, row());
  EXPECT_EQ(agreement.rows, 1);
  EXPECT_EQ(agreement.steps, 3);
  EXPECT_EQ(agreement.exact, 1);
  EXPECT_EQ(agreement.solved_as_last, 0) << "the last answer is wrong";
  first.add({"steps", 1.0}, row());
  EXPECT_EQ(first.solved_as_last, 1);
  first.add(agreement);
  EXPECT_EQ(first.rows, 2);
  EXPECT_EQ(first.steps, 4);
  EXPECT_EQ(first.exact, 1);
  EXPECT_EQ(first.solved_as_last, 1);
}

TEST(EarlyExit, RulesNameEveryDepthAndHaltingOnlyWhereItIsTrained) {
  const auto count = [](const std::vector<ExitRule>& rules, const std::string& name) {
    return std::ranges::count(rules, name, &ExitRule::name);
  };
  EXPECT_EQ(count(exit_rules(6, false), "steps"), 6);
  EXPECT_EQ(count(exit_rules(6, false), "halting"), 0);
  EXPECT_GT(count(exit_rules(16, true), "halting"), 1);
  EXPECT_EQ(count(exit_rules(16, true), "last change"), 1);
}

}  // namespace
}  // namespace dis
