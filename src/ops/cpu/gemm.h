// Single-precision matrix product for the shapes of a tiny network: few columns, many rows.
//
// LibTorch's own product (MKL) uses AVX2 on AMD processors and copies its operands; with inner sizes of 64 to 512 it
// reaches a third of what the processor can do. Like kernels.cpp, gemm.cpp is compiled once per instruction set.
#pragma once

#include <cstdint>

namespace dis::cpu {

/// A read-only matrix with any strides: element (i, j) at data[i * row + j * column].
struct Strided {
  const float* data;
  std::int64_t row, column;
};

/// What is written: rows `row` numbers apart.
struct RowMajor {
  float* data;
  std::int64_t row;
};

struct GemmShape {
  std::int64_t m, n, k;
};

/// c [m, n] = a [m, k] times b [k, n], plus c if `add`. One thread. Every element of c is a sum over k in a fixed order
/// that depends on k alone, so the result does not depend on how rows and columns of c are split.
void gemm(const Strided& a, const Strided& b, const RowMajor& c, const GemmShape& shape, bool add);

}  // namespace dis::cpu
