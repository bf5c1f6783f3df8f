// The sampler: what an epoch holds, that a pick is a function of seed and position, and that its draws are uniform.
#include "dis/data/group_sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <thread>

#include "data/uniformity.h"
#include "dis/core/json.h"
#include "dis/core/random.h"

namespace dis {
namespace {

/// Groups of different sizes, one with a single puzzle, one with puzzles too long for a shuffle.
std::vector<SampledGroup> some_groups() { return {{3, 4}, {1, 1}, {1001, 7}, {5, 2}, {2, 100}, {9, 64}, {4, 65}}; }

/// A stretch of the stream that shows one puzzle.
struct Visit {
  std::int64_t group = 0;
  std::int64_t puzzle = 0;
  std::vector<std::int64_t> examples;
};

/// The rules of an epoch, for ours and the reference's: every group once, one of its puzzles, its examples once each.
/// `sizes`: examples of each of a group's puzzles. A visit may be cut where `cut` says so.
void expect_epoch(const std::vector<Visit>& visits, const std::vector<std::vector<std::int64_t>>& sizes,
                  const std::function<bool(const Visit&)>& cut) {
  std::set<std::int64_t> groups;
  for (const Visit& visit : visits) {
    EXPECT_TRUE(groups.insert(visit.group).second) << "group " << visit.group << " twice";
    const auto& group = sizes.at(static_cast<std::size_t>(visit.group));
    ASSERT_LT(visit.puzzle, std::ssize(group));
    const std::int64_t examples = group[static_cast<std::size_t>(visit.puzzle)];
    const std::set<std::int64_t> distinct(visit.examples.begin(), visit.examples.end());
    EXPECT_EQ(distinct.size(), visit.examples.size()) << "an example twice";
    EXPECT_GE(*distinct.begin(), 0);
    EXPECT_LT(*distinct.rbegin(), examples);
    EXPECT_TRUE(cut(visit) || std::ssize(distinct) == examples) << "an example missing";
  }
  EXPECT_EQ(groups.size(), sizes.size());
}

std::vector<Visit> visits_of(const GroupSampler& sampler, std::uint64_t seed, std::uint64_t epoch) {
  std::vector<Visit> visits;
  const auto length = static_cast<std::uint64_t>(sampler.epoch_length());
  for (std::uint64_t position = epoch * length; position < (epoch + 1) * length; ++position) {
    const Pick pick = sampler.pick(seed, position);
    EXPECT_EQ(pick.epoch, static_cast<std::int64_t>(epoch));
    if (visits.empty() || visits.back().group != pick.group) visits.push_back({pick.group, pick.puzzle, {}});
    EXPECT_EQ(visits.back().puzzle, pick.puzzle) << "one puzzle per visit";
    visits.back().examples.push_back(pick.example);
  }
  return visits;
}

TEST(GroupSampler, AnEpochVisitsEveryGroupOnceAndAllExamplesOfOnePuzzle) {
  const auto groups = some_groups();
  const GroupSampler sampler(groups);
  EXPECT_EQ(sampler.epoch_length(), 4 + 1 + 7 + 2 + 100 + 64 + 65);
  std::vector<std::vector<std::int64_t>> sizes;
  for (const auto& group : groups) sizes.emplace_back(static_cast<std::size_t>(group.puzzles), group.examples);
  for (std::uint64_t epoch = 0; epoch < 200; ++epoch) {
    expect_epoch(visits_of(sampler, 3, epoch), sizes, [](const Visit&) { return false; });
  }
  expect_epoch(visits_of(sampler, 3, 1ULL << 40), sizes, [](const Visit&) { return false; });
}

TEST(GroupSampler, TheReferenceKeepsTheSameRulesButForItsCuts) {
  const Json document = read_json(std::string(DIS_SOURCE_DIR) + "/tests/data/golden/sampler_reference.json");
  const auto first_puzzle = document["group_indices"].get<std::vector<std::int64_t>>();
  const auto first_example = document["puzzle_indices"].get<std::vector<std::int64_t>>();
  const auto puzzle_count = static_cast<std::int64_t>(first_example.size()) - 1;
  std::vector<std::vector<std::int64_t>> sizes(first_puzzle.size() - 1);
  for (std::size_t group = 0; group + 1 < first_puzzle.size(); ++group) {
    for (auto puzzle = first_puzzle[group]; puzzle < first_puzzle[group + 1]; ++puzzle) {
      const auto p = static_cast<std::size_t>(puzzle);
      sizes[group].push_back(first_example[p + 1] - first_example[p]);
    }
  }
  ASSERT_EQ(puzzle_count, 15);
  int cuts = 0;
  int epochs = 0;
  for (const Json& iteration : document["iterations"]) {
    std::vector<Visit> visits;
    for (const Json& batch : iteration["batches"]) {
      std::size_t lane = 0;
      for (const Json& draw : batch["draws_group_puzzle_size_taken"]) {
        const auto group = draw[0].get<std::size_t>();
        const auto puzzle = draw[1].get<std::size_t>();
        Visit visit{draw[0].get<std::int64_t>(), draw[1].get<std::int64_t>() - first_puzzle[group], {}};
        for (auto taken = draw[3].get<int>(); taken > 0; --taken) {
          visit.examples.push_back(batch["examples"][lane++].get<std::int64_t>() - first_example[puzzle]);
        }
        visits.push_back(visit);
      }
      EXPECT_EQ(lane, document["global_batch_size"].get<std::size_t>());
    }
    const std::size_t groups = sizes.size();
    for (std::size_t start = 0; start + groups <= visits.size(); start += groups, ++epochs) {
      const std::vector<Visit> epoch(visits.begin() + static_cast<std::ptrdiff_t>(start),
                                     visits.begin() + static_cast<std::ptrdiff_t>(start + groups));
      expect_epoch(epoch, sizes, [&](const Visit& visit) {
        const auto size = sizes[static_cast<std::size_t>(visit.group)][static_cast<std::size_t>(visit.puzzle)];
        cuts += std::ssize(visit.examples) < size ? 1 : 0;
        return true;
      });
    }
  }
  EXPECT_EQ(epochs, 6);
  EXPECT_GT(cuts, 5);  // which ours has none of
}

TEST(GroupSampler, APickIsAFunctionOfSeedAndPosition) {
  const GroupSampler sampler(some_groups());
  std::vector<Pick> forward;
  for (std::uint64_t position = 0; position < 3000; ++position) forward.push_back(sampler.pick(8, position));
  const GroupSampler other(some_groups());
  const GroupSampler different({{7, 3}, {2, 5}});
  for (std::uint64_t i = 0; i < 3000; ++i) {
    const std::uint64_t position = permuted_index(1, Purpose::test, 0, 3000, i);
    ASSERT_EQ(other.pick(8, position), forward[position]) << position;
    // Others in between, whose visits look alike.
    sampler.pick(9, position);
    different.pick(8, position);
    ASSERT_EQ(sampler.pick(8, position), forward[position]) << position;
  }
  int equal = 0;
  for (std::uint64_t position = 0; position < 3000; ++position) {
    equal += sampler.pick(9, position) == forward[position] ? 1 : 0;
  }
  EXPECT_LT(equal, 300);
}

TEST(GroupSampler, ThreadsAgree) {
  const GroupSampler sampler(some_groups());
  const GroupSampler alone(some_groups());
  constexpr std::uint64_t kThreads = 8;
  constexpr std::uint64_t kPicks = 20000;  // 82 epochs, more than are kept
  std::vector<std::vector<Pick>> found(kThreads);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < kPicks; ++i) found[t].push_back(sampler.pick(t % 2, (i + t * 2500) % kPicks));
    });
  }
  for (auto& thread : threads) thread.join();
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    for (std::uint64_t i = 0; i < kPicks; i += 7) {
      ASSERT_EQ(found[t][i], alone.pick(t % 2, (i + t * 2500) % kPicks));
    }
  }
}

TEST(GroupSampler, AMovedSamplerGoesOn) {
  GroupSampler first(some_groups());
  const Pick pick = first.pick(1, 77);
  GroupSampler second = std::move(first);
  EXPECT_EQ(second.pick(1, 77), pick);
  GroupSampler third({{1, 1}});
  third = std::move(second);
  EXPECT_EQ(third.pick(1, 77), pick);
}

TEST(GroupSampler, ChoiceOfThePuzzleIsUniform) {
  const GroupSampler sampler({{20, 2}, {7, 1}, {1000, 1}});
  std::vector<std::vector<std::int64_t>> counts{std::vector<std::int64_t>(20), std::vector<std::int64_t>(7),
                                                std::vector<std::int64_t>(1000)};
  std::vector<std::int64_t> pairs(20 * 7);  // of the choices of one epoch
  constexpr std::uint64_t kEpochs = 20000;
  for (std::uint64_t epoch = 0; epoch < kEpochs; ++epoch) {
    std::vector<std::int64_t> chosen(3);
    for (const Visit& visit : visits_of(sampler, 4, epoch)) {
      ++counts[static_cast<std::size_t>(visit.group)][static_cast<std::size_t>(visit.puzzle)];
      chosen[static_cast<std::size_t>(visit.group)] = visit.puzzle;
    }
    ++pairs[static_cast<std::size_t>(chosen[0] * 7 + chosen[1])];
  }
  for (const auto& group : counts) {
    EXPECT_EQ(std::accumulate(group.begin(), group.end(), std::int64_t{0}), static_cast<std::int64_t>(kEpochs));
    EXPECT_LT(uniformity(group), kUnlikely);
  }
  EXPECT_LT(uniformity(pairs), kUnlikely);
}

TEST(GroupSampler, OrdersAreUniform) {
  const GroupSampler sampler({{2, 1}, {2, 4}, {2, 3}, {2, 2}, {2, 80}});
  std::map<std::vector<std::int64_t>, std::int64_t> orders_of_groups;
  std::map<std::vector<std::int64_t>, std::int64_t> orders_of_four;
  std::map<std::pair<std::int64_t, std::vector<std::int64_t>>, std::int64_t> orders_of_three;  // with the puzzle
  std::vector<std::int64_t> first_of_long(80);
  std::vector<std::int64_t> last_of_long(80);
  for (std::uint64_t epoch = 0; epoch < 24000; ++epoch) {
    std::vector<std::int64_t> order;
    for (const Visit& visit : visits_of(sampler, 6, epoch)) {
      order.push_back(visit.group);
      if (visit.group == 1) ++orders_of_four[visit.examples];
      if (visit.group == 2) ++orders_of_three[{visit.puzzle, visit.examples}];
      if (visit.group != 4) continue;
      ++first_of_long[static_cast<std::size_t>(visit.examples.front())];
      ++last_of_long[static_cast<std::size_t>(visit.examples.back())];
    }
    ++orders_of_groups[order];
  }
  const auto counts_of = [](const auto& map) {
    std::vector<std::int64_t> counts;
    for (const auto& [key, count] : map) counts.push_back(count);
    return counts;
  };
  EXPECT_EQ(orders_of_groups.size(), 120U);
  EXPECT_LT(uniformity(counts_of(orders_of_groups)), kUnlikely);
  EXPECT_EQ(orders_of_four.size(), 24U);
  EXPECT_LT(uniformity(counts_of(orders_of_four)), kUnlikely);
  EXPECT_EQ(orders_of_three.size(), 12U);
  EXPECT_LT(uniformity(counts_of(orders_of_three)), kUnlikely);
  EXPECT_LT(uniformity(first_of_long), kUnlikely);
  EXPECT_LT(uniformity(last_of_long), kUnlikely);
}

TEST(GroupSampler, RefusesGroupsWithoutPuzzlesOrExamples) {
  EXPECT_THROW(GroupSampler({}), std::logic_error);
  EXPECT_THROW(GroupSampler({{0, 3}}), std::logic_error);
  EXPECT_THROW(GroupSampler({{3, 0}}), std::logic_error);
}

}  // namespace
}  // namespace dis
