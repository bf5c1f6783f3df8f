// The sizes of a network of a few numbers, for tests.
#pragma once

#include "dis/model/weights.h"

namespace dis {

/// Width 24, two heads, two puzzle positions, one identifier, 3 supervision steps; fields of `length` cells, `answers`
/// tokens that can be an answer and a mask token.
inline ModelShape small_model_shape(std::int64_t length, std::int64_t answers) {
  ModelShape shape;
  shape.config.hidden_size = 24;
  shape.config.num_heads = 2;
  shape.config.expansion = 0.5;
  shape.config.puzzle_emb_len = 2;
  shape.config.puzzle_emb_ndim = 24;
  shape.vocabulary = answers + 1;
  shape.answers = answers;
  shape.length = length;
  shape.identifiers = 1;
  shape.supervision = 3;
  return shape;
}

}  // namespace dis
