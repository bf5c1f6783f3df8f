// The source of the CUDA kernels, compiled by this compiler and run on host threads (src/ops/cuda/host_shim.h): each
// kernel, with its launcher, against the CPU's kernels, which fused_test and adam_test hold to float64; over sizes with
// tails, with NaNs and large values. No GPU and no CUDA header has a part in it.
#include "../../src/ops/cuda/host_shim.h"  // before the others

#include "../../src/ops/cpu/kernels.h"
#include "../../src/ops/cuda/adam.cu"
#include "../../src/ops/cuda/cross_entropy.cu"
#include "../../src/ops/cuda/draws.cu"
#include "../../src/ops/cuda/elementwise.cu"
#include "../../src/ops/cuda/embed.cu"
#include "../../src/ops/cuda/norm.cu"
#include "../../src/ops/cuda/rotary.cu"
#include "../../src/ops/cuda/sign_sgd.cu"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "dis/core/random.h"

namespace dis::cuda_on_host {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

double value(float x) { return x; }
double value(Bf16 x) { return load(x); }
double value(double x) { return x; }
double value(std::int32_t x) { return x; }

/// Numbers with a margin of sevens on both sides, which nobody may touch.
template <class T>
class Guarded {
 public:
  explicit Guarded(std::int64_t count) : count_(count), all_(static_cast<std::size_t>(count) + 2 * kMargin) {
    for (auto& x : all_) set(x, kMark);
  }
  ~Guarded() {
    for (std::size_t i = 0; i < kMargin; ++i) {
      EXPECT_EQ(value(all_[i]), kMark) << "written in front of the first element";
      EXPECT_EQ(value(all_[all_.size() - 1 - i]), kMark) << "written behind the last element";
    }
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  T* data() { return all_.data() + kMargin; }
  std::int64_t size() const { return count_; }
  double operator[](std::int64_t i) const { return value(all_[static_cast<std::size_t>(i) + kMargin]); }
  void put(std::int64_t i, double x) { set(data()[i], x); }
  /// Normal draws times `spread`.
  Guarded& fill(std::uint64_t index, double spread = 1.0) {
    Draws draws(7, Purpose::test, 0, index);
    for (std::int64_t i = 0; i < count_; ++i) put(i, spread * draws.normal());
    return *this;
  }
  Guarded& copy_of(const Guarded& other) {
    for (std::int64_t i = 0; i < count_; ++i) put(i, other[i]);
    return *this;
  }

 private:
  static constexpr std::size_t kMargin = 16;
  static constexpr double kMark = 7.0;
  static void set(T& to, double x) {
    if constexpr (std::is_same_v<T, Bf16>) {
      store(to, static_cast<float>(x));
    } else {
      to = static_cast<T>(x);
    }
  }
  std::int64_t count_;
  std::vector<T> all_;
};

/// Both NaN, or |got - wanted| <= relative |wanted| + absolute. Infinities must be equal.
template <class T>
void expect_close(const char* what, const Guarded<T>& got, const Guarded<T>& wanted, double relative, double absolute) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::int64_t i = 0; i < got.size(); ++i) {
    const bool same = (std::isnan(got[i]) && std::isnan(wanted[i])) || got[i] == wanted[i] ||
                      std::abs(got[i] - wanted[i]) <= relative * std::abs(wanted[i]) + absolute;
    ASSERT_TRUE(same) << what << "[" << i << "]: " << got[i] << ", on the CPU " << wanted[i];
  }
}

template <class T>
class CudaSource : public ::testing::Test {
 protected:
  /// float: a few roundings in another order. bfloat16: those move a result by one unit in the last place at most.
  static constexpr double kRelative = std::is_same_v<T, float> ? 4e-6 : 0x1p-7;
  static constexpr double kAbsolute = 2e-6;
  static const cpu::Kernels<T>& cpu() { return cpu::kernels<T>(); }
};
struct TypeName {
  template <class T>
  static std::string GetName(int) {
    return std::is_same_v<T, float> ? "float32" : "bfloat16";
  }
};
using Types = ::testing::Types<float, Bf16>;
TYPED_TEST_SUITE(CudaSource, Types, TypeName);

TYPED_TEST(CudaSource, AddRmsNorm) {
  using T = TypeParam;
  for (const auto& [rows, width] :
       {std::pair<std::int64_t, std::int64_t>{1, 2}, {3, 7}, {5, 33}, {9, 256}, {3, 264}, {2, 1001}, {3, 1512}}) {
    SCOPED_TRACE(width);
    Guarded<T> a(rows * width), b(rows * width), dy(rows * width), wanted(rows * width), dwanted(rows * width);
    Guarded<float> rstd(rows), wanted_rstd(rows);
    a.fill(1);
    b.fill(2);
    dy.fill(3);
    if (rows > 2) a.put(width, kNaN);  // row 1
    if (rows > 4) a.put(4 * width, 1e18);
    this->cpu().add_rms_norm({a.data(), b.data(), wanted.data(), wanted_rstd.data()}, width, 1e-5F, {0, rows});
    this->cpu().rms_norm_backward({dy.data(), wanted.data(), wanted_rstd.data(), dwanted.data()}, width, {0, rows});
    launch_add_rms_norm<T>({a.data(), b.data(), b.data(), rstd.data()}, rows, width, 1e-5F, nullptr);  // onto b
    expect_close("y", b, wanted, this->kRelative, this->kAbsolute);
    expect_close("rstd", rstd, wanted_rstd, 4e-6, 0.0);
    launch_rms_norm_backward<T>({dy.data(), wanted.data(), wanted_rstd.data(), dy.data()}, rows, width,
                                nullptr);  // onto dy
    expect_close("dx", dy, dwanted, this->kRelative, this->kAbsolute);
    if (rows > 2) {
      EXPECT_TRUE(std::isnan(b[2 * width - 1]) && std::isnan(dy[width]));
      EXPECT_FALSE(std::isnan(b[width - 1]) || std::isnan(b[2 * width]));
    }
  }
}

/// Rotates q and k of qkv [rows, 3, heads, head] in place, or undoes it with direction -1. Written here because the CPU
/// has no such kernel: its attention rotates what it gathers.
template <class T>
void rotate_packed(Guarded<T>& qkv, const Guarded<float>& cos, const Guarded<float>& sin, const RotaryShape& shape,
                   double direction) {
  const auto half = shape.head / 2;
  for (std::int64_t row = 0; row < shape.rows; ++row) {
    for (std::int64_t head = 0; head < 2 * shape.heads; ++head) {  // the q heads, then the k heads
      for (std::int64_t i = 0; i < half; ++i) {
        const auto at = (row * 3 * shape.heads + head) * shape.head + i, angle = row % shape.positions * half + i;
        const double first = qkv[at], second = qkv[at + half], c = cos[angle], s = direction * sin[angle];
        qkv.put(at, first * c - second * s);
        qkv.put(at + half, second * c + first * s);
      }
    }
  }
}

TYPED_TEST(CudaSource, Rotary) {
  using T = TypeParam;
  for (const RotaryShape shape : {RotaryShape{1, 1, 1, 2}, {10, 5, 3, 6}, {7, 7, 8, 32}, {3, 2, 5, 34}}) {
    SCOPED_TRACE(shape.head);
    const auto width = shape.heads * shape.head, half = shape.head / 2;
    Guarded<float> cos(shape.positions * half), sin(shape.positions * half);
    for (std::int64_t i = 0; i < cos.size(); ++i) {
      cos.put(i, std::cos(0.37 * static_cast<double>(i)));
      sin.put(i, std::sin(0.37 * static_cast<double>(i)));
    }
    Guarded<T> qkv(3 * shape.rows * width), wanted(3 * shape.rows * width);
    qkv.fill(4).put(0, kNaN);
    wanted.copy_of(qkv);
    rotate_packed(wanted, cos, sin, shape, 1.0);
    launch_rotary(qkv.data(), {cos.data(), sin.data()}, shape, nullptr);
    expect_close("qkv", qkv, wanted, this->kRelative, this->kAbsolute);
    EXPECT_TRUE(std::isnan(qkv[0]) && std::isnan(qkv[half]));

    Guarded<T> dq(shape.rows * width), dk(shape.rows * width), dv(shape.rows * width);
    dq.fill(5);
    dk.fill(6);
    dv.fill(7);
    for (std::int64_t row = 0; row < shape.rows; ++row) {
      for (std::int64_t i = 0; i < width; ++i) {
        wanted.put((row * 3 + 0) * width + i, dq[row * width + i]);
        wanted.put((row * 3 + 1) * width + i, dk[row * width + i]);
        wanted.put((row * 3 + 2) * width + i, dv[row * width + i]);
      }
    }
    rotate_packed(wanted, cos, sin, shape, -1.0);
    launch_rotary_backward<T>({dq.data(), dk.data(), dv.data(), qkv.data()}, {cos.data(), sin.data()}, shape, nullptr);
    expect_close("dqkv", qkv, wanted, this->kRelative, this->kAbsolute);
  }
}

TYPED_TEST(CudaSource, Swiglu) {
  using T = TypeParam;
  for (const auto& [rows, inner] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {3, 7}, {5, 256}, {2, 333}}) {
    SCOPED_TRACE(inner);
    Guarded<T> x(rows * 2 * inner), dout(rows * inner), out(rows * inner), wanted(rows * inner), dx(rows * 2 * inner),
        dwanted(rows * 2 * inner);
    x.fill(8, 4.0);
    dout.fill(9);
    if (inner >= 7) {  // gates whose exponential overflows, and a NaN
      const double gates[] = {-200.0, -86.0, -30.0, 0.0, 86.0, 1e4, kNaN};
      for (std::int64_t i = 0; i < 7; ++i) x.put(i, gates[i]);
    }
    this->cpu().swiglu(x.data(), wanted.data(), inner, {0, rows});
    this->cpu().swiglu_backward(x.data(), dout.data(), dwanted.data(), inner, {0, rows});
    launch_swiglu(x.data(), out.data(), rows, inner, nullptr);
    launch_swiglu_backward(x.data(), dout.data(), dx.data(), rows, inner, nullptr);
    expect_close("out", out, wanted, this->kRelative, this->kAbsolute);
    expect_close("dx", dx, dwanted, this->kRelative, this->kAbsolute);
    if (inner >= 7) {
      EXPECT_TRUE(std::isnan(out[6]) && std::isnan(dx[6]));
      for (std::int64_t i = 0; i < 6; ++i) EXPECT_TRUE(std::isfinite(out[i]) && std::isfinite(dx[i])) << i;
    }
  }
}

TYPED_TEST(CudaSource, Add3) {
  using T = TypeParam;
  for (const std::int64_t count : {0LL, 1LL, 127LL, 129LL, 1000LL}) {
    Guarded<T> a(count), b(count), c(count), out(count), wanted(count);
    a.fill(10);
    b.fill(11);
    c.fill(12);
    if (count > 2) b.put(2, kNaN);
    this->cpu().add3(a.data(), b.data(), c.data(), wanted.data(), {0, count});
    launch_add3(a.data(), b.data(), c.data(), out.data(), count, nullptr);
    expect_close("sum", out, wanted, 0.0, 0.0);
  }
}

TYPED_TEST(CudaSource, AddDraws) {
  using T = TypeParam;
  const std::vector<std::int64_t> keys{5, -1, std::int64_t{1} << 40};
  const std::vector<std::int32_t> steps{1, 2, 65535};
  for (const std::int64_t numbers : {1LL, 3LL, 4LL, 130LL, 1001LL}) {
    for (const float shrink : {1.0F, 0.9545F}) {
      Guarded<T> x(3 * numbers), y(3 * numbers), wanted(3 * numbers);
      x.fill(14);
      const DrawShape shape{3, numbers, 11, 12, 13, shrink, 0.5F};
      this->cpu().add_draws({x.data(), wanted.data(), keys.data(), steps.data()}, shape, {0, 3});
      launch_add_draws<T>({x.data(), y.data(), keys.data(), steps.data()}, shape, nullptr);
      expect_close("y", y, wanted, this->kRelative, this->kAbsolute);
    }
  }
}

/// Elements beyond the largest grid: each thread goes on in strides.
TYPED_TEST(CudaSource, StridesOverElementsBeyondTheGrid) {
  using T = TypeParam;
  constexpr std::int64_t kCount = 3 * kThreads + 5;
  Guarded<T> a(kCount), out(kCount);
  a.fill(13);
  launch(add3_kernel<T, 1>, 2, nullptr, a.data(), a.data(), a.data(), out.data(), kCount);
  Guarded<T> wanted(kCount), packed(kCount);
  launch(add3_kernel<T, kPack<T>>, 1, nullptr, a.data(), a.data(), a.data(), packed.data(), kCount);
  this->cpu().add3(a.data(), a.data(), a.data(), wanted.data(), {0, kCount});
  expect_close("sum", out, wanted, 0.0, 0.0);
  expect_close("sum in packs", packed, wanted, 0.0, 0.0);
  EXPECT_EQ(blocks_for(1), 1);
  EXPECT_EQ(blocks_for(kThreads + 1), 2);
  EXPECT_EQ(blocks_for(std::int64_t{1} << 40), 1 << 16);
}

TYPED_TEST(CudaSource, CrossEntropyOfEveryLoss) {
  using T = TypeParam;
  for (const auto& loss_form : {Loss{LossForm::stablemax}, Loss{LossForm::softmax}, Loss{LossForm::smoothed, 0.3}}) {
    for (CrossEntropyShape shape : {CrossEntropyShape{5, 13, 9, 7, 7, loss_form},
                                    {2, 300, 284, 12, 11, loss_form},
                                    {3, 1, 1, 1, 1, loss_form},
                                    {1, 4, 3, 1000, 999, loss_form}}) {
      SCOPED_TRACE(std::to_string(static_cast<int>(loss_form.form)) + " " + std::to_string(shape.vocabulary));
      const auto numbers = shape.positions * shape.vocabulary;  // of a lane
      Guarded<T> logits(shape.lanes * numbers), gradient(logits.size()), wanted_gradient(logits.size());
      Guarded<std::int32_t> target(shape.lanes * shape.length), predictions(target.size()), wanted(target.size());
      Guarded<double> scale(shape.lanes), loss(shape.lanes), wanted_loss(shape.lanes);
      logits.fill(14, 3.0);
      scale.fill(15);
      Draws draws(8, Purpose::test, 0, 0);
      for (std::int64_t i = 0; i < target.size(); ++i) {
        target.put(i, static_cast<double>(draws.below(static_cast<std::uint32_t>(shape.vocabulary + 2))) - 2.0);
      }
      if (shape.lanes == 5) {
        const auto cells = (shape.positions - shape.length) * shape.vocabulary;
        for (std::int64_t i = 0; i < shape.length; ++i) target.put(3 * shape.length + i, -100);  // no valid cell
        target.put(0, 2);
        logits.put(cells, 1e30);  // a certain cell, with ties for the largest, 0 and -0
        logits.put(cells + 1, 1e30);
        logits.put(cells + 2, -1e30);
        logits.put(cells + 3, 0.0);
        logits.put(cells + 4, -0.0);
        target.put(4 * shape.length, 0);
        logits.put(4 * numbers + cells + 3, kNaN);  // lane 4's loss is a NaN
      }
      // Labels: the targets, of which some are none and some are found; the loss must not notice them.
      Guarded<std::int32_t> correct(shape.lanes), wanted_correct(shape.lanes);
      this->cpu().cross_entropy({logits.data(), target.data(), target.data(), scale.data(), wanted_loss.data(),
                                 wanted_gradient.data(), wanted.data(), wanted_correct.data()},
                                shape, {0, shape.lanes});
      for (std::int64_t lane = 0; lane < shape.lanes; ++lane) {
        int found = 0;
        for (std::int64_t i = lane * shape.length; i < (lane + 1) * shape.length; ++i) found += wanted[i] == target[i];
        EXPECT_EQ(wanted_correct[lane], found);
      }
      launch_cross_entropy<T>({logits.data(), target.data(), target.data(), scale.data(), loss.data(), gradient.data(),
                               predictions.data(), correct.data()},
                              shape, nullptr);
      expect_close("correct", correct, wanted_correct, 0.0, 0.0);
      expect_close("loss", loss, wanted_loss, 1e-13, 1e-15);
      expect_close("predictions", predictions, wanted, 0.0, 0.0);
      // Computed in double and rounded once: at most one rounding apart.
      expect_close("gradient", gradient, wanted_gradient, std::is_same_v<T, float> ? 0x1p-23 : 0x1p-7, 1e-300);
      if (shape.lanes == 5) {
        EXPECT_TRUE(std::isnan(loss[4]));
        EXPECT_EQ(loss[3], 0.0);
        EXPECT_TRUE(std::isfinite(loss[0]) && loss[0] > 1.0);
      }

      Guarded<double> again(shape.lanes);
      launch_cross_entropy<T>(
          {logits.data(), target.data(), nullptr, nullptr, again.data(), nullptr, predictions.data(), nullptr}, shape,
          nullptr);
      expect_close("loss without a gradient", again, loss, 0.0, 0.0);
    }
  }
}

TYPED_TEST(CudaSource, Embed) {
  using T = TypeParam;
  for (const EmbedShape shape : {EmbedShape{1, 1, 0, 0, 1}, {3, 5, 2, 19, 12}, {5, 70, 3, 96, 136}, {4, 9, 1, 7, 33}}) {
    for (const bool extras : {true, false}) {
      SCOPED_TRACE(std::to_string(shape.width) + (extras ? " with puzzle and time" : ""));
      constexpr std::int64_t kTokens = 37, kSteps = 4;  // more tokens than a block keeps
      const auto positions = shape.puzzle_positions + shape.length, numbers = positions * shape.width;
      Guarded<float> table(kTokens * shape.width), puzzle(shape.lanes * shape.numbers), time(kSteps * shape.width);
      Guarded<std::int32_t> tokens(shape.lanes * shape.length), steps(shape.lanes);
      Guarded<T> x(shape.lanes * numbers), wanted(x.size()), dx(x.size());
      table.fill(40);
      puzzle.fill(41);
      time.fill(42);
      dx.fill(43);
      Draws draws(10, Purpose::test, 0, 0);
      for (std::int64_t i = 0; i < tokens.size(); ++i) tokens.put(i, static_cast<double>(draws.below(kTokens)));
      for (std::int64_t i = 0; i < steps.size(); ++i) steps.put(i, static_cast<double>(draws.below(kSteps - 1)));
      if (shape.lanes == 3) dx.put(shape.puzzle_positions * shape.width, kNaN);
      const bool with_puzzle = extras && shape.numbers > 0;
      const EmbedPointers in{tokens.data(), extras ? steps.data() : nullptr, table.data(),
                             with_puzzle ? puzzle.data() : nullptr, extras ? time.data() : nullptr};
      this->cpu().embed(in, wanted.data(), shape, 5.5F, {0, shape.lanes});
      launch_embed(in, x.data(), shape, 5.5F, nullptr);
      expect_close("x", x, wanted, this->kRelative, this->kAbsolute);
      if (!extras) continue;

      Guarded<float> dtable(table.size()), dtime(time.size()), wanted_table(table.size()), wanted_time(time.size());
      Guarded<float> partial(kSumChunks * table.size());
      for (std::int64_t i = 0; i < wanted_table.size(); ++i) wanted_table.put(i, 0.0);
      for (std::int64_t i = 0; i < wanted_time.size(); ++i) wanted_time.put(i, 0.0);
      this->cpu().embed_backward({dx.data(), tokens.data(), steps.data(), wanted_table.data(), wanted_time.data()},
                                 shape, 5.5F, {0, shape.width});
      launch_sum_by_key<T>({dx.data(), tokens.data(), partial.data(), dtable.data()},
                           {shape.lanes, positions, shape.puzzle_positions, shape.width, kTokens, false}, 5.5F,
                           nullptr);
      launch_sum_by_key<T>({dx.data(), steps.data(), partial.data(), dtime.data()},
                           {shape.lanes, positions, 0, shape.width, kSteps, true}, 5.5F, nullptr);
      // The same numbers summed in another order: a few roundings of sums below 5.5 * 5 * sqrt(350).
      expect_close("dtable", dtable, wanted_table, 1e-6, 2e-4);
      expect_close("dtime", dtime, wanted_time, 1e-6, 2e-4);
      EXPECT_TRUE(shape.lanes != 3 || std::isnan(dtable[static_cast<std::int64_t>(tokens[0]) * shape.width]));
    }
  }
}

TEST(CudaSourceAdam, EveryForm) {
  for (const std::int64_t count : {1LL, 131LL, 1000LL}) {
    for (const bool atan2 : {true, false}) {
      for (const bool extras : {true, false}) {
        Guarded<float> p(count), m(count), v(count), ema(count), g(count), p2(count), m2(count), v2(count), ema2(count);
        Guarded<Bf16> copy(count), copy2(count);
        p2.copy_of(p.fill(16));
        m2.copy_of(m.fill(17, 0.1));
        for (std::int64_t i = 0; i < count; ++i) v.put(i, static_cast<double>(i % 5) * 1e-3);
        v2.copy_of(v);
        ema2.copy_of(ema.fill(18));
        const AdamPointers mine{
            p.data(), g.data(), m.data(), v.data(), extras ? ema.data() : nullptr, extras ? copy.data() : nullptr};
        const AdamPointers theirs{
            p2.data(), g.data(), m2.data(), v2.data(), extras ? ema2.data() : nullptr, extras ? copy2.data() : nullptr};
        for (std::uint64_t t = 1; t <= 3; ++t) {
          g.fill(20 + t);
          if (count > 100) {
            g.put(5, 0.0);
            g.put(6, 1e18);
            g.put(7, -1e-30);
            g.put(8, kNaN);
          }
          const AdamScalars s{0.9F, 0.95F, 0.999F, 0.01F, 1.0F / 0.271F, 1.0F / 0.1426F, 1e-8F, 0.99F};
          launch_adam(mine, count, &s, atan2, nullptr);
          cpu::adam(theirs, s, atan2, {0, count});
        }
        expect_close("p", p, p2, 1e-6, 1e-7);
        expect_close("m", m, m2, 2e-6, 1e-7);
        expect_close("v", v, v2, 2e-6, 1e-9);
        expect_close("ema", ema, ema2, 1e-6, 1e-7);
        expect_close("copy", copy, copy2, 0x1p-7, 0.0);
        EXPECT_TRUE(count < 100 || std::isnan(p[8]));
      }
    }
  }
}

TEST(CudaSourceSignSgd, SumsTheGradientsOfAnIdInOrder) {
  constexpr std::int64_t kRows = 9;
  for (const SignSgdShape shape : {SignSgdShape{1, 1}, {7, 5}, {300, 130}}) {
    SCOPED_TRACE(shape.lanes);
    const auto E = shape.numbers;
    Guarded<float> table(kRows * E), wanted(table.size()), gradient(shape.lanes * E);
    Guarded<std::int32_t> ids(shape.lanes);
    wanted.copy_of(table.fill(30));
    gradient.fill(31);
    Draws draws(9, Purpose::test, 0, 0);
    for (std::int64_t i = 0; i < shape.lanes; ++i) ids.put(i, static_cast<double>(draws.below(kRows - 2)));  // two idle
    if (shape.lanes == 7) {
      for (std::int64_t i = 0; i < 7; ++i) ids.put(i, i < 2 ? 3 : 4);
      gradient.put(0, 0.5);  // lanes 0 and 1 cancel: the row only decays there
      gradient.put(E, -0.5);
      gradient.put(2 * E + 1, kNaN);
    }
    for (std::int64_t row = 0; row < kRows; ++row) {
      for (std::int64_t i = 0; i < E; ++i) {
        bool there = false;
        float sum = 0.0F;
        for (std::int64_t lane = 0; lane < shape.lanes; ++lane) {
          if (ids[lane] != static_cast<double>(row)) continue;
          there = true;
          sum += static_cast<float>(gradient[lane * E + i]);
        }
        const double sign = sum > 0.0F ? 1.0 : (sum < 0.0F ? -1.0 : sum);
        if (there) wanted.put(row * E + i, wanted[row * E + i] * 0.999 - 0.01 * sign);
      }
    }
    const float rates[] = {0.01F, 0.999F};
    launch_sign_sgd(table.data(), ids.data(), gradient.data(), rates, shape, nullptr);
    expect_close("table", table, wanted, 1e-6, 1e-7);
    EXPECT_TRUE(shape.lanes != 7 || std::isnan(table[4 * E + 1]));
  }
}

/// The launchers must leave an empty grid alone: the GPU refuses one.
TEST(CudaSourceLaunch, NothingToDo) {
  launch_add_rms_norm<float>({}, 0, 8, 1e-5F, nullptr);
  launch_rotary<float>(nullptr, {}, {0, 1, 1, 2}, nullptr);
  launch_adam({}, 0, nullptr, true, nullptr);
  launch_embed<float>({}, nullptr, {}, 1.0F, nullptr);
}

}  // namespace
}  // namespace dis::cuda_on_host
