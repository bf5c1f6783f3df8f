#include "dis/train/lanes.h"

#include <ATen/ATen.h>

namespace dis {

LaneTensors narrow_lanes(const std::vector<LaneField>& fields, const LaneTensors& all, std::int64_t first,
                         std::int64_t count) {
  LaneTensors part;
  for (const auto& field : fields) part.*field.tensor = (all.*field.tensor).narrow(0, first, count);
  return part;
}

LaneTensors allocate_lanes(const std::vector<LaneField>& fields, const ModelShape& shape, std::int64_t lanes,
                           const at::TensorOptions& states) {
  const auto row_of = [&](LaneRow row) -> std::vector<std::int64_t> {
    switch (row) {
      case LaneRow::number:
        return {};
      case LaneRow::cells:
        return {shape.length};
      case LaneRow::frames:
        return {shape.supervision + 1, shape.length};
      case LaneRow::heads:
        return {2};
      case LaneRow::state:
        return {shape.positions(), shape.config.hidden_size};
      case LaneRow::puzzle:
        return {shape.config.puzzle_emb_ndim};
    }
    return {};
  };
  LaneTensors all;
  for (const auto& field : fields) {
    auto size = row_of(field.row);
    size.insert(size.begin(), lanes);
    all.*field.tensor = at::zeros(size, field.row == LaneRow::state ? states : states.dtype(field.type));
  }
  return all;
}

}  // namespace dis
