// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), and a normal draw from one of
// its numbers. Plain functions in C++17, for the host's draws (random.h) and the kernels of CPU and GPU alike.
#pragma once

#include <cstdint>

// Inlined always: kernels that are compiled once per instruction set must not share code.
#ifdef __CUDACC__
#define DIS_DRAW __host__ __device__ __forceinline__
#else
#define DIS_DRAW [[gnu::always_inline]] inline
#endif

namespace dis {

struct PhiloxBlock {
  std::uint32_t number[4];
};

/// One block of numbers: a function of counter and key.
DIS_DRAW PhiloxBlock philox_block(PhiloxBlock counter, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = 0xD2511F53ULL * counter.number[0];
    const std::uint64_t p1 = 0xCD9E8D57ULL * counter.number[2];
    counter = {{static_cast<std::uint32_t>(p1 >> 32) ^ counter.number[1] ^ key0, static_cast<std::uint32_t>(p1),
                static_cast<std::uint32_t>(p0 >> 32) ^ counter.number[3] ^ key1, static_cast<std::uint32_t>(p0)}};
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  return counter;
}

/// log x of a positive, normal x, to about 1 ulp, in a form that vectorises (Cephes' polynomial). `bits` are those of
/// x, and `as_float` turns bits into a number.
template <class AsFloat>
DIS_DRAW float log_of_bits(std::uint32_t bits, AsFloat as_float) {
  const std::uint32_t shifted = bits - 0x3F3504F3U;  // sqrt(1/2): the mantissa lies in [sqrt(1/2), sqrt(2))
  const auto exponent = static_cast<float>(static_cast<std::int32_t>(shifted) >> 23);
  const float r = as_float((shifted & 0x7FFFFFU) + 0x3F3504F3U) - 1.0F;
  const float z = r * r;
  float p = 7.0376836292e-2F;
  p = p * r - 1.1514610310e-1F;
  p = p * r + 1.1676998740e-1F;
  p = p * r - 1.2420140846e-1F;
  p = p * r + 1.4249322787e-1F;
  p = p * r - 1.6668057665e-1F;
  p = p * r + 2.0000714765e-1F;
  p = p * r - 2.4999993993e-1F;
  p = p * r + 3.3333331174e-1F;
  float tail = p * r * z + exponent * -2.12194440e-4F;
  tail -= 0.5F * z;
  return r + tail + exponent * 0.693359375F;
}

/// sqrt(2) erfinv(v), |v| < 1: a standard normal draw if v is uniform over (-1, 1). `w` is -log(1 - v^2), `root` its
/// square root (Giles, "Approximating the erfinv function", GPU Computing Gems 2, 2011).
DIS_DRAW float normal_of_uniform(float v, float w, float root) {
  const float near = w - 2.5F, far = root - 3.0F;
  float p = 2.81022636e-08F;
  p = p * near + 3.43273939e-07F;
  p = p * near - 3.5233877e-06F;
  p = p * near - 4.39150654e-06F;
  p = p * near + 0.00021858087F;
  p = p * near - 0.00125372503F;
  p = p * near - 0.00417768164F;
  p = p * near + 0.246640727F;
  p = p * near + 1.50140941F;
  float q = -0.000200214257F;
  q = q * far + 0.000100950558F;
  q = q * far + 0.00134934322F;
  q = q * far - 0.00367342844F;
  q = q * far + 0.00573950773F;
  q = q * far - 0.0076224613F;
  q = q * far + 0.00943887047F;
  q = q * far + 1.00167406F;
  q = q * far + 2.83297682F;
  return 1.41421356237F * v * (w < 5.0F ? p : q);
}

/// 23 bits of a random number as a uniform draw from (-1, 1), symmetric, never an end.
DIS_DRAW float centred_uniform(std::uint32_t number) {
  return static_cast<float>(static_cast<std::int32_t>(2 * (number >> 9) + 1) - (1 << 23)) * 0x1p-23F;
}

}  // namespace dis
