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
void add_rms_norm(const T* a, const T* b, T* out, float* rstd, std::int64_t rows, std::int64_t width, float eps) {
  for (std::int64_t row = 0; row < rows; ++row, a += width, b += width, out += width) {
    float sum = 0.0F;
    DIS_SIMD_SUM(sum)
    for (std::int64_t i = 0; i < width; ++i) {
      const float x = load(a[i]) + load(b[i]);
      sum += x * x;
    }
    const float scale = 1.0F / std::sqrt(sum / static_cast<float>(width) + eps);
    rstd[row] = scale;
    DIS_SIMD
    for (std::int64_t i = 0; i < width; ++i) store(out[i], (load(a[i]) + load(b[i])) * scale);
  }
}

template <class T>
void rms_norm_backward(const T* dy, const T* y, const float* rstd, T* dx, std::int64_t rows, std::int64_t width) {
  for (std::int64_t row = 0; row < rows; ++row, dy += width, y += width, dx += width) {
    float dot = 0.0F;
    DIS_SIMD_SUM(dot)
    for (std::int64_t i = 0; i < width; ++i) dot += load(dy[i]) * load(y[i]);
    const float mean = dot / static_cast<float>(width);
    const float scale = rstd[row];
    DIS_SIMD
    for (std::int64_t i = 0; i < width; ++i) store(dx[i], scale * (load(dy[i]) - load(y[i]) * mean));
  }
}

template <class T>
void swiglu(const T* gate_up, T* out, std::int64_t rows, std::int64_t inner) {
  for (std::int64_t row = 0; row < rows; ++row, gate_up += 2 * inner, out += inner) {
    DIS_SIMD
    for (std::int64_t i = 0; i < inner; ++i) {
      const float gate = load(gate_up[i]);
      store(out[i], gate / (1.0F + exp_of(-gate)) * load(gate_up[i + inner]));
    }
  }
}

template <class T>
void swiglu_backward(const T* gate_up, const T* dout, T* dgate_up, std::int64_t rows, std::int64_t inner) {
  for (std::int64_t row = 0; row < rows; ++row, gate_up += 2 * inner, dout += inner, dgate_up += 2 * inner) {
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
void add3(const T* a, const T* b, const T* c, T* out, std::int64_t count) {
  DIS_SIMD
  for (std::int64_t i = 0; i < count; ++i) store(out[i], load(a[i]) + (load(b[i]) + load(c[i])));
}

template <class T>
void embed(const std::int32_t* tokens, const float* table, const float* puzzle, const float* time, T* out,
           std::int64_t length, std::int64_t puzzle_positions, std::int64_t puzzle_numbers, std::int64_t width,
           float scale) {
  for (std::int64_t s = 0; s < puzzle_positions + length; ++s, out += width) {
    const bool is_token = s >= puzzle_positions;
    const float* row = is_token ? table + static_cast<std::int64_t>(tokens[s - puzzle_positions]) * width
                                : (puzzle != nullptr ? puzzle + s * width : nullptr);
    std::int64_t numbers = width;  // how many of them exist; the rest is zero padding
    if (!is_token) {
      numbers = row == nullptr ? 0 : puzzle_numbers - s * width;
      numbers = numbers < 0 ? 0 : (numbers > width ? width : numbers);
    }
    for (std::int64_t i = 0; i < width; ++i) {
      const float base = i < numbers ? row[i] : 0.0F;
      store(out[i], scale * (base + (time != nullptr ? time[i] : 0.0F)));
    }
  }
}

template <class T>
void embed_backward(const T* dx, const std::int32_t* tokens, const std::int32_t* steps, float* dtable, float* dtime,
                    std::int64_t lanes, std::int64_t length, std::int64_t puzzle_positions, std::int64_t width,
                    std::int64_t first, std::int64_t last, float scale) {
  for (std::int64_t lane = 0; lane < lanes; ++lane) {
    float* to_time = steps != nullptr ? dtime + static_cast<std::int64_t>(steps[lane]) * width : nullptr;
    for (std::int64_t s = 0; s < puzzle_positions + length; ++s, dx += width) {
      if (to_time != nullptr) {
        DIS_SIMD
        for (std::int64_t i = first; i < last; ++i) to_time[i] += scale * load(dx[i]);
      }
      if (s >= puzzle_positions) {
        float* to = dtable + static_cast<std::int64_t>(tokens[lane * length + s - puzzle_positions]) * width;
        DIS_SIMD
        for (std::int64_t i = first; i < last; ++i) to[i] += scale * load(dx[i]);
      }
    }
  }
}

template <class T>
double cross_entropy(const T* logits, const std::int32_t* target, T* dlogits, std::int32_t* predictions,
                     std::int64_t positions, std::int64_t length, std::int64_t vocabulary, std::int64_t answers,
                     const Loss& kind, double scale) {
  const std::int64_t offset = (positions - length) * vocabulary;
  std::int64_t valid = 0;
  for (std::int64_t cell = 0; cell < length; ++cell) valid += target[cell] >= 0 ? 1 : 0;
  const double weight = valid > 0 ? 1.0 / static_cast<double>(valid) : 0.0;
  if (dlogits != nullptr) std::memset(dlogits, 0, static_cast<std::size_t>(positions * vocabulary) * sizeof(T));

  double loss = 0.0;
  for (std::int64_t cell = 0; cell < length; ++cell) {
    const T* row = logits + offset + cell * vocabulary;
    if (predictions != nullptr) {
      std::int64_t best = 0;
      for (std::int64_t k = 1; k < answers; ++k) best = load(row[k]) > load(row[best]) ? k : best;
      predictions[cell] = static_cast<std::int32_t>(best);
    }
    if (target[cell] < 0) continue;
    T* to = dlogits != nullptr ? dlogits + offset + cell * vocabulary : nullptr;
    const auto logit = [&](std::int64_t k) -> double { return load(row[k]); };
    const auto gradient = [&](std::int64_t k, double value) {
      store(to[k], static_cast<float>(value * weight * scale));
    };
    loss -= weight * with_loss(kind, [&](const auto& of) {
              return cell_log_probability(of, logit, target[cell], vocabulary, to != nullptr, gradient);
            });
  }
  return loss;
}

}  // namespace

template <class T>
const Kernels<T>& table() {
  static const Kernels<T> all{add_rms_norm<T>, rms_norm_backward<T>, swiglu<T>,       swiglu_backward<T>, add3<T>,
                              embed<T>,        embed_backward<T>,    cross_entropy<T>};
  return all;
}
template const Kernels<float>& table<float>();
template const Kernels<Bf16>& table<Bf16>();

void adam(float* p, const float* g, float* m, float* v, float* ema, Bf16* copy, std::int64_t count,
          const AdamScalars& s, bool atan2) {
  if (atan2) {
    DIS_SIMD
    for (std::int64_t i = 0; i < count; ++i) {
      m[i] += (1.0F - s.beta1) * (g[i] - m[i]);
      v[i] += (1.0F - s.beta2) * (g[i] * g[i] - v[i]);
      p[i] = p[i] * s.decay - s.scale * atan2_right(m[i] * s.m_scale, std::sqrt(v[i] * s.v_scale));
    }
  } else {
    DIS_SIMD
    for (std::int64_t i = 0; i < count; ++i) {
      m[i] += (1.0F - s.beta1) * (g[i] - m[i]);
      v[i] += (1.0F - s.beta2) * (g[i] * g[i] - v[i]);
      p[i] = p[i] * s.decay - s.scale * (m[i] * s.m_scale) / (std::sqrt(v[i] * s.v_scale) + s.epsilon);
    }
  }
  if (ema != nullptr) {
    DIS_SIMD
    for (std::int64_t i = 0; i < count; ++i) ema[i] = s.ema_rate * ema[i] + (1.0F - s.ema_rate) * p[i];
  }
  if (copy != nullptr) {
    DIS_SIMD
    for (std::int64_t i = 0; i < count; ++i) store(copy[i], p[i]);
  }
}

}  // namespace dis::cpu::DIS_CPU_VARIANT
