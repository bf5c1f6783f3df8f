// dis data info | show | build: the boards that a configuration stands for.
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <memory>

#include "commands.h"
#include "config_options.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/data/board_file.h"
#include "dis/data/board_statistics.h"
#include "dis/data/board_text.h"
#include "dis/data/nqueens.h"

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

// ------------------------------------------------------------------------------------------------------------- info

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

Json gather(const RunConfig& config) {
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

void print(const Json& info) {
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

void add_info(CLI::App& data) {
  struct Options {
    ConfigOptions config;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* info = data.add_subcommand("info", "Count boards, and check what test boards share with training");
  options->config.add_to(*info);
  info->add_flag("--json", options->json, "As JSON");
  info->footer("Example:\n  dis data info --set data.board_size=7 --set data.split=orbits");
  info->callback([options] {
    const Json found = gather(options->config.load());
    if (options->json) {
      std::cout << found.dump(2) << "\n";
    } else {
      print(found);
    }
  });
}

// ------------------------------------------------------------------------------------------------------------- show

int terminal_width() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

const TestSet& find_set(const NQueensData& data, const std::string& name) {
  std::string known;
  for (const TestSet& set : data.test_sets()) {
    if (set.name == name) return set;
    known += (known.empty() ? "" : ", ") + set.name;
  }
  throw UserError("--test: expected one of the test sets of this configuration (" + known + "), found " + name);
}

struct ShowOptions {
  ConfigOptions config;
  std::string test;
  std::int64_t first = 0;
  std::int64_t count = 8;
  bool plain = false;
};

void show_boards(const ShowOptions& options) {
  const RunConfig config = options.config.load();
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
    views.push_back({"#" + std::to_string(i) + ": " + std::to_string(board.completions) + (capped ? "+" : ""),
                     board.input,
                     {board.label.begin(), board.label.end()}});
  }
  const bool colour = !options.plain && isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  std::cout << list.name << " boards " << options.first << " to "
            << options.first + static_cast<std::int64_t>(views.size()) - 1 << " of " << list.count
            << (colour ? " (black: given, blue: the label's other queens" : " (Q: given, q: the label's other queens")
            << "; #number: completions)\n\n"
            << board_text(views, {.colour = colour, .width = terminal_width()});
}

void add_show(CLI::App& data) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App* show = data.add_subcommand("show", "Draw boards in the terminal");
  options->config.add_to(*show);
  show->add_option("--test", options->test, "Draw from this test set; without it: training boards")->type_name("NAME");
  show->add_option("--first", options->first, "Number of the first board")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  show->add_option("--count", options->count, "How many boards")->check(CLI::PositiveNumber)->capture_default_str();
  show->add_flag("--plain", options->plain, "Letters without colour");
  show->footer("Example:\n  dis data show --test boards --first 10 --count 4");
  show->callback([options] { show_boards(*options); });
}

// ------------------------------------------------------------------------------------------------------------ build

void build_files(const ConfigOptions& options, const std::filesystem::path& folder) {
  const RunConfig config = options.load();
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

void add_build(CLI::App& data) {
  struct Options {
    ConfigOptions config;
    std::string output;
  };
  auto options = std::make_shared<Options>();
  CLI::App* build = data.add_subcommand("build", "Write the boards to files, for data.train_file and data.test_file");
  options->config.add_to(*build);
  build->add_option("--output", options->output, "Folder of the files")->type_name("DIR")->required();
  build->footer("Example:\n  dis data build --set data.board_size=7 --output data/queens7");
  build->callback([options] { build_files(options->config, options->output); });
}

}  // namespace

void add_data_command(CLI::App& app) {
  CLI::App* data = app.add_subcommand("data", "Count, draw and write the boards of a configuration");
  data->require_subcommand(1);
  data->footer("Example:\n  dis data show --set data.split=authors --count 4");
  add_info(*data);
  add_show(*data);
  add_build(*data);
}

}  // namespace dis
