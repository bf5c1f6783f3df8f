// dis data info | show | build | export | import | combine
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "arc_data_command.h"
#include "arc_show.h"
#include "boards_data.h"
#include "commands.h"
#include "config_options.h"
#include "dis/core/cpus.h"
#include "dis/core/error.h"
#include "dis/core/json.h"
#include "dis/data/open_data.h"
#include "puzzle_scene.h"
#include "puzzles_build.h"
#include "puzzles_data.h"
#include "terminal.h"

namespace dis {
namespace {

void print_info(const RunConfig& config, bool as_json) {
  const auto data = open_data(config);
  const auto description = data->describe(config);
  std::cout << (as_json ? json_text(description, 2) + "\n" : data->description_text(description));
}

void add_info(CLI::App& data) {
  struct Options {
    ConfigOptions config;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* info =
      data.add_subcommand("info", "Count boards, tasks, graphs or examples, and check what tests share with training");
  options->config.add_to(*info);
  info->add_flag("--json", options->json, "As JSON");
  info->footer(
      "Examples:\n  dis data info --set data.board_size=7 --set data.split=orbits\n"
      "  dis data info --config configs/arc/dis_compact_arc1.json");
  info->callback([options] { print_info(options->config.load(), options->json); });
}

struct ShowOptions {
  ConfigOptions config;
  std::string task;
  std::string output;
  std::string test;  ///< name of a test set; empty: training examples
  std::int64_t first = 0;
  std::int64_t count = 8;
  bool plain = false;
};

ExampleList list_to_show(const DataSet& data, const std::string& test) {
  if (test.empty()) {
    auto trained = data.trained();
    if (!trained) throw UserError("--test: expected the name of a test set, as training examples are not drawn");
    return std::move(*trained);
  }
  std::string known;
  for (auto& list : data.tests()) {
    if (list.name == test) return std::move(list);
    known += (known.empty() ? "" : ", ") + list.name;
  }
  throw UserError("--test: expected one of the test sets of this configuration (" + known + "), found " + test);
}

void show_examples(const RunConfig& config, const ShowOptions& options) {
  const auto data = open_data(config);
  const auto style = style_of_stdout(options.plain);
  if (!data->draw({}, style)) {
    throw UserError("these examples are not drawn: data.kind = " + to_string(config.data.kind) +
                    "; dis data info counts them");
  }
  const auto list = list_to_show(*data, options.test);
  const auto name = list.name + " " + list.unit;
  if (options.first >= list.size) {
    throw UserError("--first: expected at most " + std::to_string(list.size - 1) + ", the number of the last " + name +
                    ", found " + std::to_string(options.first));
  }
  const auto end = options.first + std::min(options.count, list.size - options.first);
  std::vector<DrawnExample> drawn;
  for (auto i = options.first; i < end; ++i) {
    const auto example = list.at(i);
    drawn.push_back({"#" + std::to_string(i) + ": " + example.note, example.input, example.label});
  }
  if (!options.output.empty()) {
    check_picture_name(options.output);
    write_grid_picture(options.output, puzzle_scene(*data, drawn, "--output"));
    std::cout << options.output << ": " << drawn.size() << " puzzles\n";
    return;
  }
  const auto drawing = *data->draw(drawn, style);
  std::cout << name << "s " << options.first << " to " << end - 1 << " of " << list.size << " (" << drawing.legend
            << ")\n\n"
            << drawing.text;
}

void show(const ShowOptions& options) {
  const auto config = options.config.load();
  if (!options.task.empty()) {
    return show_arc_task(find_task(config.data, options.task), {options.output, style_of_stdout(options.plain)});
  }
  if (kind_of(config.data).tasks) throw CLI::RequiredError("the name of a task");
  show_examples(config, options);
}

void add_data_show(CLI::App& data) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App* show_command = data.add_subcommand("show", "Draw boards, graphs or puzzles, or an ARC task");
  options->config.add_to(*show_command);
  show_command->add_option("task", options->task, "Name of an ARC task, in the sets of data.subsets")
      ->type_name("TASK");
  show_command
      ->add_option("--output", options->output, "Draw into this .svg or .png file (an ARC task, Sudokus or mazes)")
      ->type_name("FILE");
  show_command->add_option("--test", options->test, "Those of this test set; without it: those of training")
      ->type_name("NAME");
  show_command->add_option("--first", options->first, "Number of the first of them")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  show_command->add_option("--count", options->count, "How many")->check(CLI::PositiveNumber)->capture_default_str();
  show_command->add_flag("--plain", options->plain, "Letters without colour");
  show_command->footer(
      "Examples:\n  dis data show --test boards --first 10 --count 4\n"
      "  dis data show 00576224 --output task.png");
  show_command->callback([options] { show(*options); });
}

struct WriteOptions {
  ConfigOptions config;
  std::string output;
};

struct BuildOptions {
  WriteOptions boards;
  PuzzlesBuild puzzles;
  std::vector<std::int64_t> path{100, 140};
  std::vector<std::pair<const CLI::Option*, std::string>> kinds = {};  ///< of an option, the kinds that have it
};

void build(const BuildOptions& options) {
  for (const auto& [option, kinds] : options.kinds) {
    if (option->count() > 0 && kinds.find(options.puzzles.kind) == std::string::npos) {
      throw UserError(option->get_name() + ": it is for --kind " + kinds + ", found --kind " + options.puzzles.kind);
    }
  }
  if (options.puzzles.kind == "nqueens") return write_boards(options.boards.config.load(), options.boards.output);
  if (!options.boards.config.file.empty() || !options.boards.config.set.empty()) {
    throw UserError("--config and --set are for boards: expected none of them with --kind " + options.puzzles.kind);
  }
  auto puzzles = options.puzzles;
  puzzles.folder = options.boards.output;
  puzzles.maze.shortest = options.path.front();
  puzzles.maze.longest = options.path.back();
  const auto most = puzzles.maze.side * puzzles.maze.side / 2;  // of the cells about half are open
  if (puzzles.maze.shortest < 1 || puzzles.maze.longest < puzzles.maze.shortest || puzzles.maze.longest > most) {
    throw UserError("--path: expected the steps of a shortest and of a longest path, as 100 140, from 1 to " +
                    std::to_string(most) + " with --side " + std::to_string(puzzles.maze.side) + ", found " +
                    std::to_string(puzzles.maze.shortest) + " and " + std::to_string(puzzles.maze.longest));
  }
  puzzles.threads = usable_threads();
  build_puzzles(puzzles);
}

void add_build(CLI::App& data) {
  auto options = std::make_shared<BuildOptions>();
  CLI::App* command = data.add_subcommand(
      "build", "Write boards to files, for data.train_file and data.test_file; or make Sudokus or mazes as CSV files");
  options->boards.config.add_to(*command);
  command->add_option("--output", options->boards.output, "Folder of the files")->type_name("DIR")->required();
  auto& puzzles = options->puzzles;
  puzzles.kind = "nqueens";
  command->add_option("--kind", puzzles.kind, "The boards of a configuration; hard Sudokus; mazes with one path")
      ->check(CLI::IsMember({"nqueens", "sudoku", "maze"}))
      ->capture_default_str();
  const std::string both = "sudoku or maze";
  const auto whole = [&](const char* name, std::int64_t& number, const std::string& kinds, const char* what,
                         const CLI::Range& range) {
    auto* option = command->add_option(name, number, kinds + ": " + what)->check(range)->capture_default_str();
    options->kinds.emplace_back(option, kinds);
  };
  constexpr std::int64_t kMany = 100'000'000;
  whole("--train", puzzles.train, both, "training puzzles", CLI::Range(std::int64_t{1}, kMany));
  whole("--tests", puzzles.tests, both, "test puzzles, none the same as another in another form",
        CLI::Range(std::int64_t{0}, kMany));
  whole("--seed", puzzles.seed, both, "of all draws", CLI::Range(std::int64_t{0}, std::int64_t{1} << 62));
  whole("--climb", puzzles.climb, "sudoku", "attempts to make each one harder",
        CLI::Range(std::int64_t{0}, std::int64_t{1'000'000}));
  whole("--clues", puzzles.clues, "sudoku", "at least so many clues, some of which it does not need; 0: none of these",
        CLI::Range(std::int64_t{0}, std::int64_t{80}));
  whole("--side", puzzles.maze.side, "maze", "rows and columns", CLI::Range(std::int64_t{5}, std::int64_t{100}));
  options->kinds.emplace_back(
      command->add_option("--path", options->path, "maze: fewest and most steps from start to goal")
          ->type_name("STEPS")
          ->expected(2)
          ->capture_default_str(),
      "maze");
  command->footer(
      "Examples:\n  dis data build --set data.board_size=7 --output data/queens7\n"
      "  dis data build --kind sudoku --train 1000 --tests 1000 --output data/sudoku-climb\n"
      "  dis data build --kind maze --side 12 --path 12 24 --output data/maze12");
  command->callback([options] { build(*options); });
}

void add_export(CLI::App& data) {
  auto options = std::make_shared<WriteOptions>();
  CLI::App* command = data.add_subcommand("export", "Write ARC puzzles or rows as the official builders do");
  options->config.add_to(*command);
  command->add_option("--output", options->output, "New folder")->type_name("DIR")->required();
  command->footer(
      "Example:\n  dis data export --config configs/arc/dis_compact_arc1.json --set "
      "data.translations=frozen --output data/arc1");
  command->callback([options] { export_data(options->config.load(), options->output); });
}

void add_import(CLI::App& data) {
  struct Options {
    std::string input;
    std::string output;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = data.add_subcommand("import", "Check a folder of the official builders, for data.kind = folder");
  command->add_option("--input", options->input, "The folder")->type_name("DIR")->required();
  command->add_option("--output", options->output, "New configuration that trains on it")->type_name("FILE");
  command->footer("Example:\n  dis data import --input sudoku-extreme-1k --output sudoku.json");
  command->callback([options] { import_folder(options->input, options->output); });
}

}  // namespace

void add_data_command(CLI::App& app) {
  CLI::App* data = app.add_subcommand("data", "Count, draw, write and read data sets");
  data->require_subcommand(1);
  data->footer("Example:\n  dis data show --set data.split=authors --count 4");
  add_info(*data);
  add_data_show(*data);
  add_build(*data);
  add_export(*data);
  add_import(*data);
  add_arc_combine(*data);
}

}  // namespace dis
