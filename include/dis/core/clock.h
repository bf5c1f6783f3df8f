// The clock that durations and rates are measured by.
#pragma once

#include <chrono>

namespace dis {

/// Seconds from an origin that stays the same within a process; never backwards.
inline double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace dis
