// TensorBoard event files: scalars only.
//
// A file is a sequence of TFRecords (length, masked CRC-32C of the length, data, masked CRC-32C of the data; little
// endian), each an `Event` in protobuf encoding (tensorflow/core/util/event.proto, summary.proto).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "dis/core/files.h"

namespace dis {

/// CRC-32C (Castagnoli).
std::uint32_t crc32c(std::string_view bytes);

/// TensorBoard sees a point no later than this.
inline constexpr double kEventSeconds = 30.0;

class EventFile {
 public:
  /// Makes a new file `events.out.tfevents.<seconds>.<host>.<pid>` in `folder`, which sorts behind all event files
  /// there. `start_step` is the first step that it may hold: TensorBoard drops what earlier files of the folder say
  /// about that step and later ones. A run resumed from the checkpoint of step k passes k + 1. `clock`: seconds from
  /// any origin, never backwards; by default the steady clock.
  EventFile(const std::filesystem::path& folder, std::int64_t start_step, std::function<double()> clock = {});
  ~EventFile();  ///< flushes; an error is only logged
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// Adds the point (step, value) to the curve `tag`. Kept in memory until there is a good deal of it, and for
  /// kEventSeconds at most as long as points come; before a pause, or when they come more seldom, flush.
  void scalar(std::string_view tag, std::int64_t step, double value);
  /// Hands everything to the system; UserError when that fails (what was kept is lost then).
  void flush();
  /// The same if the last time was kEventSeconds ago: for the end of a group of points.
  void flush_if_due();

 private:
  void add_record(std::string_view event);

  std::filesystem::path path_;
  AppendFile file_;
  std::string pending_;
  std::function<double()> clock_;
  double flushed_at_ = 0.0;
};

}  // namespace dis
