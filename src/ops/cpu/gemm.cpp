// Compiled once per instruction set, each time into a namespace of its own (DIS_CPU_VARIANT).
//
// The usual scheme (Goto, van de Geijn, "Anatomy of high-performance matrix multiplication", 2008): panels of b and
// blocks of a are packed so that the inner loop reads both in order; it keeps kRows x kColumns sums in registers.
#include "gemm.h"

#include <cstdlib>
#include <cstring>
#include <memory>

namespace dis::cpu::DIS_CPU_VARIANT {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16, kVectors = 4, kRows = 6;
#elif defined(__AVX2__)
constexpr int kLanes = 8, kVectors = 2, kRows = 6;
#else
constexpr int kLanes = 4, kVectors = 2, kRows = 4;
#endif
constexpr int kColumns = kLanes * kVectors;
constexpr std::int64_t kDepth = 384;  // a packed panel of b then fits the second-level cache

using Vector = float __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

struct Free {
  void operator()(float* p) const { std::free(p); }
};
using Buffer = std::unique_ptr<float[], Free>;

Buffer aligned_buffer(std::int64_t numbers) {
  const std::size_t bytes = (static_cast<std::size_t>(numbers) * sizeof(float) + 63) / 64 * 64;
  return Buffer(static_cast<float*>(std::aligned_alloc(64, bytes)));
}

/// c [kRows, kColumns] (+)= a [depth][kRows] times b [depth][kColumns], both packed.
inline void tile(const float* a, const float* b, float* c, std::int64_t ldc, std::int64_t depth, bool add) {
  Vector sums[kRows][kVectors];
  for (int i = 0; i < kRows; ++i) {
    for (int v = 0; v < kVectors; ++v) {
      sums[i][v] = add ? *reinterpret_cast<const Vector*>(c + i * ldc + v * kLanes) : Vector{};
    }
  }
  for (std::int64_t r = 0; r < depth; ++r, a += kRows, b += kColumns) {
    Vector columns[kVectors];
    for (int v = 0; v < kVectors; ++v) columns[v] = *reinterpret_cast<const Vector*>(b + v * kLanes);
    for (int i = 0; i < kRows; ++i) {
      for (int v = 0; v < kVectors; ++v) sums[i][v] += a[i] * columns[v];
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int v = 0; v < kVectors; ++v) *reinterpret_cast<Vector*>(c + i * ldc + v * kLanes) = sums[i][v];
  }
}

/// to [depth][padded] from [depth][width]; missing columns are 0.
void pack(const Strided& from, std::int64_t depth, std::int64_t width, int padded, float* to) {
  for (std::int64_t r = 0; r < depth; ++r, to += padded) {
    const float* row = from.data + r * from.row;
    if (width == padded && from.column == 1 && padded == kRows) {  // a constant count: no call of memcpy
      for (int i = 0; i < kRows; ++i) to[i] = row[i];
    } else if (from.column == 1) {
      std::memcpy(to, row, static_cast<std::size_t>(width) * sizeof(float));
    } else {
      for (std::int64_t i = 0; i < width; ++i) to[i] = row[i * from.column];
    }
    for (std::int64_t i = width; i < padded; ++i) to[i] = 0.0F;
  }
}

std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

}  // namespace

void gemm(const Strided& a, const Strided& b, const RowMajor& c, const GemmShape& shape, bool add) {
  const std::int64_t m = shape.m, n = shape.n, k = shape.k, ldc = c.row;
  const std::int64_t panels = (n + kColumns - 1) / kColumns, blocks = (m + kRows - 1) / kRows;
  const auto packed_b = aligned_buffer(panels * kColumns * kDepth);
  const auto packed_a = aligned_buffer(kRows * kDepth);
  float edge[kRows * kColumns];
  for (std::int64_t first = 0; first < k || first == 0; first += kDepth) {
    const std::int64_t depth = least(kDepth, k - first);
    const bool onto = add || first > 0;
    for (std::int64_t panel = 0; panel < panels; ++panel) {
      const std::int64_t column = panel * kColumns;
      pack({b.data + first * b.row + column * b.column, b.row, b.column}, depth, least(kColumns, n - column), kColumns,
           packed_b.get() + panel * kColumns * kDepth);
    }
    for (std::int64_t block = 0; block < blocks; ++block) {
      const std::int64_t row = block * kRows, rows = least(kRows, m - row);
      // Turned: the sum runs along the columns of a.
      pack({a.data + row * a.row + first * a.column, a.column, a.row}, depth, rows, kRows, packed_a.get());
      for (std::int64_t panel = 0; panel < panels; ++panel) {
        const std::int64_t column = panel * kColumns, columns = least(kColumns, n - column);
        const float* from = packed_b.get() + panel * kColumns * kDepth;
        float* to = c.data + row * ldc + column;
        if (rows == kRows && columns == kColumns) {
          tile(packed_a.get(), from, to, ldc, depth, onto);
          continue;
        }
        // At the edges the tile is computed apart, so that nothing outside of c is touched.
        for (std::int64_t i = 0; onto && i < rows; ++i) {
          std::memcpy(edge + i * kColumns, to + i * ldc, static_cast<std::size_t>(columns) * sizeof(float));
        }
        tile(packed_a.get(), from, edge, kColumns, depth, onto);
        for (std::int64_t i = 0; i < rows; ++i) {
          std::memcpy(to + i * ldc, edge + i * kColumns, static_cast<std::size_t>(columns) * sizeof(float));
        }
      }
    }
  }
}

}  // namespace dis::cpu::DIS_CPU_VARIANT
