// The matrix product against float64, over sizes around the edges of its tiles and all the strides that the network
// uses.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "dis/core/random.h"
#include "dis/ops/matmul.h"

namespace dis {
namespace {

at::Tensor random_matrix(std::int64_t rows, std::int64_t columns, std::uint64_t index) {
  auto x = at::empty({rows, columns}, at::kFloat);
  Draws draws(5, Purpose::test, 0, index);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data_ptr<float>()[i] = static_cast<float>(draws.normal());
  return x;
}

TEST(Matmul, EveryStrideAndEdge) {
  for (const std::int64_t m : {1, 5, 6, 7, 25, 49}) {
    for (const std::int64_t n : {1, 3, 16, 63, 64, 65, 130}) {
      for (const std::int64_t k : {1, 2, 255, 256, 257, 600}) {
        const auto a = random_matrix(m, k, 1), a_turned = random_matrix(k, m, 2), b = random_matrix(k, n, 3),
                   b_turned = random_matrix(n, k, 4);
        const auto check = [&](const at::Tensor& left, const at::Tensor& right) {
          const auto exact = at::mm(left.to(at::kDouble), right.to(at::kDouble));
          // k roundings of partial sums of at most about 4 sqrt(k); a wrong term would be off by about 1.
          const double allowed = 1e-6 + 2.5e-7 * static_cast<double>(k);
          const auto got = matrix_product(left, right);
          ASSERT_TRUE(((got.to(at::kDouble) - exact).abs() <= allowed).all().item<bool>()) << m << " " << n << " " << k;
          const auto c = random_matrix(m, n, 5);
          const auto onto = matrix_product_onto(c.clone(), left, right);
          ASSERT_TRUE(((onto.to(at::kDouble) - exact - c).abs() <= allowed).all().item<bool>())
              << m << " " << n << " " << k;
        };
        check(a, b);
        check(a, b_turned.t());
        check(a_turned.t(), b);
      }
    }
  }
}

TEST(Matmul, ResultDoesNotDependOnThreads) {
  const auto a = random_matrix(1000, 300, 6), b = random_matrix(300, 70, 7);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = matrix_product(a, b);
  at::set_num_threads(2);
  const auto two = matrix_product(a, b);
  at::set_num_threads(before);
  EXPECT_TRUE(one.equal(two));
}

TEST(Matmul, NaNsReachTheirRow) {
  auto a = at::ones({8, 4});
  a[2][1] = std::nan("");
  const auto c = matrix_product(a, at::ones({4, 3}));
  EXPECT_TRUE(c[2].isnan().all().item<bool>());
  EXPECT_EQ(c.isnan().sum().item<std::int64_t>(), 3);
}

}  // namespace
}  // namespace dis
