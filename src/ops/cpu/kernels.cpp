// Compiled once per instruction set, each time into a namespace of its own (DIS_CPU_VARIANT).
#include "kernels.h"

#include <cmath>
#include <cstring>

#define DIS_SIMD _Pragma("omp simd")
#define DIS_SIMD_SUM(x) _Pragma(DIS_STRING(omp simd reduction(+ : x)))
#define DIS_STRING(x) #x

namespace dis::cpu::DIS_CPU_VARIANT {
namespace {

#include "arithmetic.h"

/// atan2(y, x) for x >= 0, to about 2 ulp; atan2(0, 0) = 0; a NaN stays one.
inline float atan2_right(float y, float x) {
  const float t = y < 0.0F ? -y : y;
  const bool steep = t > x;
  const float q = steep ? x / t : (x > 0.0F ? t / x : 0.0F);  // in [0, 1]
  const bool upper = q > 0.41421356237F;                      // tan(pi / 8)
  const float r = upper ? (q - 1.0F) / (q + 1.0F) : q;
  const float z = r * r;
  float p = 8.05374449538e-2F;
  p = p * z - 1.38776856032e-1F;
  p = p * z + 1.99777106478e-1F;
  p = p * z - 3.33329491539e-1F;
  float angle = p * z * r + r + (upper ? 0.78539816339744831F : 0.0F);
  angle = steep ? 1.57079632679489662F - angle : angle;
  angle = y < 0.0F ? -angle : angle;
  return y + x != y + x ? y + x : angle;
}

template <class T>
void add_rms_norm(const AddRmsNormPointers<T>& p, std::int64_t width, float eps, Share rows) {
  for (std::int64_t row = rows.first; row < rows.last; ++row) {
    const T *a = p.a + row * width, *b = p.b + row * width;
    T* y = p.y + row * width;
    float sum = 0.0F;
    DIS_SIMD_SUM(sum)
    for (std::int64_t i = 0; i < width; ++i) {
      const float x = load(a[i]) + load(b[i]);
      sum += x * x;
    }
    const float scale = 1.0F / std::sqrt(sum / static_cast<float>(width) + eps);
    p.rstd[row] = scale;
    DIS_SIMD
    for (std::int64_t i = 0; i < width; ++i) store(y[i], (load(a[i]) + load(b[i])) * scale);
  }
}

template <class T>
void rms_norm_backward(const RmsNormBackwardPointers<T>& p, std::int64_t width, Share rows) {
  for (std::int64_t row = rows.first; row < rows.last; ++row) {
    const T *dy = p.dy + row * width, *y = p.y + row * width;
    T* dx = p.dx + row * width;
    float dot = 0.0F;
    DIS_SIMD_SUM(dot)
    for (std::int64_t i = 0; i < width; ++i) dot += load(dy[i]) * load(y[i]);
    const float mean = dot / static_cast<float>(width);
    const float scale = p.rstd[row];
    DIS_SIMD
    for (std::int64_t i = 0; i < width; ++i) store(dx[i], scale * (load(dy[i]) - load(y[i]) * mean));
  }
}

template <class T>
void swiglu(const T* gate_up, T* out, std::int64_t inner, Share rows) {
  gate_up += rows.first * 2 * inner;
  out += rows.first * inner;
  for (std::int64_t row = rows.first; row < rows.last; ++row, gate_up += 2 * inner, out += inner) {
    DIS_SIMD
    for (std::int64_t i = 0; i < inner; ++i) {
      const float gate = load(gate_up[i]);
      store(out[i], gate / (1.0F + exp_of(-gate)) * load(gate_up[i + inner]));
    }
  }
}

template <class T>
void swiglu_backward(const T* gate_up, const T* dout, T* dgate_up, std::int64_t inner, Share rows) {
  gate_up += rows.first * 2 * inner;
  dout += rows.first * inner;
  dgate_up += rows.first * 2 * inner;
  for (std::int64_t row = rows.first; row < rows.last;
       ++row, gate_up += 2 * inner, dout += inner, dgate_up += 2 * inner) {
    DIS_SIMD
    for (std::int64_t i = 0; i < inner; ++i) {
      const float gate = load(gate_up[i]);
      const float up = load(gate_up[i + inner]);
      const float d = load(dout[i]);
      const float sigmoid = 1.0F / (1.0F + exp_of(-gate));
      store(dgate_up[i], d * up * sigmoid * (1.0F + gate * (1.0F - sigmoid)));
      store(dgate_up[i + inner], d * gate * sigmoid);
    }
  }
}

template <class T>
void add3(const T* a, const T* b, const T* c, T* out, Share elements) {
  DIS_SIMD
  for (std::int64_t i = elements.first; i < elements.last; ++i) store(out[i], load(a[i]) + (load(b[i]) + load(c[i])));
}

/// One lane.
template <class T>
void embed_lane(const EmbedPointers& p, T* x, const EmbedShape& shape, float scale, std::int64_t lane) {
  const std::int64_t positions = shape.puzzle_positions + shape.length, width = shape.width;
  const std::int32_t* tokens = p.tokens + lane * shape.length;
  const float* puzzle = p.puzzle != nullptr ? p.puzzle + lane * shape.numbers : nullptr;
  const float* time = p.steps != nullptr ? p.time + static_cast<std::int64_t>(p.steps[lane]) * width : nullptr;
  x += lane * positions * width;
  for (std::int64_t s = 0; s < positions; ++s, x += width) {
    const bool is_token = s >= shape.puzzle_positions;
    const float* row = is_token ? p.table + static_cast<std::int64_t>(tokens[s - shape.puzzle_positions]) * width
                                : (puzzle != nullptr ? puzzle + s * width : nullptr);
    std::int64_t numbers = width;  // how many of them exist; the rest is zero padding
    if (!is_token) {
      numbers = row == nullptr ? 0 : shape.numbers - s * width;
      numbers = numbers < 0 ? 0 : (numbers > width ? width : numbers);
    }
    for (std::int64_t i = 0; i < width; ++i) {
      const float base = i < numbers ? row[i] : 0.0F;
      store(x[i], scale * (base + (time != nullptr ? time[i] : 0.0F)));
    }
  }
}

template <class T>
void embed(const EmbedPointers& p, T* x, const EmbedShape& shape, float scale, Share lanes) {
  for (std::int64_t lane = lanes.first; lane < lanes.last; ++lane) embed_lane(p, x, shape, scale, lane);
}

/// In pieces: first the random numbers, then what is made of them, each in a loop that vectorises.
template <class T>
void add_draws(const DrawPointers<T>& p, const DrawShape& shape, Share rows) {
  constexpr std::int64_t kBlocks = 64;
  std::uint32_t random[4 * kBlocks];
  const std::int64_t blocks = (shape.numbers + 3) / 4;
  for (std::int64_t row = rows.first; row < rows.last; ++row) {
    const auto key = static_cast<std::uint64_t>(p.keys[row]);
    const std::uint32_t low = static_cast<std::uint32_t>(key), high = static_cast<std::uint32_t>(key >> 32);
    const std::uint32_t when = static_cast<std::uint32_t>(p.steps[row]) << 16 | shape.place;
    for (std::int64_t block = 0; block < blocks; block += kBlocks) {
      const std::int64_t first = row * shape.numbers + 4 * block;
      const std::int64_t rest = shape.numbers - 4 * block, count = rest < 4 * kBlocks ? rest : 4 * kBlocks;
      DIS_SIMD
      for (std::int64_t i = 0; i < kBlocks; ++i) {
        const auto drawn =
            philox_block({{static_cast<std::uint32_t>(block + i), when, low, high}}, shape.key0, shape.key1);
        for (int j = 0; j < 4; ++j) random[4 * i + j] = drawn.number[j];
      }
      DIS_SIMD
      for (std::int64_t i = 0; i < count; ++i) {
        const float v = shape.shrink * centred_uniform(random[i]);
        const float w = -log_of_bits(bits_of((1.0F - v) * (1.0F + v)), [](std::uint32_t b) { return float_of(b); });
        store(p.y[first + i], load(p.x[first + i]) + shape.scale * normal_of_uniform(v, w, __builtin_sqrtf(w)));
      }
    }
  }
}

template <class T>
void embed_backward(const EmbedBackwardPointers<T>& p, const EmbedShape& shape, float scale, Share columns) {
  const std::int64_t positions = shape.puzzle_positions + shape.length, width = shape.width;
  const std::int64_t first = columns.first, last = columns.last;
  const T* dx = p.dx;
  for (std::int64_t lane = 0; lane < shape.lanes; ++lane) {
    float* to_time = p.steps != nullptr ? p.dtime + static_cast<std::int64_t>(p.steps[lane]) * width : nullptr;
    for (std::int64_t s = 0; s < positions; ++s, dx += width) {
      if (to_time != nullptr) {
        DIS_SIMD
        for (std::int64_t i = first; i < last; ++i) to_time[i] += scale * load(dx[i]);
      }
      if (s >= shape.puzzle_positions) {
        const std::int32_t token = p.tokens[lane * shape.length + s - shape.puzzle_positions];
        float* to = p.dtable + static_cast<std::int64_t>(token) * width;
        DIS_SIMD
        for (std::int64_t i = first; i < last; ++i) to[i] += scale * load(dx[i]);
      }
    }
  }
}

/// One lane.
template <class T>
void cross_entropy_lane(const CrossEntropyPointers<T>& p, const CrossEntropyShape& shape, std::int64_t lane) {
  const std::int64_t length = shape.length, vocabulary = shape.vocabulary, numbers = shape.positions * vocabulary;
  const std::int64_t offset = lane * numbers + (shape.positions - length) * vocabulary;  // of the first cell
  const std::int32_t* target = p.target + lane * length;
  std::int64_t valid = 0;
  for (std::int64_t cell = 0; cell < length; ++cell) valid += target[cell] >= 0 ? 1 : 0;
  const double weight = valid > 0 ? 1.0 / static_cast<double>(valid) : 0.0;
  const bool differentiate = p.dlogits != nullptr;
  const double scale = differentiate ? p.scale[lane] : 0.0;
  if (differentiate) std::memset(p.dlogits + lane * numbers, 0, static_cast<std::size_t>(numbers) * sizeof(T));

  double loss = 0.0;
  std::int32_t correct = 0;
  for (std::int64_t cell = 0; cell < length; ++cell) {
    const T* row = p.logits + offset + cell * vocabulary;
    std::int64_t best = 0;
    for (std::int64_t k = 1; k < shape.answers; ++k) best = load(row[k]) > load(row[best]) ? k : best;
    p.predictions[lane * length + cell] = static_cast<std::int32_t>(best);
    // A prediction is never negative, so a cell without a label is not counted.
    if (p.labels != nullptr) correct += p.labels[lane * length + cell] == best ? 1 : 0;
    if (target[cell] < 0) continue;
    T* to = differentiate ? p.dlogits + offset + cell * vocabulary : nullptr;
    const auto logit = [&](std::int64_t k) -> double { return load(row[k]); };
    const auto gradient = [&](std::int64_t k, double value) {
      store(to[k], static_cast<float>(value * weight * scale));
    };
    loss -= weight * with_loss(shape.loss, [&](const auto& of) {
              return cell_log_probability(of, logit, target[cell], vocabulary, differentiate, gradient);
            });
  }
  p.loss[lane] = loss;
  if (p.labels != nullptr) p.correct[lane] = correct;
}

template <class T>
void cross_entropy(const CrossEntropyPointers<T>& p, const CrossEntropyShape& shape, Share lanes) {
  for (std::int64_t lane = lanes.first; lane < lanes.last; ++lane) cross_entropy_lane(p, shape, lane);
}

}  // namespace

template <class T>
const Kernels<T>& table() {
  static const Kernels<T> all{add_rms_norm<T>, rms_norm_backward<T>, swiglu<T>,         swiglu_backward<T>, add3<T>,
                              embed<T>,        add_draws<T>,         embed_backward<T>, cross_entropy<T>};
  return all;
}
template const Kernels<float>& table<float>();
template const Kernels<Bf16>& table<Bf16>();

void adam(const AdamPointers& pointers, const AdamScalars& s, bool atan2, Share elements) {
  const auto [p, g, m, v, ema, copy] = pointers;
  const std::int64_t first = elements.first, last = elements.last;
  if (atan2) {
    DIS_SIMD
    for (std::int64_t i = first; i < last; ++i) {
      m[i] += (1.0F - s.beta1) * (g[i] - m[i]);
      v[i] += (1.0F - s.beta2) * (g[i] * g[i] - v[i]);
      p[i] = p[i] * s.decay - s.scale * atan2_right(m[i] * s.m_scale, std::sqrt(v[i] * s.v_scale));
    }
  } else {
    DIS_SIMD
    for (std::int64_t i = first; i < last; ++i) {
      m[i] += (1.0F - s.beta1) * (g[i] - m[i]);
      v[i] += (1.0F - s.beta2) * (g[i] * g[i] - v[i]);
      p[i] = p[i] * s.decay - s.scale * (m[i] * s.m_scale) / (std::sqrt(v[i] * s.v_scale) + s.epsilon);
    }
  }
  if (ema != nullptr) {
    DIS_SIMD
    for (std::int64_t i = first; i < last; ++i) ema[i] = s.ema_rate * ema[i] + (1.0F - s.ema_rate) * p[i];
  }
  if (copy != nullptr) {
    DIS_SIMD
    for (std::int64_t i = first; i < last; ++i) store(copy[i], p[i]);
  }
}

}  // namespace dis::cpu::DIS_CPU_VARIANT
