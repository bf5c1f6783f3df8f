#include "dis/data/boards/board_statistics.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "dis/core/error.h"

namespace dis {

int completion_class(int completions) {
  ensure(completions >= 1, "completion_class", "a board with a completion");
  return completions == 1 ? 0 : completions <= 3 ? 1 : 2;
}

std::string completion_class_name(int index) {
  const std::array<std::string, kCompletionClasses> names{"one", "two or three", "more"};
  return names.at(static_cast<std::size_t>(index));
}

BoardCounts count_boards(std::int64_t count, const std::function<Board(std::int64_t)>& board) {
  BoardCounts counts;
  std::set<std::pair<Placement, Placement>> pairs;
  std::unordered_set<Placement, PlacementHash> inputs;
  std::unordered_set<Placement, PlacementHash> labels;
  std::unordered_set<Placement, PlacementHash> orbits;
  for (std::int64_t i = 0; i < count; ++i) {
    const Board entry = board(i);
    const Placement input = *placement_of(entry.input);
    const Placement label = *placement_of(entry.label);
    pairs.emplace(input, label);
    inputs.insert(input);
    if (labels.insert(label).second) orbits.insert(canonical(label));
    ++counts.by_givens[entry.givens];
    ++counts.by_completions[static_cast<std::size_t>(completion_class(entry.completions))];
  }
  counts.boards = count;
  counts.distinct = static_cast<std::int64_t>(pairs.size());
  counts.distinct_inputs = static_cast<std::int64_t>(inputs.size());
  counts.solutions = static_cast<std::int64_t>(labels.size());
  counts.orbits = static_cast<std::int64_t>(orbits.size());
  return counts;
}

Overlap overlap_with_training(const NQueensData& data, std::span<const Board> boards) {
  struct TestImage {
    std::size_t board;
    Placement label;
  };
  std::unordered_multimap<Placement, TestImage, PlacementHash> images;    // by input
  std::unordered_multimap<Placement, std::size_t, PlacementHash> labels;  // every image of every label
  for (std::size_t i = 0; i < boards.size(); ++i) {
    const Placement input = *placement_of(boards[i].input);
    const Placement label = *placement_of(boards[i].label);
    for (int symmetry = 0; symmetry < kSymmetries; ++symmetry) {
      const Placement image = transformed(label, symmetry);
      labels.emplace(image, i);
      if (symmetry == 0 || data.config().augment) images.emplace(transformed(input, symmetry), TestImage{i, image});
    }
  }
  std::vector<bool> same_input(boards.size()), same_board(boards.size()), same_orbit(boards.size());
  std::unordered_set<Placement, PlacementHash> looked_up;
  for (std::int64_t item = 0; item < data.items(); ++item) {
    const CompactBoard& board = data.compact_item(item);
    const auto [first, last] = images.equal_range(board.givens());
    for (auto image = first; image != last; ++image) {
      same_input[image->second.board] = true;
      if (image->second.label == board.solution) same_board[image->second.board] = true;
    }
    if (!looked_up.insert(board.solution).second) continue;
    const auto [first_label, last_label] = labels.equal_range(board.solution);
    for (auto label = first_label; label != last_label; ++label) same_orbit[label->second] = true;
  }
  const auto count = [](const std::vector<bool>& flags) { return std::count(flags.begin(), flags.end(), true); };
  return {count(same_input), count(same_board), count(same_orbit)};
}

}  // namespace dis
