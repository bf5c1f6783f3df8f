// What an operation must do on every device besides the values that fused_test compares: the optimisers' updates, every
// kernel for attention at the size of a step, results that repeat bit for bit. On a machine with a GPU also there.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "dis/core/random.h"
#include "dis/ops/adam.h"
#include "dis/ops/fused.h"
#include "dis/ops/kernel_choice.h"
#include "dis/ops/reference.h"
#include "dis/ops/sign_sgd.h"
#include "ops/devices.h"

namespace dis {
namespace {

class DeviceTest : public ::testing::TestWithParam<at::DeviceType> {
 protected:
  at::Device device() const { return GetParam(); }
  /// Normal draws in float32 on the CPU.
  static at::Tensor draws(at::IntArrayRef shape, std::uint64_t index) {
    auto x = at::empty(shape, at::kFloat);
    Draws source(test_seed(), Purpose::test, 1, index);
    for (std::int64_t i = 0; i < x.numel(); ++i) x.data_ptr<float>()[i] = static_cast<float>(source.normal());
    return x;
  }
  at::Tensor there(const at::Tensor& x) const { return x.to(device(), x.scalar_type(), false, /*copy=*/true); }
};

TEST_P(DeviceTest, AdamFollowsItsFormula) {
  for (const auto form : {AdamForm::adamw, AdamForm::adam_atan2, AdamForm::adam_atan2_trm}) {
    for (const std::int64_t size : {1, 103, 4099}) {
      SCOPED_TRACE(size);
      AdamSettings s;
      s.form = form;
      s.lr = 0.01;
      s.ema_rate = 0.9;
      constexpr std::int64_t kStep = 7;
      const auto p = draws({size}, 0), g = draws({size}, 1), m = draws({size}, 2), v = draws({size}, 3).square();
      const AdamBuffers buffers{there(p), there(g), there(m), there(v), there(p), there(p).to(at::kBFloat16)};
      adam_update(buffers, form, adam_scalars(s, kStep).to(device()));
      const double c1 = 1.0 - std::pow(s.beta1, kStep), c2 = 1.0 - std::pow(s.beta2, kStep);
      const auto wide = [](const at::Tensor& x) { return x.to(at::kDouble); };
      const auto m64 = wide(m) + (1.0 - s.beta1) * (wide(g) - wide(m));
      const auto root = ((wide(v) + (1.0 - s.beta2) * (wide(g).square() - wide(v))) / c2).sqrt();
      const auto direction = form == AdamForm::adamw        ? m64 / c1 / (root + s.epsilon)
                             : form == AdamForm::adam_atan2 ? 1.27 * (m64 / c1).atan2(root)
                                                            : m64.atan2(root) / c1;
      const auto exact = wide(p) * (1.0 - s.lr * s.weight_decay) - s.lr * direction;
      const auto found = buffers.p.cpu();
      EXPECT_TRUE(at::allclose(wide(found), exact, 1e-6, 1e-6));  // a few float32 roundings of numbers near 1
      EXPECT_TRUE(at::allclose(wide(buffers.ema.cpu()), 0.9 * wide(p) + 0.1 * exact, 1e-6, 1e-6));
      EXPECT_TRUE(buffers.copy.cpu().equal(found.to(at::kBFloat16)));
    }
  }
}

TEST_P(DeviceTest, SignSgdSumsTheLanesOfARow) {
  constexpr std::int64_t kRows = 37, kLanes = 53, kNumbers = 19;
  const auto table = draws({kRows, kNumbers}, 4), gradient = draws({kLanes, kNumbers}, 5);
  auto ids = at::empty({kLanes}, at::kInt);
  Draws source(test_seed(), Purpose::test, 1, 6);
  for (std::int64_t i = 0; i < kLanes; ++i)
    ids.data_ptr<std::int32_t>()[i] = static_cast<std::int32_t>(source.below(9));
  const auto found = there(table);
  sparse_sign_sgd(found, there(ids), there(gradient), sign_sgd_rates(0.1, 0.5).to(device()));
  const auto sums = at::zeros({kRows, kNumbers}, at::kDouble).index_add_(0, ids, gradient.to(at::kDouble));
  const auto seen = at::zeros({kRows, 1}, at::kDouble).index_add_(0, ids, at::ones({kLanes, 1}, at::kDouble)) > 0;
  const auto exact = at::where(seen, table * (1.0 - 0.1 * 0.5) - 0.1 * sums.sign(), table.to(at::kDouble));
  EXPECT_TRUE(at::allclose(found.cpu().to(at::kDouble), exact, 1e-6, 1e-6));
}

/// Restores the choice of attention's kernel and whether results must repeat.
struct Choices {
  ~Choices() {
    use_attention(AttentionKernel::automatic);
    at::globalContext().setDeterministicAlgorithms(false, true);
  }
};

TEST_P(DeviceTest, EveryKernelOfAttentionIsAsExactAsBfloat16) {
  const Choices restored_at_the_end;
  // S = 916 is ARC's, no multiple of 64; an error of 2^-8 for numbers of bfloat16, some more after their sums.
  for (const auto& [lanes, positions, heads, head] : {std::tuple{2, 916, 2, 32}, {1, 916, 2, 64}, {3, 77, 2, 16}}) {
    const auto qkv = draws({lanes, positions, 3, heads, head}, 7).to(at::kBFloat16);
    const auto dout = draws({lanes, positions, heads * head}, 8).to(at::kBFloat16);
    const auto tables = rotary_tables(positions, head, 10000.0, device());
    auto leaf = qkv.to(at::kDouble).requires_grad_();
    const auto exact = reference::attention(leaf, tables.cos.cpu(), tables.sin.cpu());
    exact.backward(dout.to(at::kDouble));
    for (const auto kernel :
         {AttentionKernel::automatic, AttentionKernel::flash, AttentionKernel::cudnn, AttentionKernel::composed}) {
      SCOPED_TRACE(std::to_string(positions) + " positions, kernel " + std::to_string(static_cast<int>(kernel)));
      use_attention(kernel);
      const auto packed = there(qkv);
      const auto found = attention(packed, tables);
      const auto gradient = attention_backward(there(dout), packed, found, tables);
      const auto error = [](const at::Tensor& x, const at::Tensor& y) {
        return ((x.cpu().to(at::kDouble) - y).norm() / y.norm()).item<double>();
      };
      EXPECT_TRUE(error(found.out, exact.detach()) < 0.01) << error(found.out, exact.detach());
      EXPECT_TRUE(error(gradient, leaf.grad()) < 0.01) << error(gradient, leaf.grad());
    }
  }
}

TEST_P(DeviceTest, AttentionRepeatsBitForBit) {
  const Choices restored_at_the_end;
  at::globalContext().setDeterministicAlgorithms(true, true);
  const auto qkv = draws({4, 916, 3, 2, 32}, 9).to(at::kBFloat16), dout = draws({4, 916, 64}, 10).to(at::kBFloat16);
  const auto tables = rotary_tables(916, 32, 10000.0, device());
  at::Tensor first;
  for (int trial = 0; trial < 3; ++trial) {
    const auto packed = there(qkv);
    const auto gradient = attention_backward(there(dout), packed, attention(packed, tables), tables).cpu();
    if (trial == 0) first = gradient;
    EXPECT_TRUE(gradient.equal(first)) << trial;
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, DeviceTest, ::testing::ValuesIn(devices()), [](const auto& instance) {
  return std::string(instance.param == at::kCUDA ? "cuda" : "cpu");
});

}  // namespace
}  // namespace dis
