// dis eval
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "commands.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/log.h"
#include "dis/core/memory.h"
#include "dis/core/signals.h"
#include "dis/data/arc/arc_data.h"
#include "dis/data/open_data.h"
#include "dis/data/pictures/grid_picture.h"
#include "dis/eval/evaluate.h"
#include "dis/eval/rows/decode.h"
#include "dis/eval/scaling.h"
#include "dis/eval/votes/arc_solution.h"
#include "dis/eval/votes/submission.h"
#include "dis/report/scaling_figure.h"
#include "evaluated_network.h"
#include "joined_ranks.h"
#include "terminal.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

struct EvalOptions {
  NetworkOptions network;
  std::string check_submission;
  std::string task;
  std::string picture;
  std::int64_t show = 0;
  std::vector<std::string> scaling;  ///< "K=1,2,4", "D=8,16"
  bool json = false;
};

/// The first ones of the main test set that have one right answer and at least three cells to find.
std::vector<Example> examples_to_show(const DataSet& data, std::int64_t count) {
  const auto lists = data.tests();
  if (lists.empty()) return {};
  const auto& list = lists.front();
  std::vector<Example> examples;
  for (std::int64_t i = 0; i < list.size && std::ssize(examples) < count; ++i) {
    auto example = list.at(i);
    std::int64_t to_find = 0;
    for (std::size_t cell = 0; cell < example.label.size(); ++cell) {
      to_find += example.label[cell] != kIgnore && example.label[cell] != example.input[cell] ? 1 : 0;
    }
    if (example.one_answer && to_find >= 3) examples.push_back(std::move(example));
  }
  return examples;
}

/// Draws examples as they are solved: what is given, then the answer after each supervision step.
void show_examples(const Session& session, std::int64_t count, const std::string& picture) {
  const auto& config = session.config;
  const auto examples = examples_to_show(*session.data, count);
  if (examples.empty()) {
    std::cout << "nothing to draw: none of the tests has exactly one right answer and three cells to find\n";
    return;
  }
  std::vector<std::int32_t> inputs, ids;
  for (const auto& example : examples) {
    inputs.insert(inputs.end(), example.input.begin(), example.input.end());
    ids.push_back(example.puzzle_id);
  }
  const auto answers = with_memory_advice("solving the examples", try_half("eval.batch", config.eval.batch), [&] {
    return answer_rows(*session.model, decode_settings(session, config.eval), inputs, ids,
                       evaluated_steps(session, config.eval))
        .steps;
  });
  const auto length = static_cast<std::ptrdiff_t>(session.model->shape().length);
  GridScene scene;
  for (std::ptrdiff_t i = 0; i < std::ssize(examples); ++i) {
    const auto& example = examples[static_cast<std::size_t>(i)];
    std::vector<DrawnExample> drawn{{"givens", example.input, {}}};
    for (std::size_t s = 0; s < answers.size(); ++s) {
      const auto first = answers[s].begin() + i * length;
      drawn.push_back({"step " + std::to_string(s + 1), example.input, {first, first + length}});
    }
    if (picture.empty()) {
      std::cout << session.data->draw(drawn, style_of_stdout())->text << "\n";
      continue;
    }
    GridRow row{example.note, {}};
    for (const auto& one : drawn) {
      row.panels.push_back(session.data->picture(one).value());
      if (one.answer.empty()) continue;
      const bool exact = session.data->score({example.input, example.label, one.answer}).front().hits > 0;
      const bool right = session.data->obeys_rules(one.input, one.answer).value_or(exact);
      row.panels.back().mark = right ? GridMark::right : GridMark::wrong;
    }
    scene.rows.push_back(std::move(row));
  }
  if (picture.empty()) return;
  write_grid_picture(picture, scene);
  std::cout << "written to " << picture << "\n";
}

void show_solution(const Session& session, const EvalOptions& options) {
  const auto& eval = session.config.eval;
  const auto scene = with_memory_advice("solving the task", try_half("eval.batch", eval.batch),
                                        [&] { return solution_scene(session, eval, options.task); });
  if (options.picture.empty()) {
    std::cout << grid_text(scene, style_of_stdout());
  } else {
    write_grid_picture(options.picture, scene);
    std::cout << "written to " << options.picture << "\n";
  }
}

/// A grid of rollouts and steps: a JSON file, and a figure beside it.
void write_scaling(const EvalOptions& options, const EvaluatedNetwork& network, const Json& found, bool whole) {
  const auto& [session, target] = network;
  auto json = result_head(session, session.config.eval, target);
  if (!target.seen_tasks.empty()) json["warning"] = target.seen_tasks;
  json["scaling"] = found;
  ensure_folder(target.folder);
  const auto stem = target.folder / (target.name + target.variant.name + "-scaling" + (whole ? "" : "-interrupted"));
  const auto file = stem.string() + ".json", figure = stem.string() + ".svg";
  write_or_keep(file, json_file_text(json));
  write_or_keep(figure, draw(scaling_by_rollouts(
                                 found, found.at("measure").get<std::string>() + " against passes: " + target.run))
                            .document());
  if (options.json) {
    std::cout << json_text(json, 2) << "\n";
  } else {
    std::cout << scaling_text(found) << "written to " << file << " and " << figure << "\n";
  }
}

void evaluate_scaling(const EvalOptions& options, const EvaluatedNetwork& network, const ScalingGrid& grid) {
  const auto& session = network.session;
  catch_stop_signals();
  const auto& eval = session.config.eval;
  const auto found =
      with_memory_advice("evaluating with " + std::to_string(eval.batch) + " rollouts at once",
                         try_half("eval.batch", eval.batch), [&] { return scaling(session, eval, grid); });
  const bool whole = found.at("rows") == found.at("of");
  if (session.ranks->first()) write_scaling(options, network, found, whole);
  if (!whole) throw Stopped{ending_signal()};
}

/// Evaluates, and prints; a first signal to stop ends an ARC evaluation so that it can go on later.
void evaluate_on(const EvalOptions& options, const RunConfig& config, const std::shared_ptr<const Ranks>& ranks) {
  auto network = open_network(options.network, config, ranks);
  const auto& session = network.session;
  if (!network.target.seen_tasks.empty()) log_warn(network.target.seen_tasks);
  if (options.show > 0 && !session.data->draw({}, style_of_stdout())) {
    throw UserError("--show: data.kind = " + to_string(session.config.data.kind) +
                    " has no drawing; ARC tasks are drawn with --task");
  }
  if (options.show > 0 && !options.picture.empty() && !session.data->picture({})) {
    throw UserError(
        "--show with --picture: there are pictures of boards, Sudokus and mazes (and, with --task, of ARC), found "
        "data.kind = " +
        to_string(session.config.data.kind));
  }
  if (!options.task.empty()) return show_solution(session, options);
  if (!options.scaling.empty()) return evaluate_scaling(options, network, scaling_grid(options.scaling, config));
  if (kind_of(session.config.data).tasks) {  // the others are soon done, and a signal ends them
    network.target.interruptible = true;
    catch_stop_signals();
  }
  const auto evaluation = evaluate(session, session.config.eval, network.target);
  if (!ranks->first()) return;
  if (options.json) {
    std::cout << json_text(evaluation.json, 2) << "\n";
    return;
  }
  std::cout << evaluation.report << "written to " << evaluation.file.string() << "\n\n";
  if (options.show > 0) show_examples(session, options.show, options.picture);
}

/// Before the work: can the results be written?
void try_results(const EvalOptions& options) {
  if (find_place().rank > 0) return;
  if (options.task.empty()) try_folder(options.network.results_folder());
  if (options.picture.empty()) return;
  check_picture_name(options.picture);
  try_file(options.picture);
}

void run_evaluation(const EvalOptions& options) {
  auto config = options.network.load();
  if (!options.scaling.empty()) config = scaling_config(config, scaling_grid(options.scaling, config));
  if (options.show > 0 || !options.task.empty()) require_one_process("dis eval with --show or --task");
  try_results(options);
  const auto ranks = join_ranks(config);
  with_last_words(*ranks, [&] { evaluate_on(options, config, ranks); });
}

/// Prints what is wrong with a submission.
void check_submission_file(const EvalOptions& options) {
  auto config = options.network.config.load();
  config.data.augmentations = 0;  // the tasks alone
  const ArcData data(config.data);
  std::vector<ArcTask> tasks;
  for (const auto& group : data.puzzles().groups()) {
    if (!group.test_pairs.empty()) tasks.push_back(group.task);
  }
  for (auto& task : data.puzzles().left_out_tests()) tasks.push_back(std::move(task));
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
  const int networks = given(options.network.run) + given(options.network.weights) + given(options.check_submission);
  if (given(options.picture) && options.show == 0 && options.task.empty())
    throw CLI::RequiredError("--picture: --task or --show");
  if (!options.scaling.empty() && (options.show > 0 || !options.task.empty() || given(options.picture))) {
    throw CLI::ExcludesError("--scaling", "--show, --task and --picture");
  }
  if (networks != 1) throw CLI::RequiredError("exactly one of --run, --weights and --check-submission");
  options.network.check();
}

}  // namespace

void add_eval_command(CLI::App& app) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* eval = app.add_subcommand("eval", "Evaluate a network on its test boards, tasks or examples");
  options->network.add_to(*eval, "eval");
  eval->add_option("--check-submission", options->check_submission,
                   "Only check that this submission.json is complete for the test set of --config")
      ->type_name("FILE");
  eval->add_option("--show", options->show, "Draw this many test boards (or graphs) as they are solved, step by step")
      ->check(CLI::NonNegativeNumber);
  eval->add_option("--task", options->task, "Only show how this ARC task is solved, step by step and by vote")
      ->type_name("TASK");
  eval->add_option("--picture", options->picture, "Draw the task, or what --show shows, into this .svg or .png file")
      ->type_name("FILE");
  eval->add_option("--scaling", options->scaling,
                   "Score a grid of rollouts and supervision steps: K=1,2,4 D=8,16 (with eval.noise, or another draw)")
      ->type_name("GRID")
      ->expected(1, 2);
  eval->add_flag("--json", options->json, "Print the scores as JSON");
  eval->footer(
      "Examples:\n  dis eval --run runs/first --show 3\n"
      "  dis eval --run runs/mini --task 25ff71a9 --picture task.svg\n"
      "  dis eval --run runs/sudoku --show 2 --picture steps.png\n"
      "  dis eval --run runs/sudoku --set eval.noise=0.3 --scaling K=1,4,16,64 D=8,16\n"
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
