// What the vote and the rescoring of its candidates share: rows in the forms that the network wants, and when to end.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dis/data/arc/arc_data.h"
#include "dis/eval/votes/arc_voting.h"

namespace dis {

/// A batch of rows in the forms that the network and the vote want.
struct Rows {
  std::vector<std::int32_t> inputs, ids;
  std::vector<Augmentation> augmentations;
};

Rows make_rows(const ArcData& data, std::span<const ArcTestRow> rows);

struct RowsDone {
  const char* what;  ///< "voted"
  std::int64_t done, total;
};

/// On all ranks alike: false when the time is up. Throws Stopped and CheckpointWanted where settings say so.
bool goes_on(const Session& session, const VotingSettings& settings, const RowsDone& rows);

}  // namespace dis
