// The losses of a cell: the cross entropy -sum_k q_k log p_k of the network's probabilities p_k = s(v_k) / sum_j s(v_j)
// to a target distribution q. A loss is its score s(v) of a logit v, and its q (method section 3).
//
// Written once: the kernels of CPU and GPU, LibTorch's composed operation, the reference and the policy of evaluation
// take both from here. A new loss is a structure with its lines in LossForm and with_loss(), and a name in method.loss
// (config/fields.def).
//
//   d(-sum_k q_k log p_k) / dv_j  =  s'(v_j) / sum_k s(v_k)  -  q_j s'(v_j) / s(v_j)
#pragma once

#include <cmath>
#include <cstdint>

// Inlined always: kernels that are compiled once per instruction set must not share code.
#ifdef __CUDACC__
#define DIS_LOSS __host__ __device__ __forceinline__
#else
#define DIS_LOSS [[gnu::always_inline]] inline
#endif

namespace dis {

/// In the order of method.loss.
enum class LossForm { stablemax, softmax, smoothed };

/// Which loss: what kernels and decoders are given (model/loss_of.h).
struct Loss {
  LossForm form = LossForm::stablemax;
  double smoothing = 0.0;  ///< of `smoothed`
};

/// All of q lies on the label.
struct OneHot {
  DIS_LOSS double elsewhere(std::int64_t /*entries*/) const { return 0.0; }
};

/// s(v) = v + 1 for v >= 0, 1 / (1 - v) below.
struct Stablemax : OneHot {
  static constexpr bool kShifted = false;  ///< whether kernels subtract the row's largest logit from v
  DIS_LOSS static double score(double v) { return v < 0.0 ? 1.0 / (1.0 - v) : v + 1.0; }
  DIS_LOSS static double slope(double v, double s) { return v < 0.0 ? s * s : 1.0; }  ///< s'(v), where s = s(v)
  DIS_LOSS static double slope_of_log(double v, double s) { return slope(v, s) / s; }
  DIS_LOSS static double log_score(double /*v*/, double s) { return ::log(s); }
  /// log s(v) of a tensor, differentiable. The clamp keeps the branch that is not taken finite.
  template <class Tensor>
  static Tensor log_score(const Tensor& v) {
    return where(v < 0.0, 1.0 / (1.0 - v.clamp_max(0.0)), v + 1.0).log();
  }
};

/// s(v) = exp(v).
struct Softmax : OneHot {
  static constexpr bool kShifted = true;
  DIS_LOSS static double score(double v) { return ::exp(v); }
  DIS_LOSS static double slope(double /*v*/, double s) { return s; }
  DIS_LOSS static double slope_of_log(double /*v*/, double /*s*/) { return 1.0; }
  DIS_LOSS static double log_score(double v, double /*s*/) { return v; }
  template <class Tensor>
  static Tensor log_score(const Tensor& v) {
    return v;
  }
};

/// The soft-max loss to a target that has `smoothing` of its weight spread evenly over all entries: q_k =
/// (1 - smoothing) [k = target] + smoothing / V (Szegedy et al., arXiv 1512.00567).
struct Smoothed : Softmax {
  double smoothing;
  DIS_LOSS explicit Smoothed(double share) : smoothing(share) {}
  DIS_LOSS double elsewhere(std::int64_t entries) const { return smoothing / static_cast<double>(entries); }
};

/// Calls f with the structure of a loss: the table of losses. On the host.
template <class F>
auto with_loss(const Loss& loss, const F& f) {
  switch (loss.form) {
    case LossForm::softmax:
      return f(Softmax());
    case LossForm::smoothed:
      return f(Smoothed(loss.smoothing));
    case LossForm::stablemax:
      break;
  }
  return f(Stablemax());
}

/// log p of the target of one cell, its q smoothed as the loss says, and the gradient of -log p: `gradient(k, value)`
/// receives it for every entry k, in order, if `wanted`. `logit(k)` is v_k.
///
/// The row is read twice instead of being kept, so any vocabulary fits.
template <class L, class Logit, class Gradient>
DIS_LOSS double cell_log_probability(const L& loss, const Logit& logit, std::int64_t target, std::int64_t entries,
                                     bool wanted, const Gradient& gradient) {
  double shift = 0.0;
  if constexpr (L::kShifted) {
    shift = logit(0);
    for (std::int64_t k = 1; k < entries; ++k) shift = logit(k) > shift ? logit(k) : shift;
  }
  double sum = 0.0;
  for (std::int64_t k = 0; k < entries; ++k) sum += L::score(logit(k) - shift);
  const double elsewhere = loss.elsewhere(entries);
  const double own = 1.0 - elsewhere * static_cast<double>(entries - 1);
  for (std::int64_t k = 0; wanted && k < entries; ++k) {
    const double v = logit(k) - shift, s = L::score(v), q = k == target ? own : elsewhere;
    gradient(k, L::slope(v, s) / sum - (q > 0.0 ? q * L::slope_of_log(v, s) : 0.0));
  }
  const double v = logit(target) - shift;
  double log_p = own * (L::log_score(v, L::score(v)) - ::log(sum));
  for (std::int64_t k = 0; elsewhere > 0.0 && k < entries; ++k) {
    const double w = logit(k) - shift;
    if (k != target) log_p += elsewhere * (L::log_score(w, L::score(w)) - ::log(sum));
  }
  return log_p;
}

}  // namespace dis

#undef DIS_LOSS
