// Compiled once per instruction set, each time into a namespace of its own (DIS_CPU_VARIANT).
//
// One head of one lane at a time, in tiles of queries and blocks of keys that stay in the first-level cache; the
// soft-max runs along the keys with a running maximum ("FlashAttention-2", Dao 2023). Queries stand in the lanes of a
// vector, so scores, soft-max and sums over the keys need no sum across lanes. All five products are one small kernel,
// c (+)= a b with a's numbers broadcast and b's in lanes; where the processor multiplies bfloat16, two steps of depth
// at once (Pair). Padding is zero, so it adds nothing.
#include "attention.h"

#include <cmath>
#include <cstdlib>
#include <memory>
#include <type_traits>
#include <utility>

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

namespace dis::cpu::DIS_CPU_VARIANT {
namespace {

#include "arithmetic.h"

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
constexpr std::int64_t kKeys = 32;             // of a block; even
constexpr std::int64_t kQueries = 4 * kLanes;  // of a tile

using Vector = float __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

inline Vector read(const float* p) { return *reinterpret_cast<const Vector*>(p); }
inline void write(float* p, Vector x) { *reinterpret_cast<Vector*>(p) = x; }

std::int64_t padded(std::int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }
std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

/// Two steps of depth as bfloat16, the first one in the lower half.
struct Pair {
  std::uint32_t bits;
};

/// Steps of depth in an element of an operand.
template <class E>
constexpr std::int64_t kSteps = std::is_same_v<E, Pair> ? 2 : 1;

inline Vector lanes_of(const float* p) { return read(p); }
inline Vector multiply_add(Vector sum, float a, Vector b) { return sum + a * b; }

#ifdef __AVX512BF16__
inline __m512i lanes_of(const Pair* p) { return _mm512_loadu_si512(p); }
inline Vector multiply_add(Vector sum, Pair a, __m512i b) {
  const auto pairs = _mm512_set1_epi32(static_cast<std::int32_t>(a.bits));
  return __builtin_bit_cast(Vector, _mm512_dpbf16_ps(__builtin_bit_cast(__m512, sum), (__m512bh)pairs, (__m512bh)b));
}
using Halves = std::uint16_t __attribute__((vector_size(32), aligned(2), may_alias));
using Words = std::uint32_t __attribute__((vector_size(64), aligned(4), may_alias));
inline Halves rounded(const float* p) {
  return __builtin_bit_cast(Halves, _mm512_cvtneps_pbh(__builtin_bit_cast(__m512, read(p))));
}
#endif

/// A matrix of elements, its rows `row` elements apart.
template <class E>
struct Matrix {
  E* data;
  std::int64_t row;
  Matrix from_row(std::int64_t r) const { return {data + r * row, row}; }
  Matrix from_column(std::int64_t column) const { return {data + column, row}; }
};

/// c [R, V vectors] (+)= a [R, depth] b [depth, V vectors].
template <int R, int V, class E>
inline void product_tile(Matrix<E> a, Matrix<E> b, Matrix<float> c, std::int64_t depth, bool add) {
  Vector sums[R][V];
  for (int i = 0; i < R; ++i) {
    for (int v = 0; v < V; ++v) sums[i][v] = add ? read(c.data + i * c.row + v * kLanes) : Vector{};
  }
  for (std::int64_t d = 0; d < depth; ++d) {
    decltype(lanes_of(b.data)) columns[V];
    for (int v = 0; v < V; ++v) columns[v] = lanes_of(b.data + d * b.row + v * kLanes);
    for (int i = 0; i < R; ++i) {
      for (int v = 0; v < V; ++v) sums[i][v] = multiply_add(sums[i][v], a.data[i * a.row + d], columns[v]);
    }
  }
  for (int i = 0; i < R; ++i) {
    for (int v = 0; v < V; ++v) write(c.data + i * c.row + v * kLanes, sums[i][v]);
  }
}

template <int V, class E>
void product_strip(Matrix<E> a, Matrix<E> b, Matrix<float> c, std::int64_t rows, std::int64_t depth, bool add) {
  constexpr int R = V > 2 ? 4 : 8;  // sums that fill the registers
  std::int64_t i = 0;
  for (; i + R <= rows; i += R) product_tile<R, V>(a.from_row(i), b, c.from_row(i), depth, add);
  for (; i < rows; ++i) product_tile<1, V>(a.from_row(i), b, c.from_row(i), depth, add);
}

/// Of a product: depth in elements; columns a multiple of kLanes.
struct ProductShape {
  std::int64_t rows, columns, depth;
};

/// c [rows, columns] (+)= a [rows, depth] b [depth, columns].
template <class E>
void product(Matrix<E> a, Matrix<E> b, Matrix<float> c, const ProductShape& shape, bool add) {
  const std::int64_t rows = shape.rows, columns = shape.columns, depth = shape.depth;
  for (std::int64_t column = 0; column < columns; column += 4 * kLanes) {
    const auto right = b.from_column(column);
    const auto to = c.from_column(column);
    switch (least(4, (columns - column) / kLanes)) {
      case 1:
        product_strip<1>(a, right, to, rows, depth, add);
        break;
      case 2:
        product_strip<2>(a, right, to, rows, depth, add);
        break;
      case 3:
        product_strip<3>(a, right, to, rows, depth, add);
        break;
      default:
        product_strip<4>(a, right, to, rows, depth, add);
    }
  }
}

/// x [rows, columns] as the left operand, depth along the columns (a multiple of kLanes). `space` is for Pair alone.
inline Matrix<float> left(Matrix<float> x, std::int64_t, std::int64_t, float*) { return x; }
/// x [rows, columns] as the right operand, depth along the rows (even).
inline Matrix<float> right(Matrix<float> x, std::int64_t, std::int64_t, float*) { return x; }

#ifdef __AVX512BF16__
inline Matrix<Pair> left(Matrix<float> x, std::int64_t rows, std::int64_t columns, Pair* space) {
  const Matrix<Pair> to{space, columns / 2};
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t i = 0; i < columns; i += kLanes) {
      *reinterpret_cast<Halves*>(to.data + r * to.row + i / 2) = rounded(x.data + r * x.row + i);
    }
  }
  return to;
}
inline Matrix<Pair> right(Matrix<float> x, std::int64_t rows, std::int64_t columns, Pair* space) {
  const Matrix<Pair> to{space, columns};
  for (std::int64_t d = 0; d < rows / 2; ++d) {
    const float* first = x.data + 2 * d * x.row;
    for (std::int64_t i = 0; i < columns; i += kLanes) {
      const auto low = __builtin_convertvector(rounded(first + i), Words);
      const auto high = __builtin_convertvector(rounded(first + x.row + i), Words);
      *reinterpret_cast<Words*>(to.data + d * to.row + i) = low | (high << 16);
    }
  }
  return to;
}
#endif

/// A stage of turn_block: exchanges the upper right and lower left quarter of each 2 D x 2 D block.
template <int D, int... I>
inline void exchange(Vector* x, std::integer_sequence<int, I...>) {
  for (int i = 0; i < kLanes; ++i) {
    if ((i & D) != 0) continue;
    const Vector a = x[i], b = x[i + D];
    x[i] = __builtin_shufflevector(a, b, ((I & D) != 0 ? kLanes + I - D : I)...);
    x[i + D] = __builtin_shufflevector(a, b, ((I & D) != 0 ? kLanes + I : I + D)...);
  }
}

/// to [columns, rows] = from [rows, columns] turned; both multiples of kLanes.
void turn(Matrix<float> from, std::int64_t rows, std::int64_t columns, Matrix<float> to) {
  constexpr std::make_integer_sequence<int, kLanes> all{};
  for (std::int64_t r = 0; r < rows; r += kLanes) {
    for (std::int64_t column = 0; column < columns; column += kLanes) {
      Vector x[kLanes];
      for (int i = 0; i < kLanes; ++i) x[i] = read(from.data + (r + i) * from.row + column);
      exchange<1>(x, all);
      exchange<2>(x, all);
      if constexpr (kLanes > 4) exchange<4>(x, all);
      if constexpr (kLanes > 8) exchange<8>(x, all);
      for (int i = 0; i < kLanes; ++i) write(to.data + (column + i) * to.row + r, x[i]);
    }
  }
}

/// Scratch memory of one call.
class Scratch {
 public:
  explicit Scratch(std::int64_t bytes) : memory_(static_cast<char*>(std::aligned_alloc(64, size(bytes)))) {}
  template <class E>
  E* take(std::int64_t count) {
    auto* const p = reinterpret_cast<E*>(memory_.get() + used_);
    used_ += size(count * static_cast<std::int64_t>(sizeof(E)));
    return p;
  }
  Matrix<float> matrix(std::int64_t rows, std::int64_t columns) { return {take<float>(rows * columns), columns}; }

 private:
  static std::size_t size(std::int64_t bytes) { return (static_cast<std::size_t>(bytes) + 63) / 64 * 64; }
  struct Free {
    void operator()(char* p) const { std::free(p); }
  };
  std::unique_ptr<char[], Free> memory_;
  std::size_t used_ = 0;
};

/// The rotary tables of all positions (null: no rotation), and a factor.
struct Rotation {
  RotaryPointers tables;
  float factor;
};

/// to [padded S, padded h], zero-padded, from rows of h numbers `stride` apart, times the factor; rotated where there
/// are tables.
template <class T>
void gather(const T* from, std::int64_t stride, Rotation rotation, AttentionShape shape, Matrix<float> to) {
  const std::int64_t half = shape.head / 2;
  for (std::int64_t s = 0; s < padded(shape.positions); ++s, from += stride) {
    float* row = to.data + s * to.row;
    std::int64_t done = 0;
    if (s < shape.positions) {
      done = shape.head;
      if (rotation.tables.cos != nullptr) {
        const float *c = rotation.tables.cos + s * half, *n = rotation.tables.sin + s * half;
#pragma omp simd
        for (std::int64_t i = 0; i < half; ++i) {
          const float first = load(from[i]) * rotation.factor, second = load(from[i + half]) * rotation.factor;
          row[i] = first * c[i] - second * n[i];
          row[i + half] = second * c[i] + first * n[i];
        }
      } else {
#pragma omp simd
        for (std::int64_t i = 0; i < shape.head; ++i) row[i] = load(from[i]) * rotation.factor;
      }
    }
    for (; done < to.row; ++done) row[done] = 0.0F;
  }
}

/// Writes the positions of a gradient, from [.., padded h], to rows of h numbers `stride` apart, times the factor;
/// the rotation undone where there are tables.
template <class T>
void scatter(Matrix<float> from, Share positions, Rotation rotation, AttentionShape shape, T* to, std::int64_t stride) {
  const std::int64_t half = shape.head / 2;
  for (std::int64_t s = positions.first; s < positions.last; ++s) {
    const float* row = from.data + (s - positions.first) * from.row;
    T* target = to + s * stride;
    if (rotation.tables.cos != nullptr) {
      const float *c = rotation.tables.cos + s * half, *n = rotation.tables.sin + s * half;
#pragma omp simd
      for (std::int64_t i = 0; i < half; ++i) {
        const float a = row[i] * rotation.factor, b = row[i + half] * rotation.factor;
        store(target[i], a * c[i] + b * n[i]);
        store(target[i + half], b * c[i] - a * n[i]);
      }
    } else {
#pragma omp simd
      for (std::int64_t i = 0; i < shape.head; ++i) store(target[i], row[i] * rotation.factor);
    }
  }
}

/// Numbers of a head of q, k or v (`part` 0, 1, 2): rows 3 H h apart.
template <class T>
T* head_of(T* qkv, int part, std::int64_t unit, AttentionShape shape) {
  const std::int64_t width = shape.heads * shape.head;
  return qkv + unit / shape.heads * shape.positions * 3 * width + part * width + unit % shape.heads * shape.head;
}
/// Of [B, S, H, h]: rows H h apart.
template <class T>
T* head_of(T* x, std::int64_t unit, AttentionShape shape) {
  const std::int64_t width = shape.heads * shape.head;
  return x + unit / shape.heads * shape.positions * width + unit % shape.heads * shape.head;
}

/// Turns scores [n, lanes] of a block of keys into weights exp(score - highest), and brings the sums up to date.
/// `change`: what earlier sums were multiplied with, as the highest score grew.
void weigh(float* scores, std::int64_t row, std::int64_t n, float* highest, float* sum, float* change) {
  float top[kLanes], total[kLanes];
#pragma omp simd
  for (int lane = 0; lane < kLanes; ++lane) top[lane] = highest[lane];
  for (std::int64_t j = 0; j < n; ++j) {
#pragma omp simd
    for (int lane = 0; lane < kLanes; ++lane) {
      const float x = scores[j * row + lane];
      top[lane] = x > top[lane] ? x : top[lane];
    }
  }
#pragma omp simd
  for (int lane = 0; lane < kLanes; ++lane) {
    change[lane] = exp_of(highest[lane] - top[lane]);
    total[lane] = sum[lane] * change[lane];
    highest[lane] = top[lane];
  }
  for (std::int64_t j = 0; j < n; ++j) {
#pragma omp simd
    for (int lane = 0; lane < kLanes; ++lane) {
      const float e = exp_of(scores[j * row + lane] - top[lane]);
      scores[j * row + lane] = e;
      total[lane] += e;
    }
  }
#pragma omp simd
  for (int lane = 0; lane < kLanes; ++lane) sum[lane] = total[lane];
}

void clear_rows(Matrix<float> x, Share rows, std::int64_t columns) {
  for (std::int64_t r = rows.first; r < rows.last; ++r) {
    for (std::int64_t i = 0; i < columns; ++i) x.data[r * x.row + i] = 0.0F;
  }
}
/// A row of zeros behind n rows, where a pair would else take in what does not belong to it.
void even_out(Matrix<float> x, std::int64_t n, std::int64_t columns) { clear_rows(x, {n, n + n % 2}, columns); }

template <class T, class E>
void forward_of(const AttentionPointers<T>& pointers, const RotaryPointers& rotary, AttentionShape shape, Share units) {
  const std::int64_t S = shape.positions, h = shape.head, rows = padded(S), wide = padded(h), width = shape.heads * h;
  constexpr std::int64_t steps = kSteps<E>;
  const Rotation turned{rotary, 1.0F}, plain{{}, 1.0F};
  const Rotation scaled{rotary, 1.0F / std::sqrt(static_cast<float>(h))};
  Scratch scratch(4 * (6 * rows * wide + 4 * wide * kQueries + 3 * kKeys * kQueries + 4 * kQueries) + 4096);
  const auto q = scratch.matrix(rows, wide), k = scratch.matrix(rows, wide), v = scratch.matrix(rows, wide);
  const auto turned_v = scratch.matrix(wide, rows), tile = scratch.matrix(wide, kQueries);
  const auto sums = scratch.matrix(wide, kQueries), p = scratch.matrix(kKeys, kQueries);
  const auto answer = scratch.matrix(kQueries, wide);
  auto* const space_k = scratch.take<E>(rows * wide / steps);
  auto* const space_v = scratch.take<E>(rows * wide / steps);
  auto* const space_q = scratch.take<E>(wide * kQueries / steps);
  auto* const space_p = scratch.take<E>(kKeys * kQueries / steps);
  auto* const highest = scratch.take<float>(kQueries);
  auto* const sum = scratch.take<float>(kQueries);
  auto* const change = scratch.take<float>(kQueries);
  for (std::int64_t unit = units.first; unit < units.last; ++unit) {
    gather(head_of(pointers.qkv, 0, unit, shape), 3 * width, scaled, shape, q);
    gather(head_of(pointers.qkv, 1, unit, shape), 3 * width, turned, shape, k);
    gather(head_of(pointers.qkv, 2, unit, shape), 3 * width, plain, shape, v);
    turn(v, rows, wide, turned_v);
    const auto keys = left(k, rows, wide, space_k);           // [S, h]
    const auto values = left(turned_v, wide, rows, space_v);  // [h, S]
    for (std::int64_t query = 0; query < S; query += kQueries) {
      const std::int64_t lanes = least(kQueries, rows - query);
      turn(q.from_row(query), lanes, wide, tile);
      const auto queries = right(tile, wide, lanes, space_q);  // [h, lanes]
      for (std::int64_t i = 0; i < lanes; ++i) {
        highest[i] = -1e30F;
        sum[i] = 0.0F;
      }
      for (std::int64_t key = 0; key < S; key += kKeys) {
        const std::int64_t n = least(kKeys, S - key);
        product(keys.from_row(key), queries, p, {n, lanes, h / steps}, false);
        for (std::int64_t i = 0; i < lanes; i += kLanes) weigh(p.data + i, p.row, n, highest + i, sum + i, change + i);
        for (std::int64_t r = 0; key > 0 && r < h; ++r) {
          float* to = sums.data + r * sums.row;
#pragma omp simd
          for (std::int64_t i = 0; i < lanes; ++i) to[i] *= change[i];
        }
        even_out(p, n, lanes);
        product(values.from_column(key / steps), right(p, n + n % 2, lanes, space_p), sums,
                {h, lanes, (n + steps - 1) / steps}, key > 0);
      }
      for (std::int64_t r = 0; r < wide; ++r) {
        float* to = sums.data + r * sums.row;
#pragma omp simd
        for (std::int64_t i = 0; i < lanes; ++i) to[i] = r < h ? to[i] / sum[i] : 0.0F;
      }
      turn(sums, wide, lanes, answer);
      const std::int64_t end = least(query + lanes, S);
      scatter(answer, {query, end}, plain, shape, head_of(pointers.out, unit, shape), width);
      float* const lse = pointers.lse + unit * S;
      for (std::int64_t s = query; s < end; ++s) lse[s] = highest[s - query] + std::log(sum[s - query]);
    }
  }
}

/// sums [rows] of a's numbers times b's.
void row_products(Matrix<float> a, Matrix<float> b, std::int64_t rows, float* sums) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const float *x = a.data + r * a.row, *y = b.data + r * b.row;
    float dot = 0.0F;
#pragma omp simd reduction(+ : dot)
    for (std::int64_t i = 0; i < a.row; ++i) dot += x[i] * y[i];
    sums[r] = dot;
  }
}

/// Turns scores [n, lanes] of a block of keys into weights again, and the gradients of the weights into those of the
/// scores.
void weigh_back(Matrix<float> scores, Matrix<float> gradients, std::int64_t n, std::int64_t lanes, const float* log_sum,
                const float* delta) {
  for (std::int64_t j = 0; j < n; ++j) {
    float *weight = scores.data + j * scores.row, *gradient = gradients.data + j * gradients.row;
#pragma omp simd
    for (std::int64_t i = 0; i < lanes; ++i) {
      weight[i] = exp_of(weight[i] - log_sum[i]);
      gradient[i] = weight[i] * (gradient[i] - delta[i]);
    }
  }
}

template <class T, class E>
void backward_of(const AttentionBackwardPointers<T>& pointers, const RotaryPointers& rotary, AttentionShape shape,
                 Share units) {
  const std::int64_t S = shape.positions, h = shape.head, rows = padded(S), wide = padded(h), width = shape.heads * h;
  constexpr std::int64_t steps = kSteps<E>;
  const float scale = 1.0F / std::sqrt(static_cast<float>(h));
  const Rotation turned{rotary, 1.0F}, scaled{rotary, scale}, plain{{}, 1.0F};
  Scratch scratch(4 * (10 * rows * wide + 10 * wide * kQueries + 6 * kKeys * kQueries + 2 * rows) + 8192);
  const auto q = scratch.matrix(rows, wide), k = scratch.matrix(rows, wide), v = scratch.matrix(rows, wide),
             d = scratch.matrix(rows, wide), dk = scratch.matrix(rows, wide), dv = scratch.matrix(rows, wide);
  const auto turned_k = scratch.matrix(wide, rows), q_tile = scratch.matrix(wide, kQueries),
             d_tile = scratch.matrix(wide, kQueries), dq_tile = scratch.matrix(wide, kQueries),
             dq = scratch.matrix(kQueries, wide);
  const auto p = scratch.matrix(kKeys, kQueries), ds = scratch.matrix(kKeys, kQueries);
  auto* const delta = scratch.take<float>(rows);
  auto* const log_sum = scratch.take<float>(rows);
  const auto space = [&](std::int64_t numbers) { return scratch.take<E>(numbers / steps); };
  E *const space_k = space(rows * wide), *const space_v = space(rows * wide), *const space_turned = space(rows * wide);
  E *const space_q = space(wide * kQueries), *const space_d = space(wide * kQueries),
           *const space_q_rows = space(wide * kQueries), *const space_d_rows = space(wide * kQueries);
  E *const space_p = space(kKeys * kQueries), *const space_ds = space(kKeys * kQueries);
  for (std::int64_t unit = units.first; unit < units.last; ++unit) {
    gather(head_of(pointers.out, unit, shape), width, plain, shape, q);  // for delta; q comes later
    gather(head_of(pointers.dout, unit, shape), width, plain, shape, d);
    row_products(d, q, rows, delta);
    for (std::int64_t s = 0; s < rows; ++s) log_sum[s] = s < S ? pointers.lse[unit * S + s] : 0.0F;
    gather(head_of(pointers.qkv, 0, unit, shape), 3 * width, scaled, shape, q);
    gather(head_of(pointers.qkv, 1, unit, shape), 3 * width, turned, shape, k);
    gather(head_of(pointers.qkv, 2, unit, shape), 3 * width, plain, shape, v);
    turn(k, rows, wide, turned_k);
    const auto keys = left(k, rows, wide, space_k);                     // [S, h]
    const auto values = left(v, rows, wide, space_v);                   // [S, h]
    const auto keys_turned = left(turned_k, wide, rows, space_turned);  // [h, S]
    for (std::int64_t query = 0; query < S; query += kQueries) {
      const std::int64_t lanes = least(kQueries, rows - query);
      turn(q.from_row(query), lanes, wide, q_tile);
      turn(d.from_row(query), lanes, wide, d_tile);
      const auto queries = right(q_tile, wide, lanes, space_q);                     // [h, lanes]
      const auto douts = right(d_tile, wide, lanes, space_d);                       // [h, lanes]
      const auto query_rows = right(q.from_row(query), lanes, wide, space_q_rows);  // [lanes, h]
      const auto dout_rows = right(d.from_row(query), lanes, wide, space_d_rows);   // [lanes, h]
      for (std::int64_t key = 0; key < S; key += kKeys) {
        const std::int64_t n = least(kKeys, S - key);
        product(keys.from_row(key), queries, p, {n, lanes, h / steps}, false);
        product(values.from_row(key), douts, ds, {n, lanes, h / steps}, false);
        weigh_back(p, ds, n, lanes, log_sum + query, delta + query);
        even_out(ds, n, lanes);
        product(keys_turned.from_column(key / steps), right(ds, n + n % 2, lanes, space_ds), dq_tile,
                {h, lanes, (n + steps - 1) / steps}, key > 0);
        product(left(p, n, lanes, space_p), dout_rows, dv.from_row(key), {n, wide, lanes / steps}, query > 0);
        product(left(ds, n, lanes, space_ds), query_rows, dk.from_row(key), {n, wide, lanes / steps}, query > 0);
      }
      clear_rows(dq_tile, {h, wide}, lanes);
      turn(dq_tile, wide, lanes, dq);
      scatter(dq, {query, least(query + lanes, S)}, scaled, shape, head_of(pointers.dqkv, 0, unit, shape), 3 * width);
    }
    scatter(dk, {0, S}, turned, shape, head_of(pointers.dqkv, 1, unit, shape), 3 * width);
    scatter(dv, {0, S}, plain, shape, head_of(pointers.dqkv, 2, unit, shape), 3 * width);
  }
}

/// What the products of a head are made with.
#ifdef __AVX512BF16__
template <class T>
using Element = std::conditional_t<std::is_same_v<T, Bf16>, Pair, float>;
#else
template <class T>
using Element = float;
#endif

}  // namespace

template <class T>
const AttentionKernels<T>& attention_table() {
  static const AttentionKernels<T> both{forward_of<T, Element<T>>, backward_of<T, Element<T>>};
  return both;
}
template const AttentionKernels<float>& attention_table<float>();
template const AttentionKernels<Bf16>& attention_table<Bf16>();

}  // namespace dis::cpu::DIS_CPU_VARIANT
