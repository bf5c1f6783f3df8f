#include "dis/train/trajectories.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/json.h"
#include "dis/data/arc/arc_puzzles.h"

namespace dis {
namespace {

/// Rows of the same length, as the file has them: any integers.
struct RawFrame {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<std::int64_t> values;
};

bool only(const std::string& text, const char* characters) {
  return text.find_first_not_of(characters) == std::string::npos;
}

/// "012/34" -> {"012", "34"}
std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> rows(1);
  for (const char c : text) {
    if (c == '/') {
      rows.emplace_back();
    } else {
      rows.back() += c;
    }
  }
  return rows;
}

std::vector<std::string> chunks(const std::string& text, std::size_t size) {
  std::vector<std::string> rows;
  for (std::size_t begin = 0; begin < text.size(); begin += size) rows.push_back(text.substr(begin, size));
  return rows;
}

/// Reads one file; knows what every message has to name.
class Reader {
 public:
  Reader(const std::filesystem::path& file, const TrajectoryItems& items)
      : file_(file.string()),
        items_(items),
        length_(static_cast<std::size_t>(items.shape.length)),
        side_(static_cast<std::size_t>(std::llround(std::sqrt(static_cast<double>(items.shape.length))))) {
    ensure(side_ * side_ == length_, "Trajectories", "a square of cells");
  }

  Json entries() const {
    Json document = read_json(file_);
    if (!document.is_object() || !document.contains("trajectories") || !document["trajectories"].is_array()) {
      fail("top level", "expected an object with the list \"trajectories\", found " +
                            std::string(document.type_name()) + " without it");
    }
    return std::move(document["trajectories"]);
  }

  /// The item that the entry is about; later messages name it.
  std::int64_t item_of(const Json& entry, std::size_t number) {
    where_ = "trajectories[" + std::to_string(number) + "]";
    if (!entry.is_object()) fail(where_, "expected an object, found " + std::string(entry.type_name()));
    const auto found = [&](const char* key) { return entry.contains(key) ? in_message(entry[key]) : "none"; };
    const Json task = entry.value("task", Json());
    if (!task.is_string()) fail(where_ + ".task", "expected a string, found " + found("task"));
    const Json pair = entry.value("pair", Json());
    if (!pair.is_number_integer()) fail(where_ + ".pair", "expected an integer, found " + found("pair"));
    const auto item = items_.find(task.get<std::string>(), pair.get<std::int64_t>());
    if (!item) {
      fail(where_ + ".task and .pair", "expected " + known_items() + ", found " + found("task") + " and " +
                                           found("pair") + "; drop or correct the entry");
    }
    where_ = items_.name(*item);
    return *item;
  }

  const Json& frames_of(const Json& entry) const {
    const auto frames = entry.find("frames");
    if (frames == entry.end() || !frames->is_array() || frames->empty()) {
      fail(where_, "expected \"frames\" to be a list of at least one frame");
    }
    return *frames;
  }

  /// Appends the tokens of a frame to `frames` [., L], projected on the vocabulary; `before` [L] is the frame before.
  void append_frame(const Json& json, std::size_t frame, std::span<const std::int32_t> before,
                    std::vector<std::int32_t>& frames) const {
    const RawFrame raw = json.is_string() ? from_text(json.get<std::string>(), frame) : from_rows(json, frame);
    frames.resize(frames.size() + length_);
    const auto tokens = std::span(frames).last(length_);
    items_.grids ? write_grid(raw, before, tokens) : write_board(raw, before, tokens);
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
  /// Frames are numbered from 1 in messages, as in the rule of at_step().
  std::string name_of(std::size_t frame) const { return where_ + ", frame " + std::to_string(frame + 1); }

  std::string known_items() const {
    return items_.grids ? "the id of a task and the index, from 0, of one of its pairs that training sees"
                        : "the number of a training board as a string, \"0\" to \"" + std::to_string(items_.count - 1) +
                              "\", and pair 0";
  }

  std::string known_form() const {
    const std::string side = std::to_string(side_);
    return items_.grids
               ? "a grid, at most " + side + " x " + side +
                     ", as a list of rows of integers or a text of digits such as \"012/340\""
               : "a text of " + std::to_string(length_) + " digits or " + side + " rows of " + side + " integers";
  }

  RawFrame from_text(const std::string& text, std::size_t frame) const {
    RawFrame raw;
    if (!only(text, items_.grids ? "0123456789/" : "0123456789")) {
      fail(name_of(frame), "expected " + known_form() + ", found a text with other characters");
    }
    if (!items_.grids && text.size() != length_) {
      fail(name_of(frame), "expected " + known_form() + ", found " + std::to_string(text.size()) + " digits");
    }
    for (const std::string& row : items_.grids ? split(text) : chunks(text, side_)) {
      for (const char digit : row) raw.values.push_back(digit - '0');
      end_row(raw, row.size(), frame);
    }
    check_size(raw, frame);
    return raw;
  }

  RawFrame from_rows(const Json& json, std::size_t frame) const {
    RawFrame raw;
    if (!json.is_array()) {
      fail(name_of(frame), "expected " + known_form() + ", found " + std::string(json.type_name()));
    }
    for (const Json& row : json) {
      if (!row.is_array()) {
        fail(name_of(frame), "expected " + known_form() + ", found " + std::string(row.type_name()) + " as row " +
                                 std::to_string(raw.rows));
      }
      for (const Json& value : row) {
        if (!value.is_number_integer()) fail(name_of(frame), "expected integers, found " + in_message(value));
        raw.values.push_back(value.get<std::int64_t>());
      }
      end_row(raw, row.size(), frame);
    }
    check_size(raw, frame);
    return raw;
  }

  /// Counts a row of `columns` values.
  void end_row(RawFrame& raw, std::size_t columns, std::size_t frame) const {
    if (raw.rows == 0) raw.columns = columns;
    if (columns != raw.columns) {
      fail(name_of(frame), "expected rows of the same length, found " + std::to_string(columns) + " cells in row " +
                               std::to_string(raw.rows) + " and " + std::to_string(raw.columns) + " in row 0");
    }
    ++raw.rows;
  }

  void check_size(const RawFrame& raw, std::size_t frame) const {
    const bool fits = items_.grids ? raw.rows >= 1 && raw.rows <= side_ && raw.columns >= 1 && raw.columns <= side_
                                   : raw.rows == side_ && raw.columns == side_;
    if (!fits) {
      fail(name_of(frame), "expected " + known_form() + ", found " + std::to_string(raw.rows) + " rows of " +
                               std::to_string(raw.columns));
    }
  }

  void write_board(const RawFrame& raw, std::span<const std::int32_t> before, std::span<std::int32_t> tokens) const {
    for (std::size_t cell = 0; cell < length_; ++cell) {
      const bool known = raw.values[cell] >= 1 && raw.values[cell] < items_.shape.vocabulary;
      tokens[cell] = known ? static_cast<std::int32_t>(raw.values[cell]) : before[cell];
    }
  }

  void write_grid(const RawFrame& raw, std::span<const std::int32_t> before, std::span<std::int32_t> tokens) const {
    const auto colour = [&](std::size_t row, std::size_t column) {
      const std::int64_t value = raw.values[row * raw.columns + column];
      if (value >= 0 && value < kColours) return value;
      return std::max<std::int64_t>(before[row * side_ + column] - kFirstColourToken, 0);  // 0: no colour there
    };
    Grid grid{static_cast<int>(raw.rows), static_cast<int>(raw.columns), {}};
    for (std::size_t row = 0; row < raw.rows; ++row) {
      for (std::size_t column = 0; column < raw.columns; ++column) {
        grid.cells.push_back(static_cast<std::uint8_t>(colour(row, column)));
      }
    }
    write_field(grid, Augmentation{}, Translation{}, static_cast<int>(side_), kPadToken, tokens);
  }

  std::string file_;
  const TrajectoryItems& items_;
  std::size_t length_;
  std::size_t side_;
  std::string where_;
};

}  // namespace

Trajectories::Trajectories(const std::filesystem::path& file, const TrajectoryItems& items, TrajectoryMissing missing)
    : length_(items.shape.length), frames_(static_cast<std::size_t>(items.count)) {
  const auto length = static_cast<std::size_t>(length_);
  Reader reader(file, items);
  const Json entries = reader.entries();
  std::vector<std::int32_t> input(length);
  std::vector<std::int32_t> label(length);
  for (std::size_t number = 0; number < entries.size(); ++number) {
    const std::int64_t item = reader.item_of(entries[number], number);
    auto& frames = frames_.at(static_cast<std::size_t>(item));
    if (!frames.empty()) {
      reader.fail("trajectories[" + std::to_string(number) + "]",
                  "expected one trajectory per example, found a second one for " + items.name(item) + "; drop one");
    }
    items.read(item, input, label);
    const Json& list = reader.frames_of(entries[number]);
    frames.reserve(list.size() * length);
    std::vector<std::int32_t> before = input;
    for (std::size_t frame = 0; frame < list.size(); ++frame) {
      reader.append_frame(list[frame], frame, before, frames);
      before.assign(frames.end() - length_, frames.end());
    }
    reader.check_distances(frames, label);
  }
  if (missing == TrajectoryMissing::label || missing_count() == 0) return;
  const auto first = std::ranges::find_if(frames_, [](const auto& frames) { return frames.empty(); });
  reader.fail(items.name(first - frames_.begin()),
              "expected a trajectory for each of the " + std::to_string(items.count) +
                  " training examples, found none for this one (" + std::to_string(missing_count()) +
                  " have none); add it, or set method.trajectory_missing = label");
}

std::span<const std::int32_t> Trajectories::at_step(std::int64_t item, std::int64_t s, std::int64_t N) const {
  ensure(item >= 0 && item < std::ssize(frames_), "Trajectories::at_step", "the number of a training item");
  ensure(s >= 1 && s <= N, "Trajectories::at_step", "a step s of 1..N");
  const auto& frames = frames_[static_cast<std::size_t>(item)];
  if (frames.empty()) return {};
  const std::int64_t count = std::ssize(frames) / length_;
  const std::int64_t frame = (s * count + N - 1) / N - 1;
  return std::span(frames).subspan(static_cast<std::size_t>(frame * length_), static_cast<std::size_t>(length_));
}

std::int64_t Trajectories::missing_count() const {
  return std::ranges::count_if(frames_, [](const auto& frames) { return frames.empty(); });
}

}  // namespace dis
