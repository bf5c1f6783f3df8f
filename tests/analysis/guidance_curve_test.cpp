// L(w), its derivatives and the best w against plain definitions, finite differences and a search.
#include "dis/analysis/guidance_curve.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dis/core/random.h"

namespace dis {
namespace {

constexpr std::size_t kTokens = 5;

struct Cell {
  std::vector<double> reference, conditional;
  std::size_t truth = 0;
};

Cell random_cell(std::uint64_t index, double spread = 2.0) {
  Draws draws(11, Purpose::test, 0, index);
  Cell cell;
  for (std::size_t k = 0; k < kTokens; ++k) {
    cell.reference.push_back(spread * draws.normal());
    cell.conditional.push_back(spread * draws.normal());
  }
  cell.truth = draws.below(kTokens);
  return cell;
}

GuidedLoss at(const Cell& cell, double w) { return guided_loss(cell.reference, cell.conditional, cell.truth, w); }

TEST(GuidedLoss, IsTheLossOfTheGuidedPolicy) {
  for (std::uint64_t i = 0; i < 50; ++i) {
    const auto cell = random_cell(i);
    for (const double w : {0.0, 0.3, 1.0, 2.5, -1.0}) {
      // pi_w = pi_u^(1-w) pi_c^w / Z
      double sum = 0.0;
      for (std::size_t k = 0; k < kTokens; ++k) {
        sum += std::pow(std::exp(cell.reference[k]), 1.0 - w) * std::pow(std::exp(cell.conditional[k]), w);
      }
      const double own =
          std::pow(std::exp(cell.reference[cell.truth]), 1.0 - w) * std::pow(std::exp(cell.conditional[cell.truth]), w);
      EXPECT_NEAR(at(cell, w).loss, -std::log(own / sum), 1e-11) << i << " at " << w;
    }
  }
}

TEST(GuidedLoss, DerivativesAreThoseOfFiniteDifferences) {
  constexpr double h = 1e-4;
  for (std::uint64_t i = 0; i < 50; ++i) {
    const auto cell = random_cell(i);
    for (const double w : {0.0, 0.5, 1.0, 2.0}) {
      const auto here = at(cell, w), left = at(cell, w - h), right = at(cell, w + h);
      // Central differences of a smooth function: an error of h^2 times its third derivative, some 1e-6 here.
      EXPECT_NEAR(-here.margin, (right.loss - left.loss) / (2 * h), 1e-5) << i << " at " << w;
      EXPECT_NEAR(here.curvature, -(right.margin - left.margin) / (2 * h), 1e-5) << i << " at " << w;
      EXPECT_GE(here.curvature, 0.0);
    }
  }
}

TEST(GuidedLoss, ChangesByAConstantPerCellDoNotMatter) {
  for (std::uint64_t i = 0; i < 20; ++i) {
    auto cell = random_cell(i);
    const auto before = at(cell, 1.7);
    for (auto& l : cell.reference) l += 12.0;
    for (auto& l : cell.conditional) l -= 5.0;
    EXPECT_NEAR(at(cell, 1.7).loss, before.loss, 1e-10);
    EXPECT_NEAR(at(cell, 1.7).margin, before.margin, 1e-10);
    EXPECT_NEAR(at(cell, 1.7).curvature, before.curvature, 1e-9);
  }
}

TEST(GuidedLoss, StaysFiniteAndExactWhereThePolicyIsCertain) {
  const std::vector<double> reference{-1.0, -700.0, -900.0}, conditional{0.0, -800.0, -650.0};
  const auto found = guided_loss(reference, conditional, 0, 1.0);
  EXPECT_GE(found.loss, 0.0);
  EXPECT_LT(found.loss, 1e-200);
  // d = 1, -100, 250: only the third token matters, by 249 e^-650. Differences of means would lose it.
  EXPECT_NEAR(found.margin / (-249.0 * std::exp(-650.0)), 1.0, 1e-9);
  const auto wrong = guided_loss(reference, conditional, 1, 1.0);
  EXPECT_NEAR(wrong.loss, 800.0, 1e-9);
  EXPECT_NEAR(wrong.margin, -101.0, 1e-9) << "d[y] = -100, and E[d] = 1";
}

TEST(GuidedAnswer, IsTheArgmaxAndPlainAtOne) {
  // 1 + 1e-17 is 1: l_u + (l_c - l_u) would lose what tells these two apart.
  const std::vector<double> reference{1e9, 2e9, 0.0}, conditional{0.25, 0.125, 0.0};
  EXPECT_EQ(guided_answer(reference, conditional, 0.0), 1U);
  EXPECT_EQ(guided_answer(reference, conditional, 1.0), 0U);
  EXPECT_EQ(guided_answer(std::vector<double>{1.0, 1.0}, std::vector<double>{3.0, 3.0}, 2.0), 0U)
      << "the first of equals";
  for (std::uint64_t i = 0; i < 50; ++i) {
    const auto cell = random_cell(i);
    const auto best = std::ranges::max_element(cell.conditional) - cell.conditional.begin();
    EXPECT_EQ(guided_answer(cell.reference, cell.conditional, 1.0), static_cast<std::size_t>(best));
  }
}

GuidanceCurve curve_of(const std::vector<Cell>& cells, const GuidanceGrid& grid) {
  GuidanceCurve curve(grid);
  for (const auto& cell : cells) {
    std::vector<GuidedLoss> losses;
    std::vector<std::uint8_t> right;
    for (std::size_t w = 0; w < grid.size(); ++w) {
      losses.push_back(at(cell, grid.at(w)));
      right.push_back(guided_answer(cell.reference, cell.conditional, grid.at(w)) == cell.truth ? 1 : 0);
    }
    curve.add(losses, right);
  }
  return curve;
}

double mean_loss(const std::vector<Cell>& cells, double w) {
  double sum = 0.0;
  for (const auto& cell : cells) sum += at(cell, w).loss;
  return sum / static_cast<double>(cells.size());
}

TEST(GuidanceCurve, BestIsWhereASearchFindsTheLeastLoss) {
  const GuidanceGrid grid{3, 4};
  int inside = 0;
  for (std::uint64_t set = 0; set < 30; ++set) {
    std::vector<Cell> cells;
    for (std::uint64_t i = 0; i < 20; ++i) {
      cells.push_back(random_cell(1000 * set + i, 1.0));
      cells.back().conditional[cells.back().truth] += 1.0;  // so that the best w lies near 1
    }
    const auto best = curve_of(cells, grid).best();
    ASSERT_TRUE(best.has_value());
    double searched = 0.0;
    for (double w = 0.0; w <= 3.0; w += 1e-3) {
      if (mean_loss(cells, w) < mean_loss(cells, searched)) searched = w;
    }
    EXPECT_NEAR(best->w, searched, 1.1e-3) << set;
    EXPECT_NEAR(best->loss, mean_loss(cells, best->w), 1e-5) << "(h/2)^6 / 6! times the sixth derivative";
    inside += best->at_end ? 0 : 1;
  }
  EXPECT_GT(inside, 20);
}

TEST(GuidanceCurve, BestAtAnEndOfTheGridSaysSo) {
  const GuidanceGrid grid{2, 2};
  const Cell better{{0.0, 0.0}, {5.0, 0.0}, 0}, worse{{0.0, 0.0}, {-5.0, 0.0}, 0};
  const auto high = curve_of({better}, grid).best(), low = curve_of({worse}, grid).best();
  EXPECT_TRUE(high->at_end && high->w == 2.0);
  EXPECT_TRUE(low->at_end && low->w == 0.0);
  EXPECT_FALSE(GuidanceCurve(grid).best().has_value());
}

TEST(GuidanceCurve, CountsAndAddsUp) {
  const GuidanceGrid grid{3, 4};
  EXPECT_EQ(grid.size(), 13U);
  EXPECT_EQ(grid.at(grid.plain()), 1.0);
  std::vector<Cell> first, second, both;
  for (std::uint64_t i = 0; i < 9; ++i) (i < 4 ? first : second).push_back(random_cell(i));
  both = first;
  both.insert(both.end(), second.begin(), second.end());
  auto sum = curve_of(first, grid);
  sum.add(curve_of(second, grid));
  const auto whole = curve_of(both, grid);
  EXPECT_EQ(sum.cells(), 9);
  for (std::size_t w = 0; w < grid.size(); ++w) {
    EXPECT_NEAR(sum.points()[w].loss, whole.points()[w].loss, 1e-12);
    EXPECT_EQ(sum.points()[w].positive, whole.points()[w].positive);
    EXPECT_EQ(sum.points()[w].right, whole.points()[w].right);
    std::int64_t right = 0, positive = 0;
    for (const auto& cell : both) {
      right += guided_answer(cell.reference, cell.conditional, grid.at(w)) == cell.truth ? 1 : 0;
      positive += at(cell, grid.at(w)).margin > 0.0 ? 1 : 0;
    }
    EXPECT_EQ(whole.points()[w].right, right);
    EXPECT_EQ(whole.points()[w].positive, positive);
  }
}

}  // namespace
}  // namespace dis
