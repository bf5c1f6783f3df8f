// dis eval
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "commands.h"
#include "dis/core/error.h"
#include "dis/core/json.h"
#include "dis/data/board_text.h"
#include "dis/eval/decode.h"
#include "dis/eval/evaluate.h"
#include "dis/model/weights_file.h"
#include "dis/train/checkpoint.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

struct EvalOptions {
  std::string run;
  std::string checkpoint = "latest";
  std::vector<std::string> set;
  std::int64_t show = 0;
  bool json = false;
};

TextStyle style_of_stdout() {
  TextStyle style;
  style.colour = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) style.width = size.ws_col;
  return style;
}

/// Draws boards as they are solved: the givens, then the answer after each supervision step.
void show_boards(const Session& session, std::int64_t count) {
  const auto& config = session.config;
  const auto& test = session.data->test_sets().front();
  // The first ones that have one completion and at least three queens to find.
  std::vector<Board> boards;
  for (const auto& board : test.boards) {
    if (std::ssize(boards) == count) break;
    if (board.completions == 1 && board.givens + 3 <= session.data->board_size()) boards.push_back(board);
  }
  std::vector<std::int32_t> inputs;
  for (const auto& board : boards) inputs.insert(inputs.end(), board.input.begin(), board.input.end());
  const auto answers = decode_argmax(*session.model, {config.method.feedback, config.method.loss, config.eval.batch},
                                     inputs, config.method.num_supervision);
  const auto length = static_cast<std::ptrdiff_t>(session.model->shape().length);
  for (std::ptrdiff_t i = 0; i < std::ssize(boards); ++i) {
    const auto& board = boards[static_cast<std::size_t>(i)];
    std::vector<BoardView> views{{"givens", board.input, {}}};
    for (std::size_t s = 0; s < answers.size(); ++s) {
      const auto first = answers[s].begin() + i * length;
      views.push_back({"step " + std::to_string(s + 1), board.input, {first, first + length}});
    }
    std::cout << board_text(views, style_of_stdout()) << "\n";
  }
}

void run_evaluation(const EvalOptions& options) {
  auto session = make_session(run_config(options.run, options.set));
  const auto folder = find_checkpoint(options.run, options.checkpoint);
  const bool averaged = session.config.eval.ema && fs::exists(folder / "ema.safetensors");
  load_weights(folder / (averaged ? "ema.safetensors" : "model.safetensors"), session.model->weights());
  const auto reports = evaluate(session, session.config.eval);
  const auto checkpoint = folder.filename().string();
  const auto json = write_evaluation(options.run, checkpoint, averaged, session, reports);
  if (options.json) {
    std::cout << json.dump(2) << "\n";
    return;
  }
  std::cout << report_text(reports) << "written to "
            << (fs::path(options.run) / "eval" / (checkpoint + ".json")).string() << "\n\n";
  if (options.show > 0) show_boards(session, options.show);
}

}  // namespace

void add_eval_command(CLI::App& app) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* eval = app.add_subcommand("eval", "Evaluate a run's network on its test boards");
  eval->add_option("--run", options->run, "Run folder")->required()->type_name("DIR");
  eval->add_option("--checkpoint", options->checkpoint, "Checkpoint: an update number, latest or best")
      ->capture_default_str();
  eval->add_option("--set", options->set, "Changes one field, as in --set eval.decoder=commit; may be repeated")
      ->type_name("FIELD=VALUE")
      ->allow_extra_args(false);
  eval->add_option("--show", options->show, "Draw this many boards as they are solved, step by step")
      ->check(CLI::NonNegativeNumber);
  eval->add_flag("--json", options->json, "Print the scores as JSON");
  eval->footer("Example:\n  dis eval --run runs/first --show 3");
  eval->callback([options] { run_evaluation(*options); });
}

}  // namespace dis
