#include "dis/core/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>
#include <vector>

namespace dis {
namespace {

using Block = std::array<std::uint32_t, 4>;

// The known answers of Random123 1.14 (tests/kat_vectors, philox4x32 with 10 rounds).
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

/// Chi-square statistic of counts against equal shares.
double chi_square(const std::vector<std::int64_t>& counts) {
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  const double expected = total / static_cast<double>(counts.size());
  double sum = 0;
  for (const std::int64_t count : counts)
    sum += (static_cast<double>(count) - expected) * (static_cast<double>(count) - expected) / expected;
  return sum;
}

/// The statistic as a standard normal number (Wilson and Hilferty's cube root), for `cells - 1` degrees of freedom.
double chi_square_z(const std::vector<std::int64_t>& counts) {
  const auto k = static_cast<double>(counts.size() - 1);
  return (std::cbrt(chi_square(counts) / k) - (1 - 2 / (9 * k))) / std::sqrt(2 / (9 * k));
}

TEST(Draws, AllBytesOfNextAreUniform) {
  for (int shift = 0; shift < 32; shift += 8) {
    std::vector<std::int64_t> counts(256);
    Draws draws(7, Purpose::test, 3, 11);
    for (int i = 0; i < 200'000; ++i) ++counts[draws.next() >> shift & 0xFF];
    EXPECT_LT(std::abs(chi_square_z(counts)), 4) << "shift " << shift;
  }
}

TEST(Draws, FirstDrawsOfNeighbouringIndicesAreUniform) {
  std::vector<std::int64_t> by_index(256), by_step(256), by_seed(256);
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    ++by_index[Draws(7, Purpose::test, 0, i).next() & 0xFF];
    ++by_step[Draws(7, Purpose::test, i, 0).next() & 0xFF];
    ++by_seed[Draws(i, Purpose::test, 0, 0).next() & 0xFF];
  }
  EXPECT_LT(std::abs(chi_square_z(by_index)), 4);
  EXPECT_LT(std::abs(chi_square_z(by_step)), 4);
  EXPECT_LT(std::abs(chi_square_z(by_seed)), 4);
}

TEST(Draws, BelowIsUniform) {
  for (const std::uint32_t n : {1U, 2U, 3U, 7U, 10U, 64U, 100U}) {
    Draws draws(1, Purpose::test, 0, n);
    std::vector<std::int64_t> counts(n);
    for (int i = 0; i < 100'000; ++i) {
      const std::uint32_t value = draws.below(n);
      ASSERT_LT(value, n);
      ++counts[value];
    }
    if (n > 1) {
      EXPECT_LT(std::abs(chi_square_z(counts)), 4) << "n = " << n;
    }
  }
  EXPECT_THROW(Draws(1, Purpose::test, 0, 0).below(0), std::logic_error);
}

// With n = 3 * 2^30 the plain product (the upper half of draw times n) would give multiples of 3 twice as often as the
// other numbers.
TEST(Draws, BelowHasNoBiasForLargeN) {
  constexpr std::uint32_t kN = 3U << 30;
  Draws draws(5, Purpose::test, 0, 0);
  std::vector<std::int64_t> residues(3);
  for (int i = 0; i < 100'000; ++i) ++residues[draws.below(kN) % 3];
  EXPECT_LT(chi_square(residues), 20);
}

TEST(Draws, UniformAndNormalHaveTheirMoments) {
  Draws draws(2, Purpose::test, 0, 0);
  constexpr int kCount = 200'000;
  double uniform_sum = 0, normal_sum = 0, normal_squares = 0, normal_fourths = 0;
  std::vector<std::int64_t> counts(100);
  for (int i = 0; i < kCount; ++i) {
    const double u = draws.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    ++counts[static_cast<std::size_t>(u * 100)];
    uniform_sum += u;
    const double z = draws.normal();
    ASSERT_TRUE(std::isfinite(z));
    normal_sum += z;
    normal_squares += z * z;
    normal_fourths += z * z * z * z;
  }
  const double n = kCount;
  EXPECT_LT(std::abs(chi_square_z(counts)), 4);
  EXPECT_NEAR(uniform_sum / n, 0.5, 4 * std::sqrt(1 / (12 * n)));
  EXPECT_NEAR(normal_sum / n, 0, 4 / std::sqrt(n));
  EXPECT_NEAR(normal_squares / n, 1, 4 * std::sqrt(2 / n));
  EXPECT_NEAR(normal_fourths / n, 3, 4 * std::sqrt(96 / n));
}

TEST(Draws, SameArgumentsGiveTheSameSequence) {
  Draws a(9, Purpose::augment, 4, 5), b(9, Purpose::augment, 4, 5);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next(), b.next());
}

TEST(Draws, EveryArgumentSelectsAnotherStream) {
  std::set<Block> starts;
  std::size_t streams = 0;
  const auto add = [&](std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint64_t index) {
    Draws draws(seed, purpose, step, index);
    starts.insert({draws.next(), draws.next(), draws.next(), draws.next()});
    ++streams;
  };
  for (std::uint32_t purpose = 1; purpose <= 9; ++purpose) {
    for (const std::uint64_t seed : {0ULL, 1ULL, 1ULL << 40}) {
      for (const std::uint64_t step : {0ULL, 1ULL, 2ULL, 1ULL << 32, 1ULL << 33, (1ULL << 48) - 1}) {
        for (const std::uint64_t index : {0ULL, 1ULL, 2ULL, 1ULL << 32, 1ULL << 33, (1ULL << 48) - 1}) {
          add(seed, static_cast<Purpose>(purpose), step, index);
        }
      }
    }
  }
  EXPECT_EQ(starts.size(), streams);
  EXPECT_THROW(Draws(0, Purpose::test, 1ULL << 48, 0), std::logic_error);
  EXPECT_THROW(Draws(0, Purpose::test, 0, 1ULL << 48), std::logic_error);
}

TEST(Draws, ShuffleReachesEveryOrderEquallyOften) {
  std::vector<std::int64_t> counts(24);
  for (std::uint64_t i = 0; i < 48'000; ++i) {
    std::array<int, 4> items{0, 1, 2, 3};
    Draws(3, Purpose::test, 0, i).shuffle(std::span<int>(items));
    std::size_t rank = 0;  // of the order among all 24
    for (std::size_t a = 0; a < 4; ++a) {
      std::size_t smaller = 0;
      for (std::size_t b = a + 1; b < 4; ++b) smaller += items[b] < items[a] ? 1 : 0;
      rank = rank * (4 - a) + smaller;
    }
    ++counts.at(rank);
  }
  EXPECT_LT(std::abs(chi_square_z(counts)), 4);
}

std::vector<std::uint64_t> order_of(std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint64_t n) {
  std::vector<std::uint64_t> order(n);
  for (std::uint64_t i = 0; i < n; ++i) order[i] = permuted_index(seed, purpose, step, n, i);
  return order;
}

TEST(PermutedIndex, IsABijection) {
  std::vector<std::uint64_t> sizes(70);
  std::iota(sizes.begin(), sizes.end(), 1);
  for (const std::uint64_t n : {255ULL, 256ULL, 257ULL, 1000ULL, 65'537ULL}) sizes.push_back(n);
  for (const std::uint64_t n : sizes) {
    const auto order = order_of(1, Purpose::order, 2, n);
    const std::set<std::uint64_t> values(order.begin(), order.end());
    EXPECT_EQ(values.size(), n);
    EXPECT_EQ(*values.rbegin(), n - 1);
  }
  EXPECT_THROW(permuted_index(1, Purpose::order, 0, 5, 5), std::logic_error);
  EXPECT_THROW(permuted_index(1, Purpose::order, 0, 0, 0), std::logic_error);
}

TEST(PermutedIndex, DiffersBetweenStepsSeedsAndPurposes) {
  const auto order = order_of(1, Purpose::order, 0, 1000);
  EXPECT_EQ(order, order_of(1, Purpose::order, 0, 1000));
  for (const auto& other : {order_of(1, Purpose::order, 1, 1000), order_of(1, Purpose::order, 1ULL << 32, 1000),
                            order_of(2, Purpose::order, 0, 1000), order_of(1, Purpose::test, 0, 1000)}) {
    int same = 0;
    for (std::size_t i = 0; i < 1000; ++i) same += order[i] == other[i] ? 1 : 0;
    EXPECT_LT(same, 10);  // one is expected
  }
}

TEST(PermutedIndex, PlacesAreUniformOverSteps) {
  for (const std::uint64_t n : {3ULL, 5ULL, 12ULL, 92ULL}) {
    for (const std::uint64_t index : {std::uint64_t{0}, n / 2, n - 1}) {
      std::vector<std::int64_t> counts(n);
      for (std::uint64_t step = 0; step < 500 * n; ++step) ++counts[permuted_index(4, Purpose::order, step, n, index)];
      EXPECT_LT(std::abs(chi_square_z(counts)), 4) << "n = " << n << ", index " << index;
    }
  }
}

}  // namespace
}  // namespace dis
