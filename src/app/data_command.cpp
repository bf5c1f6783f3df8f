// dis data info | show | build | export | import | combine
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "arc_data_command.h"
#include "arc_show.h"
#include "boards_data.h"
#include "commands.h"
#include "config_options.h"
#include "dis/core/error.h"
#include "dis/core/json.h"
#include "puzzles_data.h"
#include "terminal.h"

namespace dis {
namespace {

void print_info(const RunConfig& config, bool as_json) {
  const auto print = [&](const Json& info, void (*as_text)(const Json&)) {
    if (as_json) {
      std::cout << json_text(info, 2) << "\n";
    } else {
      as_text(info);
    }
  };
  switch (config.data.kind) {
    case DataKind::nqueens:
      return print(boards_info(config), print_boards_info);
    case DataKind::arc:
      return print(arc_info(config), print_arc_info);
    case DataKind::folder:
    case DataKind::grids:
      return print(rows_info(config), print_rows_info);
  }
}

void add_info(CLI::App& data) {
  struct Options {
    ConfigOptions config;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* info =
      data.add_subcommand("info", "Count boards, tasks or examples, and check what tests share with training");
  options->config.add_to(*info);
  info->add_flag("--json", options->json, "As JSON");
  info->footer(
      "Examples:\n  dis data info --set data.board_size=7 --set data.split=orbits\n"
      "  dis data info --config configs/arc/dis_compact_arc1.json");
  info->callback([options] { print_info(options->config.load(), options->json); });
}

struct ShowOptions {
  ConfigOptions config;
  ShowBoards boards;
  std::string task;
  std::string output;
};

void show(const ShowOptions& options) {
  auto config = options.config.load();
  if (!options.task.empty()) {
    show_arc_task(find_task(config.data, options.task), {options.output, style_of_stdout(options.boards.plain)});
  } else if (config.data.kind == DataKind::nqueens) {
    show_boards(config, options.boards);
  } else {
    throw CLI::RequiredError("the name of a task");
  }
}

void add_data_show(CLI::App& data) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App* show_command = data.add_subcommand("show", "Draw boards, or an ARC task");
  options->config.add_to(*show_command);
  show_command->add_option("task", options->task, "Name of an ARC task, in the sets of data.subsets")
      ->type_name("TASK");
  show_command->add_option("--output", options->output, "Draw the task into this .svg or .png file")->type_name("FILE");
  show_command->add_option("--test", options->boards.test, "Boards of this test set; without it: training boards")
      ->type_name("NAME");
  show_command->add_option("--first", options->boards.first, "Number of the first board")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  show_command->add_option("--count", options->boards.count, "How many boards")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  show_command->add_flag("--plain", options->boards.plain, "Letters without colour");
  show_command->footer(
      "Examples:\n  dis data show --test boards --first 10 --count 4\n"
      "  dis data show 00576224 --output task.png");
  show_command->callback([options] { show(*options); });
}

struct WriteOptions {
  ConfigOptions config;
  std::string output;
};

void add_build(CLI::App& data) {
  auto options = std::make_shared<WriteOptions>();
  CLI::App* build = data.add_subcommand("build", "Write boards to files, for data.train_file and data.test_file");
  options->config.add_to(*build);
  build->add_option("--output", options->output, "Folder of the files")->type_name("DIR")->required();
  build->footer("Example:\n  dis data build --set data.board_size=7 --output data/queens7");
  build->callback([options] { write_boards(options->config.load(), options->output); });
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
