// N-Queens as a data set: training boards as a stream of examples, test boards in named sets.
//
// Where the boards come from (data.split; board_generator.h tells how they are drawn):
//   authors   the authors' generator with numpy's default_rng(42 + seed) for training and default_rng(1042 + seed) for
//             the test set "authors": seed 0, N 8, 800 and 200 boards with 0 to 7 givens are the authors' own boards.
//             Test boards may occur in training, and about half of theirs do.
//   boards    test set "boards": no test board's givens, nor with data.augment any of their eight images, are the
//             givens of a training board.
//   orbits    the same, with solutions from some symmetry orbits only for training and "boards"; the test set "orbits"
//             has solutions of the orbits held out.
//   solutions every solution with every choice of data.min_givens to data.max_givens of its queens (the protocol of
//             GRAM, arXiv 2605.19376, with at least one given): all boards are listed, a share of the inputs is the
//             test set "solutions", and training may also see boards with more givens (data.train_max_givens). The test
//             set "empty" is the board without givens, 100 times.
// data.train_file or data.test_file replace generated boards, all boards of the file whatever their number; a test file
// is the one test set, named "file". The split `boards` keeps generated boards apart from those of the file, on either
// side; `orbits` takes a test file (training then avoids its givens, too) but no training file.
//
// Tokens: 1 empty, 2 queen; the vocabulary is 3. Every board has the blank identifier 0.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dis/config/config.h"
#include "dis/data/boards/queens.h"
#include "dis/data/dataset.h"

namespace dis {

struct TestSet {
  std::string name;
  std::string meaning;  ///< one line: what is unseen about these boards, and whether there are fewer than asked for
  std::vector<Board> boards;
};

class NQueensData : public DataSet {
 public:
  /// Reads or draws all boards. `seed` (run.seed) decides training and test boards and the orbits held out.
  /// UserError: a wrong file (board_file.h), `orbits` where N has one orbit or with a training file, no possible test
  /// board.
  NQueensData(const DataConfig& config, std::uint64_t seed);

  int board_size() const { return static_cast<int>(config_.board_size); }
  const DataConfig& config() const { return config_; }
  const std::vector<TestSet>& test_sets() const { return test_sets_; }

  /// Number of training boards before augmentation; Origin::item counts them from 0.
  std::int64_t items() const { return static_cast<std::int64_t>(training_.size()); }
  Board item(std::int64_t index) const { return compact_item(index).expanded(); }
  const CompactBoard& compact_item(std::int64_t index) const { return training_.at(static_cast<std::size_t>(index)); }

  /// Examples of an epoch. `authors` with data.augment: nine of every board, as it is and then under the symmetries
  /// 0..7 (0 changes nothing, so it is there twice), as in the authors' data. Otherwise every board once, under a
  /// uniform symmetry drawn for the visit if data.augment.
  std::int64_t epoch_length() const override;

  DataShape shape() const override;
  Origin example(std::uint64_t seed, std::uint64_t position, std::span<std::int32_t> input,
                 std::span<std::int32_t> label, std::int32_t& puzzle_id) const override;
  /// Origin::transform is the symmetry (queens.h).
  void augment(const Origin& origin, std::span<std::int32_t> frame) const override;
  std::string identifier(std::int64_t index) const override;
  PairList trained_pairs() const override;
  PairList tested_pairs() const override;
  std::vector<ContentHash> content() const override;

  std::optional<ExampleList> trained() const override;
  std::vector<ExampleList> tests() const override;
  /// "valid" (a valid completion), then those of rows of tokens.
  std::vector<Measure> measures() const override;
  std::vector<MeasureCount> score(const AnsweredRow& row) const override;
  /// A valid completion.
  std::optional<bool> obeys_rules(std::span<const std::int32_t> input,
                                  std::span<const std::int32_t> answer) const override;
  /// A text (puzzle_text.h): '.' or '1' an empty cell, 'Q' or '2' a queen. UserError: queens that attack one another.
  std::vector<Example> questions(const std::filesystem::path& file) const override;
  Json written(std::span<const std::int32_t> tokens, std::span<const std::int32_t> like) const override;
  /// Givens grey, other queens blue, mistakes orange.
  std::optional<GridPanel> picture(const DrawnExample& example) const override;
  /// {"kind", "board_size", "split", "seed", "training": counts, "test_sets": [{"name", "meaning", counts,
  /// "in_training"}]}
  Json describe(const RunConfig& config) const override;
  std::string description_text(const Json& description) const override;
  /// As board_text.h has it.
  std::optional<Drawing> draw(std::span<const DrawnExample> examples, const TextStyle& style) const override;
  /// UserError: boards have files of their own (board_file.h).
  void write_rows(const std::filesystem::path& folder, const ExportProgress& progress) const override;

 private:
  void generate_authors(std::uint64_t seed);
  void generate_apart(std::uint64_t seed);
  void generate_solutions(std::uint64_t seed);
  void add_test_set(std::string name, std::string meaning, const std::vector<CompactBoard>& boards);

  DataConfig config_;
  std::vector<CompactBoard> training_;
  std::vector<TestSet> test_sets_;
};

}  // namespace dis
