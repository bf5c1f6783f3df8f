// The loss that a configuration names.
#pragma once

#include "dis/config/config.h"
#include "dis/ops/losses.h"

namespace dis {

static_assert(static_cast<int>(LossForm::stablemax) == static_cast<int>(LossKind::stablemax));
static_assert(static_cast<int>(LossForm::softmax) == static_cast<int>(LossKind::softmax));
static_assert(static_cast<int>(LossForm::smoothed) == static_cast<int>(LossKind::smoothed));

inline Loss loss_of(const MethodConfig& method) { return {static_cast<LossForm>(method.loss), method.label_smoothing}; }

}  // namespace dis
