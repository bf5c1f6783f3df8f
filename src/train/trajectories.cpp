#include "dis/train/trajectories.h"

#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/json.h"

namespace dis {
namespace {

/// Reads one file; knows what every message has to name.
class Reader {
 public:
  Reader(const std::filesystem::path& file, const DataShape& shape)
      : file_(file.string()),
        length_(static_cast<std::size_t>(shape.length)),
        side_(static_cast<std::size_t>(std::llround(std::sqrt(static_cast<double>(shape.length))))),
        vocabulary_(shape.vocabulary) {}

  Json entries() const {
    Json document = read_json(file_);
    if (!document.is_object() || !document.contains("trajectories") || !document["trajectories"].is_array()) {
      fail("top level", "expected an object with the list \"trajectories\", found " +
                            std::string(document.type_name()) + " without it");
    }
    return std::move(document["trajectories"]);
  }

  /// Checks `task` and `pair`; later messages name them.
  std::int64_t item_of(const Json& entry, std::size_t number, std::int64_t items) {
    where_ = "trajectories[" + std::to_string(number) + "]";
    if (!entry.is_object()) fail(where_, "expected an object, found " + std::string(entry.type_name()));
    const Json task = entry.value("task", Json());
    std::optional<std::int64_t> item;
    if (task.is_string()) item = number_in(task.get<std::string>());
    if (!item || *item >= items) {
      fail(where_ + ".task", "expected the number of a training item as a string, \"0\" to \"" +
                                 std::to_string(items - 1) + "\", found " +
                                 (entry.contains("task") ? task.dump() : "none"));
    }
    const Json pair = entry.value("pair", Json());
    if (pair != Json(0)) {
      fail(where_ + ".pair",
           "expected 0, as an item has one example; found " + (entry.contains("pair") ? pair.dump() : "none"));
    }
    where_ = "task \"" + task.get<std::string>() + "\", pair 0";
    return *item;
  }

  const Json& frames_of(const Json& entry) const {
    const auto frames = entry.find("frames");
    if (frames == entry.end() || !frames->is_array() || frames->empty()) {
      fail(where_, "expected \"frames\" to be a list of at least one board");
    }
    return *frames;
  }

  /// Appends the board to `frames` [., L], projected on the vocabulary; `before` [L] is the frame before it.
  void append_board(const Json& board, std::size_t frame, std::span<const std::int32_t> before,
                    std::vector<std::int32_t>& frames) const {
    const auto values = board.is_string() ? digits(board.get<std::string>(), frame) : cells(board, frame);
    for (std::size_t cell = 0; cell < length_; ++cell) {
      const bool known = values[cell] >= 1 && values[cell] < vocabulary_;
      frames.push_back(known ? static_cast<std::int32_t>(values[cell]) : before[cell]);
    }
  }

  /// Checks that the frames [M, L] come ever nearer to the label [L] and end there.
  void check_distances(std::span<const std::int32_t> frames, std::span<const std::int32_t> label) const {
    std::size_t last = 0;
    for (std::size_t frame = 0; frame * length_ < frames.size(); ++frame) {
      std::size_t distance = 0;
      for (std::size_t cell = 0; cell < length_; ++cell) {
        distance += label[cell] != kIgnore && frames[frame * length_ + cell] != label[cell];
      }
      if (frame > 0 && distance > last) {
        fail(name_of(frame), "expected no more cells that differ from the label than in the frame before (" +
                                 std::to_string(last) + "), found " + std::to_string(distance) +
                                 "; drop or mend the frame");
      }
      last = distance;
    }
    if (last != 0) {
      fail(name_of(frames.size() / length_ - 1), "expected the last frame to be the label, found " +
                                                     std::to_string(last) +
                                                     " cells that differ; add the label as the last frame");
    }
  }

  [[noreturn]] void fail(const std::string& where, const std::string& what) const {
    throw UserError("trajectory file " + file_ + ", " + where + ": " + what);
  }

 private:
  static std::optional<std::int64_t> number_in(const std::string& text) {
    const bool plain = !text.empty() && text.size() <= 18 && text.find_first_not_of("0123456789") == std::string::npos;
    return plain ? std::optional<std::int64_t>(std::stoll(text)) : std::nullopt;
  }

  /// Frames are numbered from 1 in messages, as in the rule of at_step().
  std::string name_of(std::size_t frame) const { return where_ + ", frame " + std::to_string(frame + 1); }

  std::vector<std::int64_t> digits(const std::string& text, std::size_t frame) const {
    const bool plain = text.find_first_not_of("0123456789") == std::string::npos;
    if (text.size() != length_ || !plain) {
      fail(name_of(frame), "expected " + std::to_string(length_) + " digits, one per cell, found " +
                               std::to_string(text.size()) +
                               (plain ? " digits" : " characters, not all of them digits"));
    }
    std::vector<std::int64_t> values;
    for (const char digit : text) values.push_back(digit - '0');
    return values;
  }

  std::vector<std::int64_t> cells(const Json& board, std::size_t frame) const {
    const std::string size = std::to_string(side_);
    if (!board.is_array() || board.size() != side_ || side_ * side_ != length_) {
      fail(name_of(frame), "expected a string of " + std::to_string(length_) + " digits or " + size + " rows of " +
                               size + " integers, found " + std::string(board.type_name()) + " of " +
                               std::to_string(board.size()));
    }
    std::vector<std::int64_t> values;
    for (const Json& row : board) {
      if (!row.is_array() || row.size() != side_) {
        fail(name_of(frame), "expected rows of " + size + " integers, found " + std::string(row.type_name()) + " of " +
                                 std::to_string(row.size()));
      }
      for (const Json& value : row) {
        if (!value.is_number_integer()) fail(name_of(frame), "expected integers, found " + value.dump());
        values.push_back(value.get<std::int64_t>());
      }
    }
    return values;
  }

  std::string file_;
  std::size_t length_;
  std::size_t side_;
  std::int64_t vocabulary_;
  std::string where_;
};

}  // namespace

Trajectories::Trajectories(const std::filesystem::path& file, const DataShape& shape, std::int64_t items,
                           const ReadItem& read_item)
    : length_(shape.length), frames_(static_cast<std::size_t>(items)) {
  const auto length = static_cast<std::size_t>(length_);
  Reader reader(file, shape);
  const Json entries = reader.entries();
  std::vector<std::int32_t> input(length);
  std::vector<std::int32_t> label(length);
  for (std::size_t number = 0; number < entries.size(); ++number) {
    const std::int64_t item = reader.item_of(entries[number], number, items);
    auto& frames = frames_[static_cast<std::size_t>(item)];
    const std::string entry = "trajectories[" + std::to_string(number) + "]";
    if (!frames.empty()) {
      reader.fail(entry, "expected one trajectory per task, found a second one for task \"" + std::to_string(item) +
                             "\"; drop one");
    }
    read_item(item, input, label);
    const Json& boards = reader.frames_of(entries[number]);
    frames.reserve(boards.size() * length);
    std::vector<std::int32_t> before = input;
    for (std::size_t frame = 0; frame < boards.size(); ++frame) {
      reader.append_board(boards[frame], frame, before, frames);
      before.assign(frames.end() - length_, frames.end());
    }
    reader.check_distances(frames, label);
  }
  for (std::size_t item = 0; item < frames_.size(); ++item) {
    if (frames_[item].empty()) {
      reader.fail("task \"" + std::to_string(item) + "\"", "expected a trajectory for each of the " +
                                                               std::to_string(items) +
                                                               " training items, found none for this one; add it");
    }
  }
}

std::span<const std::int32_t> Trajectories::at_step(std::int64_t item, std::int64_t s, std::int64_t N) const {
  ensure(item >= 0 && item < std::ssize(frames_), "Trajectories::at_step", "the number of a training item");
  ensure(s >= 1 && s <= N, "Trajectories::at_step", "a step s of 1..N");
  const auto& frames = frames_[static_cast<std::size_t>(item)];
  const std::int64_t count = std::ssize(frames) / length_;
  const std::int64_t frame = (s * count + N - 1) / N - 1;
  return std::span(frames).subspan(static_cast<std::size_t>(frame * length_), static_cast<std::size_t>(length_));
}

}  // namespace dis
