// Data sets whose examples lie there as rows of tokens: folders of the official ARC, Sudoku, Maze and N-Queens builders
// and of `dis data export`, and a user's own grid puzzles (grid_puzzles.h).
//
// A folder holds `train` and mostly `test`, each with dataset.json and, for every set that its "sets" names, usually
// one called "all", five arrays:
//   <set>__inputs.npy, <set>__labels.npy    [examples, length] tokens (uint8, int32 or int64)
//   <set>__puzzle_indices.npy               [puzzles + 1] where the examples of each puzzle start, and their end
//   <set>__group_indices.npy                [groups + 1] where the puzzles of each group start, and their end
//   <set>__puzzle_identifiers.npy           [puzzles]
// and beside them identifiers.json, the names of all identifiers (may be missing when there is only the blank one), and
// test_puzzles.json from the ARC builder. The label ignore_label_id (null: none) marks cells without loss.
//
// All but the tokens is checked when a data set is opened, the tokens of a row when it is read. Rows stay in the mapped
// files; nothing is copied.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dis/config/config.h"
#include "dis/data/arrays/npy.h"
#include "dis/data/dataset.h"
#include "dis/data/group_sampler.h"

namespace dis {

/// What the dataset.json of a split says.
struct RowsHeader {
  std::optional<std::int64_t> ignore_label;  ///< none: every cell of a label counts
  std::int64_t vocabulary = 0;
  std::int64_t length = 0;
  std::int64_t identifiers = 1;
  std::int64_t groups = 0;
  std::int64_t puzzles = 0;  ///< as stated: the builders of Sudoku, Maze and N-Queens count groups here
  double mean_puzzle_examples = 0;
  std::vector<std::string> sets;
};

/// The arrays of one set.
struct RowSet {
  NpyArray inputs;
  NpyArray labels;
  NpyArray puzzle_identifiers;
  NpyArray puzzle_indices;
  NpyArray group_indices;
};

/// A split: its sets one after the other, with puzzles and groups numbered through.
class RowSplit {
 public:
  /// `place` is the split's folder or file, for messages. UserError: arrays that do not fit each other or the header,
  /// indices that do not start at 0 or do not ascend, an identifier that does not exist.
  RowSplit(std::string place, RowsHeader header, std::vector<RowSet> sets);

  const RowsHeader& header() const { return header_; }
  const std::vector<RowSet>& sets() const { return sets_; }
  const std::string& place() const { return place_; }

  std::int64_t examples() const { return puzzle_starts_.back(); }
  std::int64_t puzzles() const { return static_cast<std::int64_t>(identifiers_.size()); }
  std::int64_t groups() const { return static_cast<std::int64_t>(group_starts_.size()) - 1; }

  std::int64_t first_puzzle(std::int64_t group) const { return group_starts_.at(static_cast<std::size_t>(group)); }
  std::int64_t first_example(std::int64_t puzzle) const { return puzzle_starts_.at(static_cast<std::size_t>(puzzle)); }
  std::int64_t puzzle_of(std::int64_t example) const;
  std::int32_t identifier(std::int64_t puzzle) const { return identifiers_.at(static_cast<std::size_t>(puzzle)); }

  /// Input [L] and label [L] of an example; the label has kIgnore where it carries no loss. UserError: a token outside
  /// the vocabulary.
  void read(std::int64_t example, std::span<std::int32_t> input, std::span<std::int32_t> label) const;

 private:
  void add(const RowSet& set);

  std::string place_;
  RowsHeader header_;
  std::vector<RowSet> sets_;
  std::vector<std::int64_t> set_starts_;     // first example of each set
  std::vector<std::int64_t> puzzle_starts_;  // [puzzles + 1] examples
  std::vector<std::int64_t> group_starts_;   // [groups + 1] puzzles
  std::vector<std::int32_t> identifiers_;    // [puzzles]
};

/// A million names in one piece of memory.
class NameList {
 public:
  void add(std::string_view name);
  std::int64_t size() const { return static_cast<std::int64_t>(ends_.size()); }
  std::string operator[](std::int64_t index) const;

 private:
  std::string text_;
  std::vector<std::size_t> ends_;
};

/// How a user's own grids become rows (grid_puzzles.h).
struct GridForm {
  std::int64_t vocabulary = 0;  ///< values 0..vocabulary-1, of which v is token v + 1
  std::int64_t rows = 0, columns = 0;
};

/// Training draws from the split `train` by group_sampler.h; `test` is read row by row. There is no augmentation: the
/// rows are augmented already, or not.
class PuzzleRows : public DataSet {
 public:
  /// UserError: splits that do not fit each other, a number of names other than the number of identifiers, a group of
  /// `train` whose puzzles differ in their number of examples (the length of an epoch would then depend on chance).
  PuzzleRows(RowSplit train, std::optional<RowSplit> test, NameList identifiers,
             std::filesystem::path test_puzzles = {});

  const RowSplit& train() const { return train_; }
  const std::optional<RowSplit>& test() const { return test_; }
  /// The ARC builder's file of the test tasks; empty when there is none.
  const std::filesystem::path& test_puzzles() const { return test_puzzles_; }
  std::int64_t epoch_length() const override { return sampler_.epoch_length(); }

  DataShape shape() const override;
  /// Origin::item is the number of the row.
  Origin example(std::uint64_t seed, std::uint64_t position, std::span<std::int32_t> input,
                 std::span<std::int32_t> label, std::int32_t& puzzle_id) const override;
  /// Does nothing.
  void augment(const Origin& origin, std::span<std::int32_t> frame) const override;
  std::string identifier(std::int64_t index) const override;
  PairList trained_pairs() const override;
  PairList tested_pairs() const override;
  std::vector<ContentHash> content() const override;

  /// "test", without a name of its own; none without a test split.
  std::vector<ExampleList> tests() const override;
  /// As data.rules says (puzzle_rules.h).
  std::optional<bool> obeys_rules(std::span<const std::int32_t> input,
                                  std::span<const std::int32_t> answer) const override;
  void set_rules(Rules rules) { rules_ = rules; }
  void set_form(const GridForm& form) { form_ = form; }
  /// Of grids (set_form()), as grid_puzzles.h has them.
  std::vector<Example> questions(const std::filesystem::path& file) const override;
  Json written(std::span<const std::int32_t> tokens, std::span<const std::int32_t> like) const override;
  /// {"kind", "path", "vocabulary", "length", "identifiers", "identifiers_sha256", "train": counts,
  /// "examples_per_epoch", "test": counts or null, "trained_test_pairs": shared_pairs()}
  Json describe(const RunConfig& config) const override;
  std::string description_text(const Json& description) const override;
  void write_rows(const std::filesystem::path& folder, const ExportProgress& progress) const override;

  /// 0 without a test split.
  std::int64_t test_examples() const { return test_ ? test_->examples() : 0; }
  /// Input [L], label [L] (kIgnore where it carries no loss) and identifier of test row `index`.
  void test_example(std::int64_t index, std::span<std::int32_t> input, std::span<std::int32_t> label,
                    std::int32_t& puzzle_id) const;

 private:
  RowSplit train_;
  std::optional<RowSplit> test_;
  NameList identifiers_;
  std::filesystem::path test_puzzles_;
  GroupSampler sampler_;
  Rules rules_ = Rules::unknown;
  std::optional<GridForm> form_;
};

/// Opens a folder. UserError: a missing or bad file, or files that do not fit each other; it names file, key, what was
/// expected and what was found.
PuzzleRows read_puzzle_rows(const std::filesystem::path& folder);

}  // namespace dis
