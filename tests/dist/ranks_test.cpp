// The operations between ranks, each rank a thread of this process. How ranks fail is tested with whole programs
// (tests/app/ranks_test.cpp): a thread cannot be killed.
#include "dis/dist/ranks.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "dist/rank_threads.h"

namespace dis {
namespace {

using RankPointer = std::shared_ptr<const Ranks>;

/// Numbers over many orders of magnitude, other ones on each rank.
at::Tensor numbers_of(int rank, std::int64_t count, at::ScalarType type) {
  const auto i = at::arange(count, at::kDouble) + 1000.0 * rank;
  return ((i * 12.9898).sin() * at::exp((i * 0.1).cos() * 5.0)).to(type);
}

TEST(Ranks, OneProcessNeedsNobody) {
  const Ranks alone;
  EXPECT_EQ(alone.size(), 1);
  EXPECT_TRUE(alone.first());
  const auto x = at::arange(5, at::kFloat);
  alone.sum(x);
  EXPECT_TRUE(x.equal(at::arange(5, at::kFloat)));
  EXPECT_TRUE(alone.gather(x).equal(x));
  EXPECT_TRUE(alone.any(true));
  EXPECT_FALSE(alone.any(false));
  EXPECT_EQ(alone.exchange("a"), std::vector<std::string>{"a"});
  alone.barrier();
  alone.fail("nobody hears it");
}

TEST(Ranks, SumsAreTheSameBitsEverywhere) {
  struct Sum {
    std::int64_t count;
    at::ScalarType type;
  };
  const std::vector<Sum> kinds = {{1, at::kFloat}, {7, at::kDouble}, {1000003, at::kFloat}, {70001, at::kDouble}};
  for (const int size : {2, 3, 4}) {
    std::vector<std::vector<at::Tensor>> sums(static_cast<std::size_t>(size)), again = sums;  // of each rank
    for (auto* results : {&sums, &again}) {
      expect_no_errors(as_ranks(size, [&](const RankPointer& ranks) {
        for (const auto& [count, type] : kinds) {
          const auto x = numbers_of(ranks->rank(), count, type);
          ranks->sum(x);
          (*results)[static_cast<std::size_t>(ranks->rank())].push_back(x);
        }
      }));
    }
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      auto wanted = at::zeros({kinds[i].count}, at::kDouble);
      for (int rank = 0; rank < size; ++rank) wanted += numbers_of(rank, kinds[i].count, kinds[i].type).to(at::kDouble);
      const double tolerance = kinds[i].type == at::kFloat ? 1e-4 : 1e-12;  // numbers up to 150, four of them
      EXPECT_TRUE(at::allclose(sums[0][i].to(at::kDouble), wanted, 0.0, tolerance));
      for (const auto& of_rank : sums) EXPECT_TRUE(of_rank[i].equal(sums[0][i]));
      EXPECT_TRUE(again[0][i].equal(sums[0][i]));
    }
  }
}

TEST(Ranks, GatherBroadcastAnyExchange) {
  expect_no_errors(as_ranks(3, [](const RankPointer& all) {
    const Ranks& ranks = *all;
    const int rank = ranks.rank();
    const auto gathered = ranks.gather(at::full({2, 3}, rank, at::kInt));
    EXPECT_TRUE(gathered.equal(at::arange(3, at::kInt).repeat_interleave(2).unsqueeze(1).expand({6, 3})));
    EXPECT_EQ(ranks.gather(at::empty({0, 4})).numel(), 0);
    EXPECT_TRUE(ranks.gather(at::full({4, 2}, rank).t()).sizes() == at::IntArrayRef({6, 4}));  // not contiguous
    auto x = numbers_of(rank, 100, at::kBFloat16);
    ranks.broadcast(x);
    EXPECT_TRUE(x.equal(numbers_of(0, 100, at::kBFloat16)));
    ranks.sum(at::empty({0}));
    EXPECT_TRUE(ranks.any(rank == 2));
    EXPECT_FALSE(ranks.any(false));
    const auto texts = ranks.exchange(std::string(static_cast<std::size_t>(rank), 'x'));
    EXPECT_EQ(texts, (std::vector<std::string>{"", "x", "xx"}));
  }));
}

TEST(Ranks, DifferencesAreNamed) {
  const auto errors = as_ranks(3, [](const RankPointer& all) {
    const Ranks& ranks = *all;
    require_same(ranks, {{"seed", "1"}, {"optim.lr", "0.1"}});
    require_same(ranks, {{"seed", "1"}, {"optim.lr", ranks.rank() == 2 ? "0.2" : "0.1"}});
  });
  for (const auto& error : errors) {
    EXPECT_NE(error.find("differ in optim.lr: rank 0 has 0.1, rank 2 has 0.2"), std::string::npos) << error;
  }
}

TEST(Ranks, OneFlippedBitIsFound) {
  const auto x = numbers_of(0, 1 << 12, at::kFloat);
  expect_no_errors(as_ranks(3, [&](const RankPointer& all) {
    const Ranks& ranks = *all;
    require_same_bits(ranks, "weights", {x, at::Tensor()});
  }));
  for (const std::int64_t place : {0, 1717, (1 << 12) - 1}) {
    const auto errors = as_ranks(3, [&](const RankPointer& all) {
      const Ranks& ranks = *all;
      auto own = x.clone();
      if (ranks.rank() == 1) own.view(at::kInt).data_ptr<std::int32_t>()[place] ^= 1;
      require_same_bits(ranks, "weights", {own});
    });
    for (const auto& error : errors) EXPECT_NE(error.find("rank 1 has other weights"), std::string::npos) << error;
  }
}

TEST(Ranks, ARankThatThrowsIsNamedWithItsError) {
  const auto errors = as_ranks(
      3,
      [](const RankPointer& all) {
        const Ranks& ranks = *all;
        if (ranks.rank() == 1) {
          ranks.fail("the disk is full");
          throw UserError("the disk is full");
        }
        ranks.barrier();
      },
      5.0);
  EXPECT_EQ(errors[0], "rank 1 ended: the disk is full");
  EXPECT_EQ(errors[2], "rank 1 ended: the disk is full");
}

TEST(Ranks, ARankThatDoesNotComeIsNamed) {
  const auto errors = as_ranks(
      3,
      [](const RankPointer& all) {
        const Ranks& ranks = *all;
        if (ranks.rank() == 2) std::this_thread::sleep_for(std::chrono::seconds(6));
        ranks.barrier();
      },
      2.0);
  EXPECT_NE(errors[0].find("rank 2 lives, but has not come to a sum within"), std::string::npos) << errors[0];
  EXPECT_EQ(errors[1], errors[0]);
}

TEST(Ranks, NobodyAtTheStore) {
  DistConfig config;
  config.timeout_s = 1.0;
  try {
    const Ranks ranks({1, 2, 1, 2, "127.0.0.1", free_port()}, config, at::kCPU);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find("cannot reach the ranks' store at 127.0.0.1:"), std::string::npos);
  }
  config.backend = DistBackend::nccl;
  EXPECT_THROW(Ranks({0, 2, 0, 2, "127.0.0.1", free_port()}, config, at::kCPU), UserError);
}

}  // namespace
}  // namespace dis
