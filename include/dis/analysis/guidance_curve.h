// The policy-improvement reading of a supervision step (method, section 8), cell by cell.
//
// l_u are the log-probabilities of a cell's tokens before the step, l_c those after it, d = l_c - l_u. The guided
// policy is pi_w = softmax(l_u + w d), so w = 0 is the policy before the step and w = 1 the one after it. With the
// right token y
//
//   L(w)  = -log pi_w(y)
//   L'(w) = E_{pi_w}[d] - d[y]         minus the advantage margin (eq. 18): the step helps while the margin is positive
//   L''(w) = Var_{pi_w}[d] >= 0        so L is convex, and so are its sums over cells
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace dis {

/// The values of w at which everything is computed: 0, 1/points, 2/points, ..., largest.
struct GuidanceGrid {
  std::int64_t largest = 3;
  std::int64_t points = 4;  ///< per unit of w

  std::size_t size() const { return static_cast<std::size_t>(largest * points + 1); }
  double at(std::size_t i) const { return static_cast<double>(i) / static_cast<double>(points); }
  std::size_t plain() const { return static_cast<std::size_t>(points); }  ///< index of w = 1, the plain decode
};

/// One cell at one w.
struct GuidedLoss {
  double loss = 0.0;       ///< L
  double margin = 0.0;     ///< -L'
  double curvature = 0.0;  ///< L''
};

/// `reference` l_u and `conditional` l_c: log-probabilities of the same tokens (up to a constant each); `truth` y.
GuidedLoss guided_loss(std::span<const double> reference, std::span<const double> conditional, std::size_t truth,
                       double w);

/// argmax of l_u + w d, the first one on ties; at w = 1 exactly the argmax of l_c.
std::size_t guided_answer(std::span<const double> reference, std::span<const double> conditional, double w);

/// Sums over cells, for each w of a grid.
class GuidanceCurve {
 public:
  struct Point {
    double loss = 0.0, margin = 0.0, curvature = 0.0;
    std::int64_t positive = 0;  ///< cells whose margin is positive
    std::int64_t right = 0;     ///< cells whose guided answer is right
  };

  explicit GuidanceCurve(const GuidanceGrid& grid) : grid_(grid), points_(grid.size()) {}

  /// One value per w of the grid.
  void add(std::span<const GuidedLoss> cell, std::span<const std::uint8_t> right);
  void add(const GuidanceCurve& other);

  std::int64_t cells() const { return cells_; }
  const GuidanceGrid& grid() const { return grid_; }
  const std::vector<Point>& points() const { return points_; }  ///< [grid.size()] sums

  /// The w with the least loss, and that loss per cell: where the sum of margins crosses zero between two points of the
  /// grid, by the polynomial of degree 5 that has L, L' and L'' of both points. An end of the grid when L falls beyond
  /// it. None without cells.
  struct Best {
    double w = 0.0, loss = 0.0;
    bool at_end = false;
  };
  std::optional<Best> best() const;

 private:
  GuidanceGrid grid_;
  std::int64_t cells_ = 0;
  std::vector<Point> points_;
};

}  // namespace dis
