#include "dis/core/random.h"

#include <cmath>
#include <numbers>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/philox.h"

namespace dis {
namespace {

/// SplitMix64's finaliser: spreads the bits of a 64-bit number.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

}  // namespace

std::array<std::uint32_t, 2> draw_key(std::uint64_t seed, Purpose purpose) {
  const std::uint64_t key = mix(mix(seed) ^ static_cast<std::uint32_t>(purpose));
  return {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
}

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  const auto block = philox_block({{counter[0], counter[1], counter[2], counter[3]}}, key[0], key[1]);
  return {block.number[0], block.number[1], block.number[2], block.number[3]};
}

Draws::Draws(std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint64_t index)
    : key_(draw_key(seed, purpose)) {
  ensure(step < (1ULL << 48) && index < (1ULL << 48), "Draws", "step and index below 2^48");
  counter_ = {0, static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(index),
              static_cast<std::uint32_t>((step >> 32) << 16 | index >> 32)};
}

std::uint32_t Draws::next() {
  if (used_ == 4) {
    block_ = philox(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[static_cast<std::size_t>(used_++)];
}

std::uint32_t Draws::below(std::uint32_t n) {
  ensure(n >= 1, "Draws::below", "n >= 1");
  // Lemire's multiplication; the few low products that would be drawn once too often are drawn again.
  std::uint64_t product = std::uint64_t{next()} * n;
  if (static_cast<std::uint32_t>(product) < n) {
    const std::uint32_t threshold = (0U - n) % n;
    while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{next()} * n;
  }
  return static_cast<std::uint32_t>(product >> 32);
}

double Draws::uniform() {
  const std::uint64_t high = next();
  const std::uint64_t low = next();
  return static_cast<double>((high << 32 | low) >> 11) * 0x1p-53;
}

double Draws::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::uint64_t permuted_index(std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint64_t n,
                             std::uint64_t index) {
  ensure(n >= 1 && n < (1ULL << 62) && index < n, "permuted_index", "index < n < 2^62");
  int half = 1;  // bits of each half of the Feistel network
  while ((1ULL << (2 * half)) < n) ++half;
  const std::uint64_t mask = (1ULL << half) - 1;
  const auto key = draw_key(seed, purpose);
  std::uint64_t value = index;
  do {
    std::uint64_t left = value >> half;
    std::uint64_t right = value & mask;
    for (std::uint32_t round = 0; round < 6; ++round) {
      const auto block = philox({round, static_cast<std::uint32_t>(right), static_cast<std::uint32_t>(step),
                                 static_cast<std::uint32_t>(step >> 32)},
                                key);
      left = std::exchange(right, left ^ (block[0] & mask));
    }
    value = left << half | right;
  } while (value >= n);  // cycle walking: leave the numbers that do not exist
  return value;
}

}  // namespace dis
