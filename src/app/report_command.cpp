// dis report
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <thread>

#include "commands.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/log.h"
#include "dis/core/signals.h"
#include "dis/report/report.h"
#include "outputs.h"

namespace dis {
namespace {

struct ReportOptions {
  std::vector<std::string> runs;
  std::string output;
  bool follow = false;
  int every_s = 10;
};

void write_report(const ReportOptions& options) {
  namespace fs = std::filesystem;
  const fs::path file =
      options.output.empty() ? fs::path(options.runs.front()) / "report.html" : fs::path(options.output);
  for (const auto& run : options.runs) refuse_input(file, "--output", run_inputs(run));
  read_runs(options.runs);  // a wrong name is told before a place that cannot be written
  try_file(file);
  if (options.follow) catch_stop_signals();
  while (true) {
    const auto runs = read_runs(options.runs);
    const bool goes_on = options.follow && !std::ranges::all_of(runs, &RunData::finished) && !stop_requested();
    const auto html = report_html(runs, goes_on ? options.every_s : 0);
    write_atomically(file, html);
    log_info("written to " + file.string() + " (" + std::to_string((html.size() + 1023) / 1024) + " KB)" +
             (goes_on ? ", update " + std::to_string(runs.front().updates) + " of " +
                            std::to_string(runs.front().config.train.steps)
                      : ""));
    if (!goes_on) break;
    for (int tenth = 0; tenth < 10 * options.every_s && !stop_requested(); ++tenth) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
  std::cout << file.string() << "\n";
}

}  // namespace

void add_report_command(CLI::App& app) {
  auto options = std::make_shared<ReportOptions>();
  CLI::App* command = app.add_subcommand("report", "One HTML page about one or several runs");
  command->add_option("--run", options->runs, "Run folders; several are compared")->type_name("DIR")->required();
  command->add_option("--output", options->output, "The page; default: report.html in the first run")
      ->type_name("FILE");
  command->add_flag("--follow", options->follow, "Write it again and again while the runs train");
  command->add_option("--every", options->every_s, "Seconds between two pages with --follow")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str()
      ->needs("--follow");
  command->footer(
      "It shows what is in the folders: metrics, evaluations (dis eval), and what is inside (dis analyze).\n\n"
      "Examples:\n  dis report --run runs/first\n  dis report --run runs/dis runs/trm --output compared.html\n"
      "  dis report --run runs/first --follow");
  command->callback([options] { write_report(*options); });
}

}  // namespace dis
