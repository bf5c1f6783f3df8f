// Muon: the momentum of a weight matrix, brought near to an orthogonal one by Newton-Schulz iterations. Published
// forms, of u from momentum m and gradient g, with X the iterated u:
//   urm     m <- mu m + g; u = g + mu m; coefficients that change by step, in float32 from bfloat16 u;
//           p <- (1 - lr w) p - lr .2 sqrt(max(rows, columns)) X                  (URM, arXiv 2512.14693; nano-trm)
//   keller  m <- mu m + (1 - mu) g; u = (1 - mu) g + mu m; constant coefficients, in bfloat16;
//           p <- (1 - lr w) p - lr sqrt(max(1, rows / columns)) X                 (K. Jordan; jvdillon/sic as it runs)
//   normed  as keller, but p <- p sqrt(rows) / |p| - lr X: matrices of one norm, so that decay has no effect
//                                                                  (K. Jordan's airbench; sic's adjust_lr_fn =
//                                                                  "keller")
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "dis/config/config.h"

namespace dis {

/// X after `steps` iterations X <- a X + (b A + c A A) X, A = X X^T, from u [rows, columns] of norm 1, float32 or
/// float64; transposed meanwhile where rows > columns. `rounded`: every product is kept in bfloat16.
at::Tensor newton_schulz(const at::Tensor& u, MuonForm form, std::int64_t steps, bool rounded);

/// The scalars of an update, float32 [kMuonScalars] on the CPU: 1 - lr w, and lr. A tensor, as those of Adam.
at::Tensor muon_scalars(double lr, double weight_decay);
inline constexpr std::int64_t kMuonScalars = 2;

/// One update in place of p and m, float32 [rows, columns] like g, with the scalars on their device.
void muon_update(at::Tensor p, const at::Tensor& g, at::Tensor m, const OptimConfig& config, const at::Tensor& scalars);

}  // namespace dis
