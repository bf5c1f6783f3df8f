// dis eval
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "commands.h"
#include "config_options.h"
#include "dis/core/error.h"
#include "dis/core/log.h"
#include "dis/core/signals.h"
#include "dis/data/arc_data.h"
#include "dis/data/board_text.h"
#include "dis/data/grid_picture.h"
#include "dis/data/identifiers.h"
#include "dis/data/nqueens.h"
#include "dis/eval/arc_solution.h"
#include "dis/eval/decode.h"
#include "dis/eval/evaluate.h"
#include "dis/eval/seen_tasks.h"
#include "dis/eval/submission.h"
#include "dis/model/weights_file.h"
#include "dis/train/checkpoint.h"
#include "ranked.h"
#include "terminal.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

struct EvalOptions {
  ConfigOptions config;
  std::string run;
  std::string checkpoint = "latest";
  std::string weights;
  std::string identifiers;
  std::string output;
  std::string check_submission;
  std::string task;
  std::string picture;
  std::int64_t show = 0;
  bool json = false;
};

/// Draws boards as they are solved: the givens, then the answer after each supervision step.
void show_boards(const Session& session, const NQueensData& data, std::int64_t count) {
  const auto& config = session.config;
  const auto& test = data.test_sets().front();
  // The first ones that have one completion and at least three queens to find.
  std::vector<Board> boards;
  for (const auto& board : test.boards) {
    if (std::ssize(boards) == count) break;
    if (board.completions == 1 && board.givens + 3 <= data.board_size()) boards.push_back(board);
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

/// A network to evaluate, and where its results go.
struct Subject {
  Session session;
  EvaluationTarget target;
};

void warn_of_missing_rows(std::int64_t found, const Session& session) {
  const auto all = session.data->shape().identifiers;
  if (!session.config.model.puzzle_embedding || found == all) return;
  log_warn(std::to_string(all - found) + " of " + std::to_string(all) +
           " puzzle identifiers have no trained row; they get the mean of all rows");
}

/// A checkpoint of a run. Data other than the run's own may be asked for by --set data.*: then puzzle rows are found by
/// their identifiers.
Subject open_run(const EvalOptions& options, const RunConfig& config, const std::shared_ptr<const Ranks>& ranks) {
  const auto trained = run_config(options.run, {});
  auto session = make_session(config, ranks);
  const auto folder = find_checkpoint(options.run, options.checkpoint);
  const bool averaged = session.config.eval.ema && fs::exists(folder / "ema.safetensors");
  const auto file = folder / (averaged ? "ema.safetensors" : "model.safetensors");
  EvaluationTarget target{fs::path(options.run) / "eval", folder.filename().string(), options.run,
                          averaged ? "moving average" : "last"};
  const auto identifiers = fs::path(options.run) / "identifiers.json";
  if (session.config.data == trained.data && same_identifiers(identifiers, *session.data)) {
    load_weights(file, session.model->weights());
  } else {
    const auto theirs = read_identifiers(identifiers);
    warn_of_missing_rows(adopt_weights(file, session.model->weights(), identifier_names(*session.data), theirs),
                         session);
  }
  if (session.config.data.kind == DataKind::arc) {
    const auto& puzzles = data_as<ArcData>(session).puzzles();
    target.seen_tasks = warn_of_seen_tasks(tested_tasks(puzzles), seen_by_run(options.run, puzzles),
                                           session.config.eval.allow_seen_tasks);
  }
  return {std::move(session), std::move(target)};
}

/// Weights trained elsewhere, on the data of a configuration.
Subject open_weights(const EvalOptions& options, const RunConfig& config, const std::shared_ptr<const Ranks>& ranks) {
  auto session = make_session(config, ranks);
  const fs::path file = options.weights;
  EvaluationTarget target{options.output.empty() ? fs::path("eval") : fs::path(options.output), file.stem().string(),
                          "", file.string()};
  std::vector<std::string> theirs;
  if (!options.identifiers.empty()) {
    theirs = read_identifiers(options.identifiers);
    if (session.config.data.kind == DataKind::arc) {
      const auto& puzzles = data_as<ArcData>(session).puzzles();
      target.seen_tasks = warn_of_seen_tasks(tested_tasks(puzzles), seen_by_names(theirs, puzzles),
                                             session.config.eval.allow_seen_tasks);
    }
  } else if (session.config.data.kind == DataKind::arc) {
    log_warn(
        "without --identifiers only the number of puzzle rows is compared: were these weights trained on other "
        "puzzles, or in another order, their scores mean nothing");
  }
  const auto found = adopt_weights(file, session.model->weights(), identifier_names(*session.data), theirs);
  if (found == 0 && session.config.model.puzzle_embedding) {
    throw UserError("weights file '" + file.string() + "' has another number of puzzle rows than these data have (" +
                    std::to_string(session.data->shape().identifiers) +
                    "); give the list that belongs to it with --identifiers");
  }
  warn_of_missing_rows(found, session);
  return {std::move(session), std::move(target)};
}

void show_solution(const Session& session, const EvalOptions& options) {
  const auto scene = solution_scene(session, session.config.eval, options.task);
  if (options.picture.empty()) {
    std::cout << grid_text(scene, style_of_stdout());
  } else {
    write_grid_picture(options.picture, scene);
    std::cout << "written to " << options.picture << "\n";
  }
}

/// Evaluates, and prints; a first SIGINT or SIGTERM stops an ARC evaluation so that it can go on later.
void evaluate_on(const EvalOptions& options, const RunConfig& config, const std::shared_ptr<const Ranks>& ranks) {
  auto subject = options.weights.empty() ? open_run(options, config, ranks) : open_weights(options, config, ranks);
  const auto& session = subject.session;
  if (!subject.target.seen_tasks.empty()) log_warn(subject.target.seen_tasks);
  if (options.show > 0 && session.config.data.kind != DataKind::nqueens) {
    throw UserError("--show draws boards, found data.kind = " + to_string(session.config.data.kind) +
                    "; ARC tasks are drawn with --task");
  }
  if (!options.task.empty()) return show_solution(session, options);
  if (session.config.data.kind == DataKind::arc) {  // the others are soon done, and a signal ends them
    subject.target.interruptible = true;
    catch_stop_signals();
  }
  const auto evaluation = evaluate(session, session.config.eval, subject.target);
  if (!ranks->first()) return;
  if (options.json) {
    std::cout << evaluation.json.dump(2) << "\n";
    return;
  }
  std::cout << evaluation.report << "written to " << evaluation.file.string() << "\n\n";
  if (options.show > 0 && session.config.data.kind == DataKind::nqueens) {
    show_boards(session, data_as<NQueensData>(session), options.show);
  }
}

void run_evaluation(const EvalOptions& options) {
  const auto config = without_trajectories(options.weights.empty() ? run_config(options.run, options.config.set)
                                                                   : options.config.load());
  const auto ranks = join_ranks(config);
  if (ranks->size() > 1 && (options.show > 0 || !options.task.empty())) {
    throw UserError("--show and --task draw for one process: start dis eval without a launcher");
  }
  with_last_words(*ranks, [&] { evaluate_on(options, config, ranks); });
}

/// Prints what is wrong with a submission.
void check_submission_file(const EvalOptions& options) {
  auto config = options.config.load();
  config.data.augmentations = 0;  // the tasks alone
  const ArcData data(config.data);
  std::vector<ArcTask> tasks;
  for (const auto& group : data.puzzles().groups()) {
    if (!group.test_pairs.empty()) tasks.push_back(group.task);
  }
  const auto problems = check_submission(options.check_submission, tasks);
  for (const auto& problem : problems) std::cout << problem << "\n";
  if (!problems.empty()) {
    throw UserError("'" + options.check_submission + "' is not a submission for these " + std::to_string(tasks.size()) +
                    " tasks: " + std::to_string(problems.size()) + " problems, listed above");
  }
  std::cout << options.check_submission << ": a complete submission for " << tasks.size() << " tasks\n";
}

void check_options(const EvalOptions& options) {
  const auto given = [](const std::string& text) { return !text.empty(); };
  const int subjects = given(options.run) + given(options.weights) + given(options.check_submission);
  if (subjects != 1) throw CLI::RequiredError("exactly one of --run, --weights and --check-submission");
  if (given(options.run) && given(options.config.file)) {
    throw UserError("--run has its own configuration: leave out --config " + options.config.file);
  }
}

}  // namespace

void add_eval_command(CLI::App& app) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* eval = app.add_subcommand("eval", "Evaluate a network on its test boards, tasks or examples");
  options->config.add_to(*eval);
  eval->add_option("--run", options->run, "Run folder")->type_name("DIR");
  eval->add_option("--checkpoint", options->checkpoint, "Checkpoint: an update number, latest or best")
      ->capture_default_str();
  eval->add_option("--weights", options->weights, "Weights from elsewhere, for the data and network of --config")
      ->type_name("FILE");
  eval->add_option("--identifiers", options->identifiers, "identifiers.json that the weights were trained with")
      ->type_name("FILE")
      ->needs("--weights");
  eval->add_option("--output", options->output, "Folder of the results with --weights; default: eval")
      ->type_name("DIR")
      ->needs("--weights");
  eval->add_option("--check-submission", options->check_submission,
                   "Only check that this submission.json is complete for the test set of --config")
      ->type_name("FILE");
  eval->add_option("--show", options->show, "Draw this many boards as they are solved, step by step")
      ->check(CLI::NonNegativeNumber);
  eval->add_option("--task", options->task, "Only show how this ARC task is solved, step by step and by vote")
      ->type_name("TASK");
  eval->add_option("--picture", options->picture, "Draw it into this .svg or .png file")
      ->type_name("FILE")
      ->needs("--task");
  eval->add_flag("--json", options->json, "Print the scores as JSON");
  eval->footer(
      "Examples:\n  dis eval --run runs/first --show 3\n"
      "  dis eval --run runs/mini --task 25ff71a9 --picture task.svg\n"
      "  dis eval --weights model.safetensors --identifiers identifiers.json --config "
      "configs/arc/dis_compact_arc1.json");
  eval->callback([options] {
    check_options(*options);
    if (!options->check_submission.empty()) {
      check_submission_file(*options);
    } else {
      run_evaluation(*options);
    }
  });
}

}  // namespace dis
