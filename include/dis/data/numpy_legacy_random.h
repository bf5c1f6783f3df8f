// numpy's legacy generator (`numpy.random.seed(seed)`, then `randint`, `shuffle`, `permutation`), number for number:
// MT19937, and bounded draws by masks and rejection.
//
// For repeating the reference's ARC build only; every draw of our own is a function of its place (core/random.h).
#pragma once

#include <bit>
#include <cstdint>
#include <random>
#include <span>
#include <utility>

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

 private:
  std::mt19937 engine_;
};

}  // namespace dis
