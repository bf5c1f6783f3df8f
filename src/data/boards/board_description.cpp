// Boards for people: counted, listed, drawn.
#include <algorithm>
#include <iterator>
#include <sstream>

#include "dis/core/error.h"
#include "dis/data/boards/board_statistics.h"
#include "dis/data/boards/board_text.h"
#include "dis/data/boards/nqueens.h"

namespace dis {
namespace {

Json board_counts(const BoardCounts& counts) {
  Json json = {{"boards", counts.boards},
               {"distinct", counts.distinct},
               {"distinct_inputs", counts.distinct_inputs},
               {"solutions", counts.solutions},
               {"orbits", counts.orbits}};
  for (const auto& [givens, boards] : counts.by_givens) json["by_givens"][std::to_string(givens)] = boards;
  for (int i = 0; i < kCompletionClasses; ++i) {
    std::string key = completion_class_name(i);
    std::ranges::replace(key, ' ', '_');
    json["by_completions"][key] = counts.by_completions[static_cast<std::size_t>(i)];
  }
  return json;
}

std::string counts_text(const Json& counts) {
  std::ostringstream text;
  text << "  boards            " << counts["boards"] << " (" << counts["distinct"] << " distinct, "
       << counts["distinct_inputs"] << " distinct givens)\n"
       << "  solutions         " << counts["solutions"] << " in " << counts["orbits"] << " symmetry orbits\n"
       << "  by givens        ";
  for (const auto& [givens, boards] : counts["by_givens"].items()) text << "  " << givens << ": " << boards;
  text << "\n  by completions     one: " << counts["by_completions"]["one"]
       << "  two or three: " << counts["by_completions"]["two_or_three"]
       << "  more: " << counts["by_completions"]["more"] << "\n";
  return text.str();
}

Example example_of(const Board& board) {
  const bool capped = board.completions == kCompletionsCap;
  return {.input = {board.input.begin(), board.input.end()},
          .label = {board.label.begin(), board.label.end()},
          .one_answer = board.completions == 1,
          .note = std::to_string(board.completions) + (capped ? "+" : "")};
}

BoardView board_view(const DrawnExample& example) {
  return {example.title, {example.input.begin(), example.input.end()}, example.answer};
}

}  // namespace

std::optional<ExampleList> NQueensData::trained() const {
  return ExampleList{"training", "board", items(), [this](std::int64_t i) { return example_of(item(i)); }};
}

std::vector<ExampleList> NQueensData::tests() const {
  std::vector<ExampleList> lists;
  for (const TestSet& set : test_sets_) {
    lists.push_back({set.name, "board", std::ssize(set.boards),
                     [&set](std::int64_t i) { return example_of(set.boards.at(static_cast<std::size_t>(i))); }});
  }
  return lists;
}

Json NQueensData::describe(const RunConfig& config) const {
  Json json = {{"kind", to_string(config.data.kind)},
               {"board_size", config_.board_size},
               {"split", to_string(config_.split)},
               {"seed", config.run.seed}};
  json["training"] = board_counts(count_boards(items(), [this](std::int64_t i) { return item(i); }));
  json["training"]["examples_per_epoch"] = epoch_length();
  for (const TestSet& set : test_sets_) {
    Json entry = {{"name", set.name}, {"meaning", set.meaning}};
    const auto board = [&set](std::int64_t i) { return set.boards[static_cast<std::size_t>(i)]; };
    entry.update(board_counts(count_boards(std::ssize(set.boards), board)));
    const Overlap overlap = overlap_with_training(*this, set.boards);
    entry["in_training"] = {{"inputs", overlap.inputs}, {"boards", overlap.boards}, {"orbits", overlap.orbits}};
    json["test_sets"].push_back(entry);
  }
  return json;
}

std::string NQueensData::description_text(const Json& description) const {
  std::ostringstream text;
  text << "N-Queens, N = " << description["board_size"] << ", split " << description["split"].get<std::string>()
       << ", seed " << description["seed"] << "\n\ntraining\n"
       << counts_text(description["training"]) << "  examples an epoch "
       << description["training"]["examples_per_epoch"] << "\n";
  for (const Json& set : description["test_sets"]) {
    const Json& shared = set["in_training"];
    text << "\ntest set \"" << set["name"].get<std::string>() << "\": " << set["meaning"].get<std::string>() << "\n"
         << counts_text(set) << "  leak check        of " << set["boards"] << " boards, training shows the givens of "
         << shared["inputs"] << ", givens and label of " << shared["boards"] << ", the label's orbit of "
         << shared["orbits"] << "\n";
  }
  return text.str();
}

std::optional<GridPanel> NQueensData::picture(const DrawnExample& example) const {
  constexpr std::uint8_t kGivenGrey = 5, kAnsweredBlue = 8, kWrongOrange = 7, kOpenBlack = 0;
  const int n = board_size_of(example.input.size()).value_or(0);
  GridPanel panel{example.title, Grid{n, n, {}}};
  for (const char mark : board_marks(board_view(example), n)) {
    panel.letters += mark == '.' ? ' ' : mark == 'q' || mark == 'x' ? 'Q' : mark;
    panel.grid->cells.push_back(mark == '.'   ? kOpenBlack
                                : mark == 'Q' ? kGivenGrey
                                : mark == 'q' ? kAnsweredBlue
                                              : kWrongOrange);
  }
  return panel;
}

std::optional<Drawing> NQueensData::draw(std::span<const DrawnExample> examples, const TextStyle& style) const {
  std::vector<BoardView> views;
  std::ranges::transform(examples, std::back_inserter(views), board_view);
  return Drawing{style.colour ? "black: given, blue: the label's other queens; #number: completions"
                              : "Q: given, q: the label's other queens; #number: completions",
                 board_text(views, style)};
}

void NQueensData::write_rows(const std::filesystem::path&, const ExportProgress&) const {
  throw UserError(
      "dis data export writes ARC and rows of tokens, found data.kind = nqueens; boards are written by dis data build");
}

}  // namespace dis
