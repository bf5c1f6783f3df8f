// Compiled once per instruction set, each time into a namespace of its own (DIS_CPU_VARIANT).
//
// Queries stand in the lanes of a vector, so scores, soft-max and sums over the keys need no sum across lanes. Matrices
// of one head, padded with zeros: q, dout, out transposed as [h][Sp]; k, v as [S][h] for broadcasts; probabilities and
// their gradients as [S keys][Sp queries].
#include "attention.h"

#include <cmath>
#include <cstdlib>
#include <memory>

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
using Vector = float __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

inline Vector read(const float* p) { return *reinterpret_cast<const Vector*>(p); }
inline void write(float* p, Vector x) { *reinterpret_cast<Vector*>(p) = x; }

std::int64_t padded(std::int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

/// Scratch memory of one call.
class Scratch {
 public:
  explicit Scratch(std::int64_t numbers)
      : memory_(static_cast<float*>(std::aligned_alloc(64, (static_cast<std::size_t>(numbers) * 4 + 63) / 64 * 64))) {
    for (std::int64_t i = 0; i < numbers; ++i) memory_.get()[i] = 0.0F;
  }
  float* take(std::int64_t numbers) {
    float* const p = memory_.get() + used_;
    used_ += numbers;
    return p;
  }

 private:
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::unique_ptr<float[], Free> memory_;
  std::int64_t used_ = 0;
};

/// One head of q, k or v (`part` 0, 1, 2) as rows [S][row] (`turned`: [h][row]), q and k rotated.
template <class T>
void gather(const T* qkv, const float* cos, const float* sin, int part, std::int64_t unit, AttentionShape shape,
            float* to, std::int64_t row, bool turned) {
  const std::int64_t half = shape.head / 2, width = shape.heads * shape.head;
  const T* from =
      qkv + unit / shape.heads * shape.positions * 3 * width + part * width + unit % shape.heads * shape.head;
  for (std::int64_t s = 0; s < shape.positions; ++s, from += 3 * width) {
    for (std::int64_t i = 0; i < half; ++i) {
      float first = load(from[i]), second = load(from[i + half]);
      if (part < 2) {
        const float c = cos[s * half + i], n = sin[s * half + i], old = first;
        first = old * c - second * n;
        second = second * c + old * n;
      }
      (turned ? to[i * row + s] : to[s * row + i]) = first;
      (turned ? to[(i + half) * row + s] : to[s * row + i + half]) = second;
    }
  }
}

/// The same of [B, S, H, h] without rotation, always turned.
template <class T>
void gather_turned(const T* x, std::int64_t unit, AttentionShape shape, float* to, std::int64_t row) {
  const std::int64_t width = shape.heads * shape.head;
  const T* from = x + unit / shape.heads * shape.positions * width + unit % shape.heads * shape.head;
  for (std::int64_t s = 0; s < shape.positions; ++s, from += width) {
    for (std::int64_t i = 0; i < shape.head; ++i) to[i * row + s] = load(from[i]);
  }
}

/// Scatters a gradient [S][row] (`turned`: [h][row]) into dqkv, undoing the rotation of q and k.
template <class T>
void scatter(const float* from, std::int64_t row, bool turned, const float* cos, const float* sin, int part,
             std::int64_t unit, AttentionShape shape, T* dqkv) {
  const std::int64_t half = shape.head / 2, width = shape.heads * shape.head;
  T* to = dqkv + unit / shape.heads * shape.positions * 3 * width + part * width + unit % shape.heads * shape.head;
  for (std::int64_t s = 0; s < shape.positions; ++s, to += 3 * width) {
    for (std::int64_t i = 0; i < half; ++i) {
      float first = turned ? from[i * row + s] : from[s * row + i];
      float second = turned ? from[(i + half) * row + s] : from[s * row + i + half];
      if (part < 2) {
        const float c = cos[s * half + i], n = sin[s * half + i], old = first;
        first = old * c + second * n;
        second = second * c - old * n;
      }
      store(to[i], first);
      store(to[i + half], second);
    }
  }
}

/// to[j] [row] = sum over r of broadcast[j][r] lanes[r], for one vector of lanes and all keys j, four at a time.
/// H: head size, 0 when not known at compile time.
template <int H>
void dots(const float* broadcast, const float* lanes, std::int64_t row, std::int64_t keys, std::int64_t head,
          float* to) {
  const std::int64_t h = H > 0 ? H : head;
  std::int64_t j = 0;
  for (; j + 4 <= keys; j += 4) {
    const float* b = broadcast + j * h;
    Vector s0{}, s1{}, s2{}, s3{};
    for (std::int64_t r = 0; r < h; ++r) {
      const Vector x = read(lanes + r * row);
      s0 += b[r] * x;
      s1 += b[h + r] * x;
      s2 += b[2 * h + r] * x;
      s3 += b[3 * h + r] * x;
    }
    write(to + j * row, s0);
    write(to + (j + 1) * row, s1);
    write(to + (j + 2) * row, s2);
    write(to + (j + 3) * row, s3);
  }
  for (; j < keys; ++j) {
    Vector s{};
    for (std::int64_t r = 0; r < h; ++r) s += broadcast[j * h + r] * read(lanes + r * row);
    write(to + j * row, s);
  }
}

/// to[r] [row] = sum over keys j of broadcast[j][r] lanes[j] [row], for one vector of lanes, four r at a time.
template <int H>
void mix(const float* broadcast, const float* lanes, std::int64_t row, std::int64_t keys, std::int64_t head,
         float* to) {
  const std::int64_t h = H > 0 ? H : head;
  std::int64_t r = 0;
  for (; r + 4 <= h; r += 4) {
    Vector s0{}, s1{}, s2{}, s3{};
    for (std::int64_t j = 0; j < keys; ++j) {
      const Vector x = read(lanes + j * row);
      const float* b = broadcast + j * h + r;
      s0 += b[0] * x;
      s1 += b[1] * x;
      s2 += b[2] * x;
      s3 += b[3] * x;
    }
    write(to + r * row, s0);
    write(to + (r + 1) * row, s1);
    write(to + (r + 2) * row, s2);
    write(to + (r + 3) * row, s3);
  }
  for (; r < h; ++r) {
    Vector s{};
    for (std::int64_t j = 0; j < keys; ++j) s += broadcast[j * h + r] * read(lanes + j * row);
    write(to + r * row, s);
  }
}

/// to [S][wide] = weights [S][row] times rows [S][wide], four keys at a time; wide a multiple of kLanes.
void gather_sums(const float* weights, std::int64_t row, const float* rows, std::int64_t wide, std::int64_t count,
                 float* to) {
  for (std::int64_t column = 0; column < wide; column += kLanes) {
    std::int64_t j = 0;
    for (; j + 4 <= count; j += 4) {
      const float* w = weights + j * row;
      Vector s0{}, s1{}, s2{}, s3{};
      for (std::int64_t i = 0; i < count; ++i) {
        const Vector x = read(rows + i * wide + column);
        s0 += w[i] * x;
        s1 += w[row + i] * x;
        s2 += w[2 * row + i] * x;
        s3 += w[3 * row + i] * x;
      }
      write(to + j * wide + column, s0);
      write(to + (j + 1) * wide + column, s1);
      write(to + (j + 2) * wide + column, s2);
      write(to + (j + 3) * wide + column, s3);
    }
    for (; j < count; ++j) {
      Vector s{};
      for (std::int64_t i = 0; i < count; ++i) s += weights[j * row + i] * read(rows + i * wide + column);
      write(to + j * wide + column, s);
    }
  }
}

/// rows [S][wide] from turned [h][row].
void turn(const float* turned, std::int64_t row, AttentionShape shape, float* to, std::int64_t wide) {
  for (std::int64_t r = 0; r < shape.head; ++r) {
    for (std::int64_t s = 0; s < shape.positions; ++s) to[s * wide + r] = turned[r * row + s];
  }
}

template <class T, int H>
void forward_of(const T* qkv, const float* cos, const float* sin, T* out, float* lse, std::int64_t first,
                std::int64_t last, AttentionShape shape) {
  const std::int64_t S = shape.positions, h = shape.head, row = padded(S), width = shape.heads * h;
  const float scale = 1.0F / std::sqrt(static_cast<float>(h));
  Scratch scratch(2 * h * row + 2 * S * h + S * row);
  float *q = scratch.take(h * row), *result = scratch.take(h * row), *k = scratch.take(S * h), *v = scratch.take(S * h),
        *p = scratch.take(S * row);
  for (std::int64_t unit = first; unit < last; ++unit) {
    gather(qkv, cos, sin, 0, unit, shape, q, row, true);
    gather(qkv, cos, sin, 1, unit, shape, k, h, false);
    gather(qkv, cos, sin, 2, unit, shape, v, h, false);
    for (std::int64_t i = 0; i < row; i += kLanes) {
      dots<H>(k, q + i, row, S, h, p + i);
      float highest[kLanes], sum[kLanes];
      for (int lane = 0; lane < kLanes; ++lane) {
        highest[lane] = p[i + lane];
        sum[lane] = 0.0F;
      }
      for (std::int64_t j = 1; j < S; ++j) {
#pragma omp simd
        for (int lane = 0; lane < kLanes; ++lane) {
          const float x = p[j * row + i + lane];
          highest[lane] = x > highest[lane] ? x : highest[lane];
        }
      }
      for (std::int64_t j = 0; j < S; ++j) {
#pragma omp simd
        for (int lane = 0; lane < kLanes; ++lane) {
          const float e = exp_of((p[j * row + i + lane] - highest[lane]) * scale);
          p[j * row + i + lane] = e;
          sum[lane] += e;
        }
      }
      mix<H>(v, p + i, row, S, h, result + i);
      for (std::int64_t r = 0; r < h; ++r) {
#pragma omp simd
        for (int lane = 0; lane < kLanes; ++lane) result[r * row + i + lane] /= sum[lane];
      }
      for (std::int64_t lane = 0; lane < kLanes && i + lane < S; ++lane) {
        lse[unit * S + i + lane] = highest[lane] * scale + std::log(sum[lane]);
      }
    }
    T* to = out + unit / shape.heads * S * width + unit % shape.heads * h;
    for (std::int64_t s = 0; s < S; ++s, to += width) {
      for (std::int64_t r = 0; r < h; ++r) store(to[r], result[r * row + s]);
    }
  }
}

template <class T, int H>
void backward_of(const T* dout, const T* out, const T* qkv, const float* lse, const float* cos, const float* sin,
                 T* dqkv, std::int64_t first, std::int64_t last, AttentionShape shape) {
  const std::int64_t S = shape.positions, h = shape.head, row = padded(S), wide = padded(h);
  const float scale = 1.0F / std::sqrt(static_cast<float>(h));
  Scratch scratch(4 * h * row + 2 * S * h + 2 * S * row + 3 * S * wide + 2 * row);
  float *q = scratch.take(h * row), *d = scratch.take(h * row), *o = scratch.take(h * row), *dq = scratch.take(h * row);
  float *k = scratch.take(S * h), *v = scratch.take(S * h), *p = scratch.take(S * row), *ds = scratch.take(S * row);
  float *q_rows = scratch.take(S * wide), *d_rows = scratch.take(S * wide), *sums = scratch.take(S * wide);
  float *delta = scratch.take(row), *log_sum = scratch.take(row);
  for (std::int64_t unit = first; unit < last; ++unit) {
    gather(qkv, cos, sin, 0, unit, shape, q, row, true);
    gather(qkv, cos, sin, 1, unit, shape, k, h, false);
    gather(qkv, cos, sin, 2, unit, shape, v, h, false);
    gather_turned(dout, unit, shape, d, row);
    gather_turned(out, unit, shape, o, row);
    for (std::int64_t s = 0; s < S; ++s) {
      delta[s] = 0.0F;
      log_sum[s] = lse[unit * S + s];
    }
    for (std::int64_t r = 0; r < h; ++r) {
#pragma omp simd
      for (std::int64_t s = 0; s < S; ++s) delta[s] += d[r * row + s] * o[r * row + s];
    }
    for (std::int64_t i = 0; i < row; i += kLanes) {
      dots<H>(k, q + i, row, S, h, p + i);
      dots<H>(v, d + i, row, S, h, ds + i);
      for (std::int64_t j = 0; j < S; ++j) {
#pragma omp simd
        for (int lane = 0; lane < kLanes; ++lane) {
          const std::int64_t at = j * row + i + lane;
          p[at] = exp_of(p[at] * scale - log_sum[i + lane]);
          ds[at] = p[at] * (ds[at] - delta[i + lane]) * scale;
        }
      }
      mix<H>(k, ds + i, row, S, h, dq + i);
    }
    turn(q, row, shape, q_rows, wide);
    turn(d, row, shape, d_rows, wide);
    scatter(dq, row, true, cos, sin, 0, unit, shape, dqkv);
    gather_sums(ds, row, q_rows, wide, S, sums);
    scatter(sums, wide, false, cos, sin, 1, unit, shape, dqkv);
    gather_sums(p, row, d_rows, wide, S, sums);
    scatter(sums, wide, false, cos, sin, 2, unit, shape, dqkv);
  }
}

template <class T>
void forward(const T* qkv, const float* cos, const float* sin, T* out, float* lse, std::int64_t first,
             std::int64_t last, AttentionShape shape) {
  const auto f = shape.head == 8    ? forward_of<T, 8>
                 : shape.head == 16 ? forward_of<T, 16>
                 : shape.head == 32 ? forward_of<T, 32>
                 : shape.head == 64 ? forward_of<T, 64>
                                    : forward_of<T, 0>;
  f(qkv, cos, sin, out, lse, first, last, shape);
}

template <class T>
void backward(const T* dout, const T* out, const T* qkv, const float* lse, const float* cos, const float* sin, T* dqkv,
              std::int64_t first, std::int64_t last, AttentionShape shape) {
  const auto f = shape.head == 8    ? backward_of<T, 8>
                 : shape.head == 16 ? backward_of<T, 16>
                 : shape.head == 32 ? backward_of<T, 32>
                 : shape.head == 64 ? backward_of<T, 64>
                                    : backward_of<T, 0>;
  f(dout, out, qkv, lse, cos, sin, dqkv, first, last, shape);
}

}  // namespace

template <class T>
const AttentionKernels<T>& attention_table() {
  static const AttentionKernels<T> both{forward<T>, backward<T>};
  return both;
}
template const AttentionKernels<float>& attention_table<float>();
template const AttentionKernels<Bf16>& attention_table<Bf16>();

}  // namespace dis::cpu::DIS_CPU_VARIANT
