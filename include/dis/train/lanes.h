// What training's lanes hold on the device. Each tensor has a row per lane, is allocated once and then overwritten, so
// that a captured graph finds it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "dis/model/weights.h"

namespace dis {

/// Fields that a method does not use are undefined.
struct LaneTensors {
  at::Tensor inputs, labels, ids;                 ///< the samples: puzzle, answer, puzzle identifier
  at::Tensor sample, next_sample;                 ///< their positions in the training stream, where draws need them
  at::Tensor tokens;                              ///< what step s sees
  at::Tensor next_inputs, next_labels, next_ids;  ///< samples that lanes take when they are done
  at::Tensor steps, halted, floor;                ///< s of this tick; whether the sample ended; least s that may halt
  at::Tensor frames, target, target_before;       ///< t_0..t_N; t_s; t_{s-1}
  at::Tensor scale;                               ///< weight of the lane's loss in the gradient
  at::Tensor y, z;                                ///< the states
  at::Tensor loss, halting_loss, q;               ///< what this tick found: losses, halting logits
  at::Tensor predictions, correct;                ///< argmax of the cells; how many are the label
  at::Tensor puzzle_gradient;
};

/// What a lane's row of a tensor is.
enum class LaneRow {
  number,  ///< []
  cells,   ///< [L]
  frames,  ///< [N + 1, L]
  heads,   ///< [2]
  state,   ///< [S, D] in the compute type
  puzzle,  ///< [E]
};

/// A field that a method uses; kept: a checkpoint holds it, as "lanes.<name>".
struct LaneField {
  const char* name;
  at::Tensor LaneTensors::*tensor;
  LaneRow row = LaneRow::number;
  at::ScalarType type = at::kInt;
  bool kept = false;
};

/// Views of some lanes.
LaneTensors narrow_lanes(const std::vector<LaneField>& fields, const LaneTensors& all, std::int64_t first,
                         std::int64_t count);

/// `lanes` rows of zeros of every field; `states`: device, and type of the states.
LaneTensors allocate_lanes(const std::vector<LaneField>& fields, const ModelShape& shape, std::int64_t lanes,
                           const at::TensorOptions& states);

}  // namespace dis
