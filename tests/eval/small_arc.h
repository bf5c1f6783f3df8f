// A network of a few numbers, untrained, and the small ARC sets, for tests of the vote.
#pragma once

#include <filesystem>

#include "dis/config/config.h"
#include "dis/train/session.h"

namespace dis {

inline RunConfig small_arc() {
  RunConfig config;
  config.data.kind = DataKind::arc;
  config.data.path = (std::filesystem::path(DIS_SOURCE_DIR) / "tests/data/arc").string();
  config.data.subsets = "small,other";
  config.data.test_set = "small";
  config.data.augmentations = 6;
  config.data.max_grid = 6;
  config.model.hidden_size = 16;
  config.model.num_heads = 2;
  config.model.expansion = 0.5;
  config.model.puzzle_emb_len = 1;
  config.method.num_supervision = 2;
  config.compute.dtype = ComputeType::float32;
  config.compute.threads = 2;
  return config;
}

}  // namespace dis
