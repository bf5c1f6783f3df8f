#include "attention.h"
#include "gemm.h"
#include "kernels.h"

namespace dis::cpu {

#define DIS_DECLARE(variant)                                                          \
  namespace variant {                                                                 \
  template <class T>                                                                  \
  const Kernels<T>& table();                                                          \
  template <class T>                                                                  \
  const AttentionKernels<T>& attention_table();                                       \
  void adam(const AdamPointers&, const AdamScalars&, bool, Share);                    \
  void gemm(const Strided&, const Strided&, const RowMajor&, const GemmShape&, bool); \
  }
DIS_DECLARE(baseline)
#ifdef DIS_CPU_X86
DIS_DECLARE(avx2)
DIS_DECLARE(avx512)
DIS_DECLARE(avx512_bf16)
#endif
#undef DIS_DECLARE

namespace {

enum class Variant { baseline, avx2, avx512, avx512_bf16 };

Variant variant() {
#ifdef DIS_CPU_X86
  static const Variant best = [] {
    __builtin_cpu_init();
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (v4) return __builtin_cpu_supports("avx512bf16") ? Variant::avx512_bf16 : Variant::avx512;
    return v3 ? Variant::avx2 : Variant::baseline;
  }();
  return best;
#else
  return Variant::baseline;
#endif
}

}  // namespace

template <class T>
const Kernels<T>& kernels() {
#ifdef DIS_CPU_X86
  if (variant() == Variant::avx512_bf16) return avx512_bf16::table<T>();
  if (variant() == Variant::avx512) return avx512::table<T>();
  if (variant() == Variant::avx2) return avx2::table<T>();
#endif
  return baseline::table<T>();
}
template const Kernels<float>& kernels<float>();
template const Kernels<Bf16>& kernels<Bf16>();

template <class T>
const AttentionKernels<T>& attention_kernels() {
#ifdef DIS_CPU_X86
  if (variant() == Variant::avx512_bf16) return avx512_bf16::attention_table<T>();
  if (variant() == Variant::avx512) return avx512::attention_table<T>();
  if (variant() == Variant::avx2) return avx2::attention_table<T>();
#endif
  return baseline::attention_table<T>();
}
template const AttentionKernels<float>& attention_kernels<float>();
template const AttentionKernels<Bf16>& attention_kernels<Bf16>();

void adam(const AdamPointers& pointers, const AdamScalars& scalars, bool atan2, Share elements) {
#ifdef DIS_CPU_X86
  if (variant() == Variant::avx512_bf16) return avx512_bf16::adam(pointers, scalars, atan2, elements);
  if (variant() == Variant::avx512) return avx512::adam(pointers, scalars, atan2, elements);
  if (variant() == Variant::avx2) return avx2::adam(pointers, scalars, atan2, elements);
#endif
  baseline::adam(pointers, scalars, atan2, elements);
}

void gemm(const Strided& a, const Strided& b, const RowMajor& c, const GemmShape& shape, bool add) {
#ifdef DIS_CPU_X86
  if (variant() == Variant::avx512_bf16) return avx512_bf16::gemm(a, b, c, shape, add);
  if (variant() == Variant::avx512) return avx512::gemm(a, b, c, shape, add);
  if (variant() == Variant::avx2) return avx2::gemm(a, b, c, shape, add);
#endif
  baseline::gemm(a, b, c, shape, add);
}

const char* instruction_set() {
  const char* const names[] = {"baseline", "x86-64-v3", "x86-64-v4", "x86-64-v4 with bfloat16"};
  return names[static_cast<int>(variant())];
}

}  // namespace dis::cpu
