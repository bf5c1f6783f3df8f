#include "dis/data/numpy_random.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <numeric>
#include <utility>

#include "dis/core/error.h"

namespace dis {
namespace {

constexpr std::size_t kPool = 4;  // words of SeedSequence's entropy pool

/// SeedSequence(seed).generate_state(4, uint64), as 32-bit words, low half first.
std::array<std::uint32_t, 8> seed_words(std::uint64_t seed) {
  std::uint32_t hash_constant = 0x43B0D7E5U;
  const auto hash = [&](std::uint32_t value) {
    value ^= hash_constant;
    hash_constant *= 0x931E8875U;
    value *= hash_constant;
    return value ^ value >> 16;
  };
  const auto mix = [](std::uint32_t x, std::uint32_t y) {
    const std::uint32_t value = 0xCA01F9DDU * x - 0x4973F715U * y;
    return value ^ value >> 16;
  };

  std::array<std::uint32_t, kPool> pool{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32), 0, 0};
  for (auto& word : pool) word = hash(word);
  for (std::size_t from = 0; from < kPool; ++from) {
    for (std::size_t to = 0; to < kPool; ++to) {
      if (from != to) pool[to] = mix(pool[to], hash(pool[from]));
    }
  }

  std::array<std::uint32_t, 8> words;
  hash_constant = 0x8B51F9DDU;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::uint32_t value = pool[i % kPool] ^ hash_constant;
    hash_constant *= 0x58F38DEDU;
    value *= hash_constant;
    words[i] = value ^ value >> 16;
  }
  return words;
}

}  // namespace

NumpyRandom::NumpyRandom(std::uint64_t seed) {
  const auto words = seed_words(seed);
  const auto number = [&](std::size_t i) { return std::uint64_t{words[2 * i + 1]} << 32 | words[2 * i]; };
  increment_ = (Wide{number(2)} << 64 | number(3)) << 1 | 1;
  step();
  state_ += Wide{number(0)} << 64 | number(1);
  step();
}

void NumpyRandom::step() {
  constexpr Wide kMultiplier = Wide{0x2360ED051FC65DA4ULL} << 64 | 0x4385DF649FCCF645ULL;
  state_ = state_ * kMultiplier + increment_;
}

std::uint64_t NumpyRandom::next64() {
  step();
  return std::rotr(static_cast<std::uint64_t>(state_ >> 64) ^ static_cast<std::uint64_t>(state_),
                   static_cast<int>(state_ >> 122));
}

std::uint32_t NumpyRandom::next32() {
  if (std::exchange(has_high_half_, !has_high_half_)) return high_half_;
  const std::uint64_t both = next64();
  high_half_ = static_cast<std::uint32_t>(both >> 32);
  return static_cast<std::uint32_t>(both);
}

std::uint64_t NumpyRandom::bounded(std::uint64_t largest) {
  if (largest == 0) return 0;
  constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();
  if (largest == kMax32) return next32();
  if (largest == std::numeric_limits<std::uint64_t>::max()) return next64();
  const std::uint64_t count = largest + 1;
  if (largest < kMax32) {  // Lemire's method on 32 bits
    const auto threshold = static_cast<std::uint32_t>((kMax32 - largest) % count);
    std::uint64_t product = 0;
    do product = next32() * count;
    while (static_cast<std::uint32_t>(product) < threshold);
    return product >> 32;
  }
  const std::uint64_t threshold = (std::numeric_limits<std::uint64_t>::max() - largest) % count;
  Wide product = 0;
  do product = Wide{next64()} * count;
  while (static_cast<std::uint64_t>(product) < threshold);
  return static_cast<std::uint64_t>(product >> 64);
}

std::int64_t NumpyRandom::integers(std::int64_t low, std::int64_t high) {
  ensure(low < high, "NumpyRandom::integers", "low < high");
  const std::uint64_t largest = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) - 1;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + bounded(largest));
}

std::uint64_t NumpyRandom::interval(std::uint64_t largest) {
  if (largest == 0) return 0;
  const std::uint64_t mask = std::bit_ceil(largest + 1) - 1;
  std::uint64_t value = 0;
  do value = (largest <= std::numeric_limits<std::uint32_t>::max() ? next32() : next64()) & mask;
  while (value > largest);
  return value;
}

std::vector<std::int64_t> NumpyRandom::permutation(std::int64_t n) {
  ensure(n >= 0, "NumpyRandom::permutation", "n >= 0");
  std::vector<std::int64_t> items(static_cast<std::size_t>(n));
  std::iota(items.begin(), items.end(), std::int64_t{0});
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[interval(i - 1)]);
  return items;
}

std::vector<std::int64_t> NumpyRandom::choice(std::int64_t n, std::int64_t k) {
  ensure(k >= 0 && k <= n && n <= 10000, "NumpyRandom::choice", "0 <= k <= n <= 10000");
  std::vector<std::int64_t> chosen;  // Floyd's algorithm, then a shuffle
  for (std::int64_t last = n - k; last < n; ++last) {
    const auto drawn = static_cast<std::int64_t>(bounded(static_cast<std::uint64_t>(last)));
    const bool taken = std::find(chosen.begin(), chosen.end(), drawn) != chosen.end();
    chosen.push_back(taken ? last : drawn);
  }
  for (std::size_t i = chosen.size(); i > 1; --i) std::swap(chosen[i - 1], chosen[bounded(i - 1)]);
  return chosen;
}

}  // namespace dis
