// ARC as training and evaluation draw from it: grids are kept once, fields are made when they are asked for.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dis/config/config.h"
#include "dis/data/arc/arc_puzzles.h"
#include "dis/data/dataset.h"
#include "dis/data/group_sampler.h"

namespace dis {

/// A test input of a task, as one of the task's puzzles shows it: what is evaluated, and votes.
struct ArcTestRow {
  std::int64_t group = 0;   ///< index into puzzles().groups()
  std::int64_t puzzle = 0;  ///< number of the puzzle
  int test = 0;             ///< which of the task's test inputs, from 0
};

/// An epoch visits every task once, by one of its puzzles (group_sampler.h). Examples of the test set's test pairs are
/// not among them.
class ArcData : public DataSet {
 public:
  explicit ArcData(ArcPuzzles puzzles, TranslationKind translations = TranslationKind::fresh);
  /// Reads data.subsets from data.path and makes the puzzles. UserError as of the readers and ArcPuzzles.
  explicit ArcData(const DataConfig& data);  ///< warns of tasks that are left out, and of made_test_tasks()

  const ArcPuzzles& puzzles() const { return puzzles_; }
  std::int64_t epoch_length() const override { return sampler_.epoch_length(); }

  DataShape shape() const override;
  /// Origin: the item is the number of the (task, training pair), in the order of the groups; the transform encodes
  /// puzzle and translation.
  Origin example(std::uint64_t seed, std::uint64_t position, std::span<std::int32_t> input,
                 std::span<std::int32_t> label, std::int32_t& puzzle_id) const override;
  /// The frame's grid, which lies at the origin and ends where its colours end, is turned, recoloured and moved.
  void augment(const Origin& origin, std::span<std::int32_t> frame) const override;
  std::string identifier(std::int64_t index) const override { return puzzles_.identifier(index); }

  /// With the sources of made tasks (source_task()), but for those of the own test set.
  std::optional<std::vector<std::string>> answered_tasks() const override;
  /// Ids of made tasks whose source is in the test set: training sees its rule, though not its test pairs.
  std::vector<std::string> made_test_tasks() const;
  PairList trained_pairs() const override;
  PairList tested_pairs() const override;
  std::vector<ContentHash> content() const override;

  /// {"kind", "path", "test_set", "build_seed", "max_grid", "subsets": [counts], "left_out", counts,
  /// "identifiers_sha256", "made_test_tasks": their number, "trained_test_pairs": shared_pairs()}
  Json describe(const RunConfig& config) const override;
  std::string description_text(const Json& description) const override;
  void write_rows(const std::filesystem::path& folder, const ExportProgress& progress) const override;

  /// Training pairs of all tasks: what trajectories are made for.
  std::int64_t items() const { return static_cast<std::int64_t>(items_.size()); }
  /// Group and pair (index into its task's pairs) of an item.
  struct Item {
    std::size_t group = 0;
    int pair = 0;
  };
  const Item& item(std::int64_t number) const { return items_.at(static_cast<std::size_t>(number)); }

  /// Input field [L] of a row, at the origin, and its label field: pads are kIgnore; without a known output all are.
  void test_fields(const ArcTestRow& row, std::span<std::int32_t> input, std::span<std::int32_t> label) const;
  std::int32_t identifier_of(const ArcTestRow& row) const { return static_cast<std::int32_t>(row.puzzle) + 1; }

 private:
  Translation translation_of(std::uint64_t seed, std::uint64_t position, const ArcGroup& group, const Pick& pick,
                             int tid, const ArcPair& pair) const;

  ArcPuzzles puzzles_;
  TranslationKind translations_;
  GroupSampler sampler_;
  std::vector<Item> items_;
  std::vector<std::int64_t> first_item_;  // of each group
};

/// The folder (arc, folder) or file (grids) of the data: data.path, else $DIS_DATA_DIR, else data/arc in this folder or
/// the nearest one above it.
std::filesystem::path data_path(const DataConfig& data);

/// A set of data.subsets, "name", "name:augmentations" or "name:augmentations:pairs".
struct ArcSubsetChoice {
  std::string name;
  std::optional<std::int64_t> augmentations = {};  ///< none: data.augmentations
  std::optional<std::int64_t> pairs = {};          ///< the first ones of each task; none: all
};
/// In their order. UserError: an empty list or name, numbers that are none, a limit on the pairs of data.test_set.
std::vector<ArcSubsetChoice> chosen_subsets(const DataConfig& data);

}  // namespace dis
