// What training and evaluation draw from. A TrainingStream has examples by their place in a stream, without any state;
// a DataSet, which is one kind of data as data.kind names it, has tests too, and knows how answers to them are scored,
// and how it is described and drawn. open_data.h has the table of kinds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dis/core/json.h"
#include "dis/data/pair_keys.h"
#include "dis/data/pictures/grid_picture.h"

namespace dis {

struct RunConfig;
struct TextStyle;

/// Label of a cell that carries no loss.
inline constexpr std::int32_t kIgnore = -100;

/// Sizes that the model needs to know.
struct DataShape {
  std::int64_t vocabulary = 0;   ///< V: tokens 0..V-1, 0 is the pad
  std::int64_t length = 0;       ///< L: cells of one example
  std::int64_t identifiers = 1;  ///< puzzle identifiers, the blank one (0) included
};

/// Where an example of the stream comes from.
struct Origin {
  std::int64_t item = 0;       ///< number of the example among the training examples before augmentation
  std::int64_t transform = 0;  ///< what the augmentation did to it, in the data set's own numbering; 0: nothing
};

/// A batch of B examples, row by row.
struct Batch {
  std::int64_t lanes = 0;                ///< B
  std::int64_t length = 0;               ///< L
  std::vector<std::int32_t> inputs;      ///< [B, L] tokens
  std::vector<std::int32_t> labels;      ///< [B, L] tokens, or kIgnore
  std::vector<std::int32_t> puzzle_ids;  ///< [B]
  std::vector<Origin> origins;           ///< [B]
};

/// The training side of a data set: an endless stream of examples, each a function of (seed, position).
class TrainingStream {
 public:
  virtual ~TrainingStream() = default;
  virtual DataShape shape() const = 0;
  /// Writes example `position` (0, 1, 2, ...) of the stream that belongs to `seed`: input [L], label [L], its
  /// identifier. One pass over the data is one epoch, in an order drawn anew for each. Safe to call from several
  /// threads.
  virtual Origin example(std::uint64_t seed, std::uint64_t position, std::span<std::int32_t> input,
                         std::span<std::int32_t> label, std::int32_t& puzzle_id) const = 0;
  /// Does to `frame` [L], a frame of the un-augmented item, what the augmentation did to the item itself.
  virtual void augment(const Origin& origin, std::span<std::int32_t> frame) const = 0;
  /// Name of identifier `index`, 0..shape().identifiers-1; that of 0 is "<blank>". A data set may have a million of
  /// them, so a name is made when it is asked for.
  virtual std::string identifier(std::int64_t index) const = 0;
  /// Tasks whose test answers are among the examples, so that a score on them says nothing; none where that is not
  /// known or has no meaning.
  virtual std::optional<std::vector<std::string>> answered_tasks() const { return std::nullopt; }
  /// The pairs that training shows, and those that are kept for tests, by their content. Those of ARC's test set and of
  /// boards stand in the order of groups and test pairs, or of test sets and boards; rows in that of the file. Rows of
  /// ARC's builders with an augmented puzzle have kNoPair in training, for their base puzzle stands for them.
  virtual PairList trained_pairs() const { return {}; }
  virtual PairList tested_pairs() const { return {}; }
  /// What the data hold, to the last cell: changes under the same names show. One entry a task of ARC, else one.
  virtual std::vector<ContentHash> content() const { return {}; }
  /// Examples of one pass over the data; 0 where that has no meaning.
  virtual std::int64_t epoch_length() const { return 0; }
};

/// An example as tests ask it and as people look at it, without augmentation.
struct Example {
  std::vector<std::int32_t> input;  ///< [L] tokens
  std::vector<std::int32_t> label;  ///< [L] tokens, or kIgnore
  std::int32_t puzzle_id = 0;
  bool one_answer = true;  ///< as far as is known, no other answer than the label is right
  std::string note = {};   ///< for its drawing: what is known of it, in a word
};

/// Examples by number: those of training, or a test set.
struct ExampleList {
  std::string name;  ///< "training", or that of the test set
  std::string unit;  ///< what one of them is: "board", "example"
  std::int64_t size = 0;
  std::function<Example(std::int64_t)> at;  ///< refers to the data set
};

/// A number that tests give, from counts that are summed over their rows.
struct Measure {
  enum class Kind {
    share,   ///< of rows: hits / total, with an interval
    ratio,   ///< hits / total of other things, as cells
    amount,  ///< hits, and hits a row
  };
  std::string key;    ///< in files of results
  std::string title;  ///< of a column
  Kind kind = Kind::share;
};

/// An answer [L] (any numbers) to a row, an input [L] with its label [L].
struct AnsweredRow {
  std::span<const std::int32_t> input, label, answer;
  std::int64_t test = -1;  ///< its number in the main test set; -1: it is none of them
};

/// What one row adds to a measure. A row that does not count adds {0, 0}.
struct MeasureCount {
  std::int64_t hits = 0;
  std::int64_t total = 0;
};

/// One of the drawings that stand side by side.
struct DrawnExample {
  std::string title;
  std::vector<std::int32_t> input;   ///< [L] tokens
  std::vector<std::int32_t> answer;  ///< [L] tokens as predicted (any numbers); empty: show the input
};

struct Drawing {
  std::string legend;  ///< what the marks mean, in half a line
  std::string text;    ///< ends with an end of line
};

/// Told about rows that are written, now and then; what it throws ends the export.
using ExportProgress = std::function<void(std::int64_t done, std::int64_t total)>;

/// A kind of data. Where there is a default, it is that of rows of tokens, of which no more is known.
class DataSet : public TrainingStream {
 public:
  /// The training examples, for people; none where they are not kept as such.
  virtual std::optional<ExampleList> trained() const { return std::nullopt; }
  /// The test sets, the main one first; none where nothing is kept for tests, or the answers to a test are put together
  /// from several (ARC's votes).
  virtual std::vector<ExampleList> tests() const { return {}; }

  /// What tests measure; the first is what training watches (train.keep_best). By default "exact", the share of rows
  /// whose labelled cells are all right, and "token_accuracy", the share of labelled cells that are right.
  virtual std::vector<Measure> measures() const;
  /// What an answer adds to each of measures().
  virtual std::vector<MeasureCount> score(const AnsweredRow& row) const;

  /// Whether an answer [L] (any numbers) to the input [L] obeys the puzzle's rules, which takes no label; nullopt,
  /// always, where the rules are not known.
  virtual std::optional<bool> obeys_rules(std::span<const std::int32_t> input,
                                          std::span<const std::int32_t> answer) const;

  /// Puzzles of a user's file, to be answered (docs/predict.md); a label is kIgnore where the file has no answer.
  /// UserError: a file that is none, puzzles of other sizes than the data's; this kind takes none.
  virtual std::vector<Example> questions(const std::filesystem::path& file) const;
  /// An input or an answer [L] as such a file writes it; by default the tokens. `like` [L]: a field whose size it is
  /// to have, where fields may have several: the label, or the input.
  virtual Json written(std::span<const std::int32_t> tokens, std::span<const std::int32_t> like) const;

  /// Counts, and what tests share with training. `config` is the one that the data were opened with.
  virtual Json describe(const RunConfig& config) const = 0;
  /// The same for a terminal.
  virtual std::string description_text(const Json& description) const = 0;

  /// Examples as text, side by side; nullopt, whatever the examples, where this kind is not drawn.
  virtual std::optional<Drawing> draw(std::span<const DrawnExample> examples, const TextStyle& style) const;

  /// One example as a part of a picture; nullopt, whatever the example, where this kind has no pictures.
  virtual std::optional<GridPanel> picture(const DrawnExample& example) const;

  /// Writes the data as the official builders do (puzzle_rows.h). UserError: this kind cannot be written so, or as of
  /// FolderSink.
  virtual void write_rows(const std::filesystem::path& folder, const ExportProgress& progress) const;
};

/// Examples first..first+lanes-1 of the stream as a batch.
Batch draw_batch(const TrainingStream& stream, std::uint64_t seed, std::uint64_t first, std::int64_t lanes);

}  // namespace dis
