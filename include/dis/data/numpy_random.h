// numpy's `numpy.random.default_rng(seed)`, number for number (numpy 1.17 to 2.x, little-endian machines):
// SeedSequence, PCG64 (O'Neill, "PCG: a family of simple fast space-efficient statistically good algorithms", 2014;
// XSL-RR 128/64), and the draws of numpy.random.Generator that the authors' N-Queens generator uses.
//
// For repeating the authors' boards only; every draw of our own is a function of its place (core/random.h).
#pragma once

#include <cstdint>
#include <vector>

namespace dis {

class NumpyRandom {
 public:
  /// default_rng(seed)
  explicit NumpyRandom(std::uint64_t seed);

  std::uint64_t next64();  ///< the bit generator's next output
  std::uint32_t next32();  ///< its low half, then its high half

  /// integers(low, high): uniform over low..high-1; low < high.
  std::int64_t integers(std::int64_t low, std::int64_t high);
  /// permutation(n): 0..n-1 in random order.
  std::vector<std::int64_t> permutation(std::int64_t n);
  /// choice(n, k, replace=False): k of 0..n-1 in random order, k <= n <= 10000 (numpy turns to another algorithm
  /// above).
  std::vector<std::int64_t> choice(std::int64_t n, std::int64_t k);

 private:
  std::uint64_t bounded(std::uint64_t largest);   ///< uniform over 0..largest, Lemire's method
  std::uint64_t interval(std::uint64_t largest);  ///< the same by masks and rejection, for permutation()

  __extension__ using Wide = unsigned __int128;
  void step();

  Wide state_ = 0;
  Wide increment_ = 0;
  bool has_high_half_ = false;
  std::uint32_t high_half_ = 0;
};

}  // namespace dis
