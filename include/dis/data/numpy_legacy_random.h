// numpy's legacy generator (`numpy.random.seed(seed)`, then `randint`, `shuffle`, `permutation`,
// `choice`, `rand`), number for number:
// MT19937, and bounded draws by masks and rejection.
//
// For repeating the official builds only; every draw of our own is a function of its place (core/random.h).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace dis {

class NumpyLegacyRandom {
 public:
  /// numpy's seeding by a whole number is that of the standard library's engine.
  explicit NumpyLegacyRandom(std::uint32_t seed) : engine_(seed) {}

  std::uint32_t next() { return static_cast<std::uint32_t>(engine_()); }

  /// Uniform over 0..largest: as randint(0, largest + 1). largest = 0 draws nothing.
  std::uint32_t up_to(std::uint32_t largest) {
    if (largest == 0) return 0;
    const std::uint32_t mask = ~std::uint32_t{0} >> std::countl_zero(largest);
    std::uint32_t value = 0;
    do value = next() & mask;
    while (value > largest);
    return value;
  }

  /// shuffle(items), and permutation(items) on a copy.
  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i)
      std::swap(items[i - 1], items[up_to(static_cast<std::uint32_t>(i - 1))]);
  }

  /// permutation(N)
  template <std::size_t N>
  std::array<std::uint8_t, N> permutation() {
    std::array<std::uint8_t, N> items;
    std::iota(items.begin(), items.end(), std::uint8_t{0});
    shuffle(std::span<std::uint8_t>(items));
    return items;
  }

  /// choice(n, size=k, replace=False): k of 0..n-1 in random order, k <= n.
  std::vector<std::int64_t> choice(std::int64_t n, std::int64_t k) {
    std::vector<std::int64_t> items(static_cast<std::size_t>(n));
    std::iota(items.begin(), items.end(), std::int64_t{0});
    shuffle(std::span(items));
    items.resize(static_cast<std::size_t>(k));
    return items;
  }

  /// rand(): uniform over [0, 1), 53 bits.
  double uniform() {
    const auto high = next() >> 5U, low = next() >> 6U;
    return (high * 67108864.0 + low) / 9007199254740992.0;
  }

 private:
  std::mt19937 engine_;
};

}  // namespace dis
