// Sudokus and mazes from CSV files (puzzle_csv.h) as a data set: data.path is a folder with train.csv and mostly
// test.csv, gzipped or not.
//
// Training sees all puzzles of train.csv whose rating is at least data.min_rating, or data.train_puzzles of them, drawn
// by data.build_seed as the official builders draw theirs; of each, by data.copies,
//   fresh    a copy under a symmetry that is drawn for the visit, each equally likely
//   frozen   the copies of the official build: the puzzle itself and data.augmentations copies (Sudoku) or all eight
//            images (mazes), drawn once by data.build_seed; a visit takes one of them. Exported (write_rows), they are
//            the official builder's folder byte for byte, when numpy.random.seed(data.build_seed) was called before it
//   none     the puzzle itself
// Every puzzle has the blank identifier 0, and an epoch visits each once. Tests stand in an order drawn by
// data.build_seed, so that the first ones (eval.boards) are a random sample; data.min_rating holds for them, too.
//
// Answers are scored by "exact" and "token_accuracy"; "valid", whether an answer obeys the rules whatever the label
// (puzzle_family.h); and "exact" of the puzzles in each class of ratings that the tests have.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dis/config/config.h"
#include "dis/data/dataset.h"
#include "dis/data/group_sampler.h"
#include "dis/data/puzzles/puzzle_family.h"
#include "dis/data/puzzles/puzzle_table.h"

namespace dis {

/// Classes of ratings: 0, 1 to 9, 10 to 29, 30 to 99, 100 and more.
inline constexpr int kRatingClasses = 5;
int rating_class(int rating);
std::string rating_class_name(int rating_class);  ///< "0", "1-9", ...

class PuzzlesData : public DataSet {
 public:
  /// Reads the files. UserError: there is no train.csv; as of read_puzzle_csv(); training and test puzzles of different
  /// sizes; fewer puzzles than data.train_puzzles; data.copies = frozen with Sudokus other than 9 x 9.
  PuzzlesData(const PuzzleFamily& family, const DataConfig& config);

  std::int64_t puzzles() const { return training_.size(); }
  std::int64_t test_puzzles() const { return tests_.size(); }

  DataShape shape() const override;
  /// Origin::item is the number of the puzzle, Origin::transform that of the symmetry.
  Origin example(std::uint64_t seed, std::uint64_t position, std::span<std::int32_t> input,
                 std::span<std::int32_t> label, std::int32_t& puzzle_id) const override;
  void augment(const Origin& origin, std::span<std::int32_t> frame) const override;
  std::string identifier(std::int64_t index) const override;
  std::int64_t epoch_length() const override { return training_.size(); }
  /// By classes of symmetric puzzles, but one by one with data.copies = none.
  PairList trained_pairs() const override;
  PairList tested_pairs() const override;
  std::vector<ContentHash> content() const override;

  std::optional<ExampleList> trained() const override;
  std::vector<ExampleList> tests() const override;
  std::vector<Measure> measures() const override;
  std::vector<MeasureCount> score(const AnsweredRow& row) const override;
  std::optional<bool> obeys_rules(std::span<const std::int32_t> input,
                                  std::span<const std::int32_t> answer) const override;
  /// A text (puzzle_text.h), or a CSV file as those of data.path, whose answers are the labels.
  std::vector<Example> questions(const std::filesystem::path& file) const override;
  Json written(std::span<const std::int32_t> tokens, std::span<const std::int32_t> like) const override;
  /// {"kind", "path", "length", "copies", "build_seed", "training" and "test": {"puzzles", "mean_rating", "by_rating":
  /// {class: puzzles}, "answers_obey_rules"}, "trained_test_pairs": shared_pairs()}; "test" is null without any.
  Json describe(const RunConfig& config) const override;
  std::string description_text(const Json& description) const override;
  std::optional<Drawing> draw(std::span<const DrawnExample> examples, const TextStyle& style) const override;
  std::optional<GridPanel> picture(const DrawnExample& example) const override { return family_.picture(example); }
  void write_rows(const std::filesystem::path& folder, const ExportProgress& progress) const override;

  /// For the export: copy 0, 1, ... of a training puzzle, those of the official build or the puzzle alone.
  std::int64_t copies() const;
  void copy(std::int64_t puzzle, std::int64_t copy, std::span<std::int32_t> input, std::span<std::int32_t> label) const;

 private:
  void read_files();
  /// The row of an example in its table: tests stand in a drawn order.
  std::int64_t row_of(std::int64_t number, bool test) const;
  /// Of copy 0, 1, ... of a puzzle, among those of the official build.
  std::int64_t copy_symmetry(std::int64_t puzzle, std::int64_t copy) const;
  Origin drawn_origin(std::uint64_t seed, std::uint64_t position) const;
  void read(const Origin& origin, std::span<std::int32_t> input, std::span<std::int32_t> label) const;
  ExampleList list_of(const std::string& name, bool test) const;
  PairList pairs_of(const PuzzleTable& table, bool test) const;

  const PuzzleFamily& family_;
  DataConfig config_;
  PuzzleTable training_, tests_;
  std::vector<std::uint64_t> frozen_;    // [puzzles, copies - 1] symmetries
  std::optional<GroupSampler> sampler_;  // of frozen copies
  std::vector<int> classes_;             // of ratings that the tests have
};

}  // namespace dis
