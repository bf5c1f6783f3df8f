// The augmented puzzles of ARC, identifier for identifier as the published models' data have them.
//
// A task is a group: its base puzzle and up to `augmentations` distinct augmented ones. A puzzle is kept as what its
// augmentation does, never as grids. The draws are those of numpy's legacy generator (numpy_legacy_random.h), in the
// order of the reference's builder: per subset a shuffle of its tasks, then for every task trials (a symmetry, then a
// permutation of the colours 1..9) until it has all its puzzles or 5000 trials are spent; a trial whose puzzle equals
// an earlier one of the group is dropped. All translations come after all trials.
//
// Splits: the test pairs of the chosen test set are the split `test`, all other pairs the split `train`. Both halves of
// a puzzle share its identifier: 1, 2, ... in the order of the groups; 0 is the blank one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dis/config/config.h"
#include "dis/data/arc/arc_task.h"

namespace dis {

enum class ArcSplit { train, test };

/// Rows and columns that an example is shifted by, input and output alike.
struct Translation {
  std::uint8_t row = 0;
  std::uint8_t column = 0;
  bool operator==(const Translation&) const = default;
};

struct ArcPuzzlesSettings {
  std::int64_t augmentations = 1000;  ///< per task, beside the base puzzle, where its subset says no other number
  std::int64_t most_puzzles = DataConfig().max_puzzles;  ///< of all tasks; each is a row of the puzzle table
  std::uint32_t seed = 42;                               ///< of numpy's generator
  int side = kLargestGrid;           ///< rows and columns of the field; tasks with a larger grid are left out
  std::string test_set;              ///< name of the subset whose test pairs are the split `test`; empty: none
  bool frozen_translations = false;  ///< draw the reference's translations of the split `train`
};

/// A task and its puzzles.
struct ArcGroup {
  ArcTask task;
  std::string subset;
  std::int64_t first_puzzle = 0;  ///< number of its base puzzle; puzzles are numbered from 0 through all groups
  std::int64_t puzzles = 0;
  std::vector<int> train_pairs;  ///< indices into task.pairs
  std::vector<int> test_pairs;
  std::int64_t first_example = 0;  ///< number of its first example in the split `train`: each puzzle has
                                   ///< train_pairs.size() of them, one after the other
};

class ArcPuzzles {
 public:
  /// UserError: a task in two subsets, no task left, a test set that is none of the subsets, a test pair without a
  /// known output outside the test set, more than settings.most_puzzles.
  ArcPuzzles(std::vector<ArcSubset> subsets, const ArcPuzzlesSettings& settings);

  int side() const { return settings_.side; }
  const ArcPuzzlesSettings& settings() const { return settings_; }

  /// In the order of the build. Those of the split `test` are the groups with test pairs.
  const std::vector<ArcGroup>& groups() const { return groups_; }
  /// The tasks with a grid larger than the field, by subset; subsets without any are not in the list.
  const std::vector<ArcSubset>& left_out() const { return left_out_; }
  /// "3 tasks (<id> for one) left out for a grid of more than 30 rows or columns (data.max_grid)"; empty: none.
  std::string left_out_text() const;
  /// Those of the test set that have test inputs: a submission needs a place for them, too.
  std::vector<ArcTask> left_out_tests() const;

  std::int64_t puzzles() const { return static_cast<std::int64_t>(augmentations_.size()); }
  std::int64_t examples(ArcSplit split) const;

  /// The group that has puzzle number `puzzle`.
  std::size_t group_of(std::int64_t puzzle) const;
  Augmentation augmentation(std::int64_t puzzle) const;
  /// Where the reference froze example `example` of the split `train`; needs frozen_translations.
  Translation translation(std::int64_t example) const;

  /// puzzles() + 1.
  std::int64_t identifiers() const { return puzzles() + 1; }
  /// "<blank>" for 0; for puzzle p = identifier - 1: the task's id, and behind it, unless it is the base puzzle,
  /// "|||t<tid>|||<what each colour becomes>".
  std::string identifier(std::int64_t index) const;

 private:
  ArcPuzzlesSettings settings_;
  std::vector<ArcGroup> groups_;
  std::vector<ArcSubset> left_out_;
  std::vector<std::uint64_t> augmentations_;  // packed, one a puzzle
  std::vector<Translation> translations_;     // [examples of the split train], or empty
};

/// "id|||t3|||0768314952" taken apart: the task's id and what was done to it. UserError for a malformed name.
struct ArcIdentifier {
  std::string task;
  Augmentation augmentation;
};
ArcIdentifier parse_identifier(const std::string& name);

// ---- tokens: 0 pad, 1 end marker, colour + 2; a field of side x side cells

inline constexpr std::int32_t kPadToken = 0;
inline constexpr std::int32_t kEndToken = 1;
inline constexpr std::int32_t kFirstColourToken = 2;
inline constexpr std::int64_t kArcVocabulary = kFirstColourToken + kColours;

/// Writes apply(augmentation, grid) into `field` [side * side] at the translation: colours, the end marker in the row
/// below the grid across its columns and in the column to its right across its rows (left out where the grid touches
/// the edge), `pad` elsewhere. The grid must fit.
void write_field(const Grid& grid, const Augmentation& augmentation, Translation translation, int side,
                 std::int32_t pad, std::span<std::int32_t> field);
void write_field(const Grid& grid, const Augmentation& augmentation, Translation translation, int side,
                 std::uint8_t pad, std::span<std::uint8_t> field);

}  // namespace dis
