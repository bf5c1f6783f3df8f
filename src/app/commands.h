// The subcommands of `dis`: each function adds one to the program, and its callback runs it.
//
// A callback writes results to stdout and throws what goes wrong; main.cpp turns exceptions into exit codes.
#pragma once

namespace CLI {
class App;
}

namespace dis {

void add_train_command(CLI::App& app);
void add_eval_command(CLI::App& app);
void add_analyze_command(CLI::App& app);
void add_report_command(CLI::App& app);
void add_predict_command(CLI::App& app);
void add_reproduce_command(CLI::App& app);
void add_data_command(CLI::App& app);
void add_import_command(CLI::App& app);
void add_export_command(CLI::App& app);
void add_config_command(CLI::App& app);
void add_bench_command(CLI::App& app);
void add_info_command(CLI::App& app);

}  // namespace dis
