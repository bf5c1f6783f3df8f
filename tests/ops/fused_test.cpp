// Each fused operation against its plain definition in float64: forward, backward, over odd sizes and both types,
// on the CPU and, where there is one, on the GPU. The definitions run on the CPU.
//
// The tolerance: twice the error that the plain definition has in the same type (three times for fresh numbers),
// measured in the same run, plus one unit in the last place of the largest value. NaNs must come out where they went
// in.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <functional>

#include "dis/core/random.h"
#include "dis/ops/cross_entropy.h"
#include "dis/ops/embed.h"
#include "dis/ops/fused.h"
#include "dis/ops/reference.h"
#include "ops/devices.h"

namespace dis {
namespace {

at::Tensor random_tensor(at::IntArrayRef shape, std::uint64_t index, double spread = 1.0) {
  auto x = at::empty(shape, at::kDouble);
  Draws draws(test_seed(), Purpose::test, 0, index);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data_ptr<double>()[i] = spread * draws.normal();
  return x;
}

double largest_error(const at::Tensor& got, const at::Tensor& exact) {
  return (got.cpu().to(at::kDouble) - exact).abs().max().item<double>();
}

/// `ours` must come as near to `exact` (float64) as twice the error of `plain`, the definition in the type of `ours`.
void expect_as_exact(const char* what, const at::Tensor& ours, const at::Tensor& plain, const at::Tensor& exact) {
  ASSERT_EQ(ours.sizes(), exact.sizes()) << what;
  const double unit = ours.scalar_type() == at::kFloat ? 0x1p-23 : 0x1p-8;
  const double times = test_seed() == 1 ? 2.0 : 3.0;  // other numbers can favour the plain definition a little more
  const double allowed = times * largest_error(plain, exact) + unit * exact.abs().max().item<double>();
  EXPECT_TRUE(largest_error(ours, exact) <= allowed)  // false for a NaN
      << what << ": error " << largest_error(ours, exact) << ", plain definition " << largest_error(plain, exact);
}

using Definition = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

/// Values and gradients of a definition, the inputs rounded to `type` first and computed in `compute`.
std::vector<at::Tensor> with_gradients(const Definition& f, const std::vector<at::Tensor>& inputs,
                                       const at::Tensor& dout, at::ScalarType type, at::ScalarType compute) {
  std::vector<at::Tensor> leaves;
  for (const auto& x : inputs) leaves.push_back(x.to(type).to(compute).detach().clone().requires_grad_());
  const auto out = f(leaves);
  out.backward(dout.to(type).to(compute));
  std::vector<at::Tensor> results{out.detach()};
  for (const auto& leaf : leaves) results.push_back(leaf.grad());
  return results;
}

class FusedTest : public ::testing::TestWithParam<std::tuple<at::DeviceType, at::ScalarType>> {
 protected:
  at::Device device() const { return std::get<0>(GetParam()); }
  at::ScalarType type() const { return std::get<1>(GetParam()); }
  /// A copy of x as the operations get it.
  at::Tensor input(const at::Tensor& x) const { return x.to(device(), type(), /*non_blocking=*/false, /*copy=*/true); }
  void compare(const char* what, const std::vector<at::Tensor>& ours, const Definition& f,
               const std::vector<at::Tensor>& inputs, const at::Tensor& dout) {
    const auto exact = with_gradients(f, inputs, dout, type(), at::kDouble);
    const auto plain = with_gradients(f, inputs, dout, type(), type());
    ASSERT_EQ(ours.size(), exact.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      SCOPED_TRACE(i == 0 ? "value" : "gradient " + std::to_string(i));
      expect_as_exact(what, ours[i], plain[i], exact[i]);
    }
  }
};

TEST_P(FusedTest, AddRmsNorm) {
  // (Of a single number the norm is +-1 and the gradient pure cancellation: nothing to compare.)
  for (const auto& [rows, width] : {std::pair{1, 2}, {3, 7}, {5, 64}, {130, 256}, {2, 1000}}) {
    if (width == 2 && test_seed() != 1) continue;  // of two numbers it can still be all cancellation
    SCOPED_TRACE(width);
    const auto a = random_tensor({rows, width}, 1), b = random_tensor({rows, width}, 2),
               dy = random_tensor({rows, width}, 3);
    const auto norm = add_rms_norm(input(a), input(b), 1e-5);
    const auto dx = rms_norm_backward(input(dy), norm.y, norm.rstd);
    compare(
        "add_rms_norm", {norm.y, dx, dx}, [](const auto& in) { return reference::rms_norm(in[0] + in[1], 1e-5); },
        {a, b}, dy);
  }
}

TEST_P(FusedTest, Attention) {
  for (const auto& [lanes, positions, heads, head] :
       {std::tuple{1, 1, 1, 2}, {2, 5, 3, 6}, {3, 17, 2, 16}, {2, 80, 8, 32}, {1, 133, 4, 8}, {1, 300, 2, 64}}) {
    if (positions == 1 && test_seed() != 1) continue;  // the gradients of q and k are zero, all cancellation
    SCOPED_TRACE(positions);
    const auto qkv = random_tensor({lanes, positions, 3, heads, head}, 4);
    const auto dout = random_tensor({lanes, positions, heads * head}, 5);
    const auto rotary = rotary_tables(positions, head, 10000.0, device());
    const auto packed = input(qkv);
    const auto result = attention(packed, rotary);
    const auto dqkv = attention_backward(input(dout), packed, result, rotary);
    compare(
        "attention", {result.out, dqkv},
        [&](const auto& in) { return reference::attention(in[0], rotary.cos.cpu(), rotary.sin.cpu()); }, {qkv}, dout);
  }
}

TEST_P(FusedTest, Swiglu) {
  for (const auto& [rows, inner] : {std::pair{1, 1}, {3, 7}, {65, 256}, {2, 1333}}) {
    const auto x = random_tensor({rows, 2 * inner}, 6, 4.0), dout = random_tensor({rows, inner}, 7);
    compare(
        "swiglu", {swiglu(input(x)), swiglu_backward(input(x), input(dout))},
        [](const auto& in) { return reference::swiglu(in[0]); }, {x}, dout);
  }
}

TEST_P(FusedTest, Add3) {
  const auto a = random_tensor({3, 77}, 8), b = random_tensor({3, 77}, 9), c = random_tensor({3, 77}, 10);
  const auto exact = a.to(type()).to(at::kDouble) + b.to(type()).to(at::kDouble) + c.to(type()).to(at::kDouble);
  expect_as_exact("add3", add3(input(a), input(b), input(c)), a.to(type()) + (b.to(type()) + c.to(type())), exact);
}

TEST_P(FusedTest, CrossEntropyOfBothKinds) {
  const std::int64_t lanes = 5, positions = 13, length = 9, entries = 7;
  auto logits = random_tensor({lanes, positions, entries}, 11, 2.0);
  logits.view({-1})[4 * entries].fill_(1.0);  // a logit of exactly 1, 0 and -0 are where naive forms go wrong
  logits.view({-1})[4 * entries + 1].fill_(0.0);
  logits.view({-1})[4 * entries + 2].fill_(-0.0);
  auto target = at::empty({lanes, length}, at::kInt);
  Draws draws(2, Purpose::test, 0, 0);
  for (std::int64_t i = 0; i < target.numel(); ++i) {
    target.data_ptr<std::int32_t>()[i] = static_cast<std::int32_t>(draws.below(entries + 2)) - 2;  // some are ignored
  }
  target[3].fill_(-100);  // a lane without a valid cell
  const auto scale = random_tensor({lanes}, 12).abs();
  for (const auto& loss : {Loss{LossForm::stablemax}, Loss{LossForm::softmax}, Loss{LossForm::smoothed, 0.2}}) {
    SCOPED_TRACE(static_cast<int>(loss.form));
    const auto labels = target.flip(0).contiguous().to(device());
    const auto ours = cross_entropy(input(logits), target.to(device()), scale.to(device()), loss, entries, labels);
    auto leaf = logits.to(type()).to(at::kDouble).requires_grad_();
    const auto exact = reference::cross_entropy(leaf.slice(1, positions - length), target, loss);
    exact.backward(scale);
    EXPECT_TRUE(at::allclose(ours.loss.cpu(), exact.detach(), 1e-12, 1e-12));
    // The gradient is computed in double and rounded once.
    const double unit = type() == at::kFloat ? 0x1p-23 : 0x1p-8;
    EXPECT_TRUE(((ours.dlogits.cpu().to(at::kDouble) - leaf.grad()).abs() <= unit * leaf.grad().abs() + 1e-30)
                    .all()
                    .item<bool>());
    EXPECT_EQ(ours.loss[3].item<double>(), 0.0);
    const auto cells = logits.to(type()).slice(1, positions - length);
    EXPECT_TRUE(ours.predictions.cpu().equal(cells.argmax(-1).to(at::kInt)));
    EXPECT_TRUE(ours.correct.equal((ours.predictions == labels).sum(-1).to(at::kInt)));
    EXPECT_GT(ours.correct.sum().item<int>(), 0);
    const auto fewer = cross_entropy(input(logits), target.clamp_max(entries - 1).to(device()), {}, loss, entries - 1);
    EXPECT_TRUE(fewer.predictions.cpu().equal(cells.slice(-1, 0, entries - 1).argmax(-1).to(at::kInt)));
  }
}

TEST_P(FusedTest, SmoothedLossIsThatOfLibTorch) {
  const auto logits = random_tensor({1, 6, 5}, 15, 3.0).to(type()).to(at::kDouble);
  const auto target = torch::tensor(std::vector<std::int32_t>{4, -100, 0, 2, 2, 1}, at::kInt).view({1, 6});
  const auto scale = at::ones({1}, at::kDouble);
  auto leaf = logits.squeeze(0).clone().requires_grad_();
  const auto theirs = at::cross_entropy_loss(leaf, target.view({6}).to(at::kLong), {}, at::Reduction::Mean, -100, 0.3);
  theirs.backward();
  const auto ours = cross_entropy(input(logits), target.to(device()), scale.to(device()), {LossForm::smoothed, 0.3}, 5);
  EXPECT_NEAR(ours.loss.item<double>(), theirs.item<double>(), 1e-12);
  const double unit = type() == at::kFloat ? 0x1p-23 : 0x1p-8;
  EXPECT_TRUE(at::allclose(ours.dlogits.cpu().to(at::kDouble)[0], leaf.grad(), unit, 1e-12));
}

TEST_P(FusedTest, Embedding) {
  const std::int64_t lanes = 4, length = 9, width = 24, entries = 5, positions = 3, numbers = 50, rows = 8;
  auto tokens = at::empty({lanes, length}, at::kInt);
  Draws draws(3, Purpose::test, 0, 0);
  for (std::int64_t i = 0; i < tokens.numel(); ++i) {
    tokens.data_ptr<std::int32_t>()[i] = static_cast<std::int32_t>(draws.below(entries));
  }
  const auto steps = torch::tensor(std::vector<std::int32_t>{1, 3, 3, 6}, at::kInt);
  const auto table = random_tensor({entries, width}, 13).to(at::kFloat),
             time = random_tensor({rows, width}, 14).to(at::kFloat);
  const auto puzzle = random_tensor({lanes, numbers}, 15).to(at::kFloat);
  const auto dx = random_tensor({lanes, positions + length, width}, 16).to(type());
  const EmbedInputs in{tokens.to(device()), table.to(device()), puzzle.to(device()),
                       steps.to(device()),  time.to(device()),  positions};
  const auto x = embed(in, type());
  const auto grads = embed_backward(in, dx.to(device()));

  auto table64 = table.to(at::kDouble).requires_grad_(), time64 = time.to(at::kDouble).requires_grad_();
  auto puzzle64 = puzzle.to(at::kDouble).requires_grad_();
  const auto padded = at::constant_pad_nd(puzzle64, {0, positions * width - numbers});
  const auto exact = reference::embed(tokens, table64, padded, time64.index_select(0, steps), at::kDouble);
  exact.backward(dx.to(at::kDouble));
  const double unit = type() == at::kFloat ? 0x1p-22 : 0x1p-8;
  EXPECT_TRUE(at::allclose(x.cpu().to(at::kDouble), exact.detach(), unit, unit));
  // Gradients are sums in float32 of at most 48 terms.
  EXPECT_TRUE(at::allclose(grads.table.cpu().to(at::kDouble), table64.grad(), 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(grads.time.cpu().to(at::kDouble), time64.grad(), 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(grads.puzzle_rows.cpu().to(at::kDouble), puzzle64.grad(), unit * 8, 1e-5));
}

TEST_P(FusedTest, NaNsComeThrough) {
  auto x = at::zeros({2, 16}, at::TensorOptions(device()).dtype(type()));
  x[1][3].fill_(std::numeric_limits<double>::quiet_NaN());
  const auto norm = add_rms_norm(x, at::zeros_like(x), 1e-5);
  EXPECT_FALSE(norm.y[0].isnan().any().item<bool>());
  EXPECT_TRUE(norm.y[1].isnan().all().item<bool>());
  EXPECT_TRUE(swiglu(x)[1].isnan().any().item<bool>());
  EXPECT_TRUE(add3(x, x, x)[1].isnan().any().item<bool>());
  const auto target = at::zeros({1, 2}, x.options().dtype(at::kInt));
  EXPECT_TRUE(cross_entropy(x.view({1, 2, 16}), target, {}, Loss{}, 16).loss.isnan().all().item<bool>());
}

TEST_P(FusedTest, ExtremeGatesStayFinite) {
  const auto x =
      torch::tensor(std::vector<double>{-200.0, -90.0, -30.0, 0.0, 30.0, 90.0, 200.0, 1e4, 1, 1, 1, 1, 1, 1, 1, 1},
                    at::kDouble)
          .view({1, 16});
  compare(
      "swiglu", {swiglu(input(x)), swiglu_backward(input(x), input(at::ones({1, 8})))},
      [](const auto& in) { return reference::swiglu(in[0]); }, {x}, at::ones({1, 8}, at::kDouble));
}

INSTANTIATE_TEST_SUITE_P(Types, FusedTest,
                         ::testing::Combine(::testing::ValuesIn(devices()),
                                            ::testing::Values(at::kFloat, at::kBFloat16)),
                         [](const auto& instance) {
                           return std::string(std::get<1>(instance.param) == at::kFloat ? "float32" : "bfloat16") +
                                  (std::get<0>(instance.param) == at::kCUDA ? "_cuda" : "");
                         });

}  // namespace
}  // namespace dis
