#include "dis/train/trajectory_items.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "dis/data/arc/arc_puzzles.h"

namespace dis {
namespace {

std::string name_of(const std::string& task, std::int64_t pair) {
  return "task \"" + task + "\", pair " + std::to_string(pair);
}

/// "17" -> 17; none unless it is a plain number.
std::optional<std::int64_t> number_in(const std::string& text) {
  const bool plain = !text.empty() && text.size() <= 18 && text.find_first_not_of("0123456789") == std::string::npos;
  return plain ? std::optional<std::int64_t>(std::stoll(text)) : std::nullopt;
}

}  // namespace

TrajectoryItems trajectory_items(const NQueensData& data) {
  const auto find = [&data](const std::string& task, std::int64_t pair) {
    const auto number = number_in(task);
    return number && *number < data.items() && pair == 0 ? number : std::nullopt;
  };
  const auto name = [](std::int64_t item) { return name_of(std::to_string(item), 0); };
  const auto read = [&data](std::int64_t item, std::span<std::int32_t> input, std::span<std::int32_t> label) {
    const auto board = data.item(item);
    std::ranges::copy(board.input, input.begin());
    std::ranges::copy(board.label, label.begin());
  };
  return {.shape = data.shape(), .count = data.items(), .grids = false, .find = find, .name = name, .read = read};
}

TrajectoryItems trajectory_items(const ArcData& data) {
  const auto task_of = [&data](const ArcData::Item& item) -> const ArcTask& {
    return data.puzzles().groups()[item.group].task;
  };
  std::map<std::pair<std::string, std::int64_t>, std::int64_t> numbers;
  for (std::int64_t i = 0; i < data.items(); ++i) numbers[{task_of(data.item(i)).id, data.item(i).pair}] = i;

  const auto find = [numbers = std::move(numbers)](const std::string& task,
                                                   std::int64_t pair) -> std::optional<std::int64_t> {
    const auto found = numbers.find({task, pair});
    return found == numbers.end() ? std::nullopt : std::optional(found->second);
  };
  const auto name = [&data, task_of](std::int64_t item) {
    return name_of(task_of(data.item(item)).id, data.item(item).pair);
  };
  const auto read = [&data, task_of](std::int64_t number, std::span<std::int32_t> input,
                                     std::span<std::int32_t> label) {
    const auto& item = data.item(number);
    const auto& pair = task_of(item).pairs[static_cast<std::size_t>(item.pair)];
    const int side = data.puzzles().side();
    write_field(pair.input, Augmentation{}, Translation{}, side, kPadToken, input);
    write_field(*pair.output, Augmentation{}, Translation{}, side, kIgnore, label);
  };
  return {.shape = data.shape(), .count = data.items(), .grids = true, .find = find, .name = name, .read = read};
}

}  // namespace dis
