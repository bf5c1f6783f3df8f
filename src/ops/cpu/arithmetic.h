// Element conversions and functions that vectorise. Included, after kernels.h, by the files that are compiled once per
// instruction set, inside an unnamed namespace of theirs: nothing here may be shared between the variants.
inline std::uint32_t bits_of(float x) { return __builtin_bit_cast(std::uint32_t, x); }
inline float float_of(std::uint32_t x) { return __builtin_bit_cast(float, x); }

inline float load(float x) { return x; }
inline float load(Bf16 x) { return float_of(static_cast<std::uint32_t>(x.bits) << 16); }

inline void store(float& to, float x) { to = x; }
/// Round to nearest, ties to even; a NaN stays one.
inline void store(Bf16& to, float x) {
  const std::uint32_t bits = bits_of(x);
  const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
  to.bits = static_cast<std::uint16_t>(x != x ? 0x7FC0U : rounded);
}

/// exp to about 1 ulp, in a form that vectorises (Cephes' polynomial); below -87 it returns about 1e-38, not 0.
inline float exp_of(float x) {
  const float clamped = x > 88.0F ? 88.0F : (x < -87.0F ? -87.0F : x);
  const float n = __builtin_floorf(clamped * 1.44269504088896341F + 0.5F);
  const float r = (clamped - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  const float e = (p * r * r + r) + 1.0F;
  const float power = float_of(static_cast<std::uint32_t>(static_cast<std::int32_t>(n) + 127) << 23);
  return x != x ? x : e * power;
}
