// The network's policy: the probabilities of a cell's tokens, and the guided policy of two of them (method, section 8).
#pragma once

#include <ATen/core/Tensor.h>

#include "dis/config/config.h"
#include "dis/model/backbone.h"
#include "dis/ops/losses.h"

namespace dis {

/// Of a readout [B, S, V] that of the cells [B, L, A]: of the tokens that can be an answer, which the mask token
/// cannot.
at::Tensor answer_part(const ModelShape& shape, const at::Tensor& logits);
/// That of an answer state y [B, S, D].
at::Tensor answer_logits(const Backbone& model, const at::Tensor& y);

/// Log-probabilities, float64 [..., A], of logits [..., A] (any floating type), over just these A tokens.
at::Tensor log_policy(const at::Tensor& logits, const Loss& loss);

/// (1 - w) reference + w conditional, of log-probabilities [..., A]: those of the guided policy pi_w, up to a constant
/// per cell. w = 1 gives `conditional` exactly.
at::Tensor guided_policy(const at::Tensor& reference, const at::Tensor& conditional, double w);

}  // namespace dis
