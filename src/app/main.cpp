// The program `dis`: its subcommands and exit codes.
//
//   0  done
//   1  a mistake of the user's (UserError), a file system that refuses, no memory left: one line on stderr
//   2  wrong usage: an unknown subcommand or option, a missing argument
//   128 + signal  a signal stopped it, after it had saved its work; 141: nobody reads the answer that it prints
//   3  any other exception: a bug
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

#include "commands.h"
#include "dis/app/build_info.h"
#include "dis/core/error.h"
#include "dis/core/memory.h"
#include "dis/core/signals.h"
#include "openmp_waiting.h"

namespace {

constexpr int kUserError = 1;
constexpr int kUsage = 2;
constexpr int kInternalError = 3;
/// Where memory ran out in no place that knows better.
constexpr const char* kSmaller =
    "out of memory; hold less at once (train.micro_batch, eval.batch, predict.batch, --batch), fewer data "
    "(data.augmentations, data.train_boards) or a smaller network (model.hidden_size)";

int internal_error(const char* what) {
  std::cerr << "internal error: " << what << "\nThis is a bug in dis " << dis::build_info::version
            << ": please report it, with the command line and the output of `dis info`." << std::endl;
  return kInternalError;
}

/// The answer cannot be printed; what the command writes to files is there by now. Nobody to read it (`| head`) is no
/// mistake: the status is what the signal would have left.
int lost_output() {
  pollfd standard_output{STDOUT_FILENO, POLLOUT, 0};
  const bool reader_gone = ::poll(&standard_output, 1, 0) > 0 && (standard_output.revents & (POLLERR | POLLHUP)) != 0;
  if (reader_gone) return 128 + SIGPIPE;
  std::cerr << "error: cannot write to standard output: is the disk full?" << std::endl;
  return kUserError;
}

/// The message about a misspelt subcommand (`dis trian`, `dis config shwo`), which CLI11 only reports as missing; empty
/// when there is none.
std::string unknown_subcommand(const CLI::App& app, int argc, char** argv) {
  const CLI::App* place = &app;
  for (int i = 1; i < argc && argv[i][0] != '-'; ++i) {
    const auto subcommands = place->get_subcommands([](const CLI::App*) { return true; });
    if (subcommands.empty()) break;
    std::string known;
    const CLI::App* next = nullptr;
    for (const CLI::App* subcommand : subcommands) {
      if (subcommand->get_name() == argv[i]) next = subcommand;
      known += (known.empty() ? "" : ", ") + subcommand->get_name();
    }
    if (next == nullptr) return "unknown subcommand \"" + std::string(argv[i]) + "\"; there are: " + known;
    place = next;
  }
  return "";
}

int run(int argc, char** argv) {
  CLI::App app{"Deep Improvement Supervision: trains and evaluates tiny recursive models"};
  app.name("dis");
  app.set_version_flag("--version", dis::build_info::version);
  app.require_subcommand(1);
  app.footer(
      "Example:\n  dis train --config configs/nqueens/quickstart.json --run-dir runs/first\n\n`dis SUBCOMMAND --help` "
      "tells more.");
  dis::add_train_command(app);
  dis::add_eval_command(app);
  dis::add_analyze_command(app);
  dis::add_report_command(app);
  dis::add_predict_command(app);
  dis::add_reproduce_command(app);
  dis::add_data_command(app);
  dis::add_import_command(app);
  dis::add_export_command(app);
  dis::add_config_command(app);
  dis::add_bench_command(app);
  dis::add_info_command(app);
  if (const std::string message = unknown_subcommand(app, argc, argv); !message.empty()) {
    std::cerr << message << std::endl;
    return kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // --help and --version come this way too, with status 0
    if (app.exit(error) != 0) return kUsage;
  }
  std::cout.flush();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  dis::let_waiting_threads_sleep(argv);
  dis::prepare_signals();
  std::cout.exceptions(std::ios::badbit);  // what prints much ends when nobody reads it any more
  try {
    return run(argc, argv);
  } catch (const dis::UserError& error) {
    std::cerr << "error: " << error.what() << std::endl;
    return kUserError;
  } catch (const std::filesystem::filesystem_error& error) {  // no permission, a name too long, ...
    std::cerr << "error: " << error.what() << std::endl;
    return kUserError;
  } catch (const dis::Stopped& stopped) {
    return 128 + stopped.signal;
  } catch (const std::exception& error) {
    if (std::cout.bad()) return lost_output();
    if (dis::is_out_of_memory(error)) {
      std::cerr << "error: " << kSmaller << std::endl;
      return kUserError;
    }
    return internal_error(error.what());
  } catch (...) {
    return internal_error("unknown exception");
  }
}
