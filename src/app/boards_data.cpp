// The boards of a configuration: counted, drawn and written.
#include "boards_data.h"

#include <algorithm>
#include <functional>
#include <iostream>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/data/board_file.h"
#include "dis/data/board_statistics.h"
#include "dis/data/board_text.h"
#include "dis/data/nqueens.h"
#include "terminal.h"

namespace dis {
namespace {

/// Training boards or those of a test set, by number.
struct BoardList {
  std::string name;
  std::int64_t count;
  std::function<Board(std::int64_t)> board;
};

BoardList training_list(const NQueensData& data) {
  return {"training", data.items(), [&data](std::int64_t i) { return data.item(i); }};
}

BoardList test_list(const TestSet& set) {
  return {set.name, static_cast<std::int64_t>(set.boards.size()),
          [&set](std::int64_t i) { return set.boards[static_cast<std::size_t>(i)]; }};
}

Json counts_json(const BoardCounts& counts) {
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

}  // namespace

Json boards_info(const RunConfig& config) {
  const NQueensData data(config.data, static_cast<std::uint64_t>(config.run.seed));
  Json json = {{"kind", to_string(config.data.kind)},
               {"board_size", config.data.board_size},
               {"split", to_string(config.data.split)},
               {"seed", config.run.seed}};
  const BoardList training = training_list(data);
  json["training"] = counts_json(count_boards(training.count, training.board));
  json["training"]["examples_per_epoch"] = data.epoch_length();
  for (const TestSet& set : data.test_sets()) {
    const BoardList list = test_list(set);
    Json entry = {{"name", set.name}, {"meaning", set.meaning}};
    entry.update(counts_json(count_boards(list.count, list.board)));
    const Overlap overlap = overlap_with_training(data, set.boards);
    entry["in_training"] = {{"inputs", overlap.inputs}, {"boards", overlap.boards}, {"orbits", overlap.orbits}};
    json["test_sets"].push_back(entry);
  }
  return json;
}

namespace {

void print_counts(const Json& counts) {
  std::cout << "  boards            " << counts["boards"] << " (" << counts["distinct"] << " distinct, "
            << counts["distinct_inputs"] << " distinct givens)\n"
            << "  solutions         " << counts["solutions"] << " in " << counts["orbits"] << " symmetry orbits\n"
            << "  by givens        ";
  for (const auto& [givens, boards] : counts["by_givens"].items()) std::cout << "  " << givens << ": " << boards;
  std::cout << "\n  by completions     one: " << counts["by_completions"]["one"]
            << "  two or three: " << counts["by_completions"]["two_or_three"]
            << "  more: " << counts["by_completions"]["more"] << "\n";
}

}  // namespace

void print_boards_info(const Json& info) {
  std::cout << "N-Queens, N = " << info["board_size"] << ", split " << info["split"].get<std::string>() << ", seed "
            << info["seed"] << "\n\ntraining\n";
  print_counts(info["training"]);
  std::cout << "  examples an epoch " << info["training"]["examples_per_epoch"] << "\n";
  for (const Json& set : info["test_sets"]) {
    std::cout << "\ntest set \"" << set["name"].get<std::string>() << "\": " << set["meaning"].get<std::string>()
              << "\n";
    print_counts(set);
    const Json& shared = set["in_training"];
    std::cout << "  leak check        of " << set["boards"] << " boards, training shows the givens of "
              << shared["inputs"] << ", givens and label of " << shared["boards"] << ", the label's orbit of "
              << shared["orbits"] << "\n";
  }
}

namespace {

const TestSet& find_set(const NQueensData& data, const std::string& name) {
  std::string known;
  for (const TestSet& set : data.test_sets()) {
    if (set.name == name) return set;
    known += (known.empty() ? "" : ", ") + set.name;
  }
  throw UserError("--test: expected one of the test sets of this configuration (" + known + "), found " + name);
}

}  // namespace

void show_boards(const RunConfig& config, const ShowBoards& options) {
  const NQueensData data(config.data, static_cast<std::uint64_t>(config.run.seed));
  const BoardList list = options.test.empty() ? training_list(data) : test_list(find_set(data, options.test));
  if (options.first >= list.count) {
    throw UserError("--first: expected at most " + std::to_string(list.count - 1) + ", the number of the last " +
                    list.name + " board, found " + std::to_string(options.first));
  }
  std::vector<BoardView> views;
  for (std::int64_t i = options.first; i < list.count && i - options.first < options.count; ++i) {
    const Board board = list.board(i);
    const bool capped = board.completions == kCompletionsCap;
    views.push_back(
        {std::string("#") + std::to_string(i) + ": " + std::to_string(board.completions) + (capped ? "+" : ""),
         board.input,
         {board.label.begin(), board.label.end()}});
  }
  const auto style = style_of_stdout(options.plain);
  std::cout << list.name << " boards " << options.first << " to "
            << options.first + static_cast<std::int64_t>(views.size()) - 1 << " of " << list.count
            << (style.colour ? " (black: given, blue: the label's other queens"
                             : " (Q: given, q: the label's other queens")
            << "; #number: completions)\n\n"
            << board_text(views, style);
}

void write_boards(const RunConfig& config, const std::filesystem::path& folder) {
  try_folder(folder);
  const NQueensData data(config.data, static_cast<std::uint64_t>(config.run.seed));
  ensure_folder(folder);
  const auto write = [&](const BoardList& list, const std::string& what, const std::string& name, const char* key) {
    const Json head = {{"what", what},
                       {"board_size", config.data.board_size},
                       {"split", to_string(config.data.split)},
                       {"seed", config.run.seed}};
    write_board_file(folder / name, head, key, list.count, list.board);
    std::cout << (folder / name).string() << ": " << list.count << " boards\n";
  };
  write(training_list(data), "N-Queens training boards before augmentation; 1 = empty, 2 = queen, row by row",
        "train.json", "boards");
  for (const TestSet& set : data.test_sets()) {
    write(test_list(set), "N-Queens test boards: " + set.meaning + "; 1 = empty, 2 = queen, row by row",
          "test_" + set.name + ".json", "test");
  }
}

}  // namespace dis
