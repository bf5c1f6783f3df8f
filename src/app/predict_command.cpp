// dis predict
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "commands.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/eval/votes/submission.h"
#include "outputs.h"
#include "predict_fit.h"
#include "predict_puzzles.h"
#include "predict_tasks.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

/// Submissions of several runs in one.
void merge_submissions(const PredictOptions& options) {
  const std::vector<fs::path> files(options.merge.begin(), options.merge.end());
  refuse_input(options.output, "--output", files);
  const auto merged = merged_submissions(files);
  write_or_keep(options.output, json_file_text(merged, -1));
  std::cout << merged.size() << " tasks of " << files.size() << " submissions written to " << options.output << "\n";
}

void check_options(const PredictOptions& options) {
  if (!options.weights.empty()) {
    if (!options.run.empty() || !options.merge.empty() || options.checkpoint != "latest") {
      throw CLI::ExcludesError("--weights", "--run, --checkpoint and --merge");
    }
    if (options.preset.empty() || options.input.empty()) {
      throw CLI::RequiredError("--config, the configuration of the weights, and --input,");
    }
    return;
  }
  if (!options.merge.empty()) {
    if (options.resume || !options.run.empty() || !options.input.empty() || options.chunks != 1 || options.json) {
      throw CLI::ExcludesError("--merge", "--run, --input, --resume, --chunks and --json");
    }
    return;
  }
  if (!options.resume && (options.run.empty() || options.input.empty())) {
    throw CLI::RequiredError("--run and --input, unless --resume goes on with a fit,");
  }
  if (options.resume && (!options.run.empty() || !options.input.empty() || !options.preset.empty())) {
    throw CLI::ExcludesError("--resume", "--run, --input and --config: the run folder of the fit has them");
  }
}

}  // namespace

void add_predict_command(CLI::App& app) {
  auto options = std::make_shared<PredictOptions>();
  CLI::App* predict =
      app.add_subcommand("predict", "Answer new puzzles; ARC tasks after a fit to their demonstrations");
  predict->add_option("--run", options->run, "Run folder of the trained network")->type_name("DIR");
  predict->add_option("--checkpoint", options->checkpoint, "Checkpoint: an update number, latest or best")
      ->capture_default_str();
  predict
      ->add_option("--weights", options->weights,
                   "Boards, Sudokus, mazes, grids: weights of the network of --config, in place of --run")
      ->type_name("FILE");
  predict
      ->add_option(
          "--input", options->input,
          "ARC: a file of one task or of many (challenges), or a folder of such files. Boards, Sudokus, mazes: a "
          "puzzle a line. Answers that it holds are scored")
      ->type_name("PATH");
  predict->add_option("--output", options->output, "The submission, or the answers as JSON")
      ->required()
      ->type_name("FILE");
  predict->add_option("--config", options->preset, "Settings of the fit: predict/rows.json, nvarc.json, trelis.json")
      ->type_name("FILE");
  predict->add_option("--set", options->set, "Changes one field, as in --set predict.steps=600; may be repeated")
      ->type_name("FIELD=VALUE")
      ->allow_extra_args(false);
  predict->add_option("--run-dir", options->fit, "Run folder of the fit; default: beside the submission, NAME_run")
      ->type_name("DIR");
  predict->add_option("--picture", options->picture, "Boards, Sudokus and mazes: draw questions and answers (SVG, PNG)")
      ->type_name("FILE");
  predict->add_option("--merge", options->merge, "Only join these submissions, of different tasks, into --output")
      ->type_name("FILE ...");
  predict->add_flag("--resume", options->resume, "Go on with the fit or the vote in this run folder");
  predict
      ->add_option("--time-limit", options->time_limit,
                   "End within this time, as 11h30m or 90s, with what could be fitted and voted")
      ->type_name("TIME");
  predict
      ->add_option("--chunks", options->chunks,
                   "Split the tasks into so many groups and fit one after the other, each from the trained network")
      ->check(CLI::Range(1, 100000));
  predict->add_flag("--json", options->json, "Print times and scores as JSON; of other puzzles the answers");
  predict->footer(
      "Examples:\n  dis predict --run runs/mini --input task.json --output submission.json\n"
      "  dis predict --output submission.json --resume          # after Ctrl-C or a crash\n"
      "  dis predict --run runs/arc2 --input tasks.json --output submission.json --config predict/trelis.json "
      "--time-limit 11h30m\n"
      "  dis predict --run runs/sudoku --input puzzles.txt --output answers.json --picture answers.svg");
  predict->callback([options] {
    check_options(*options);
    if (!options->merge.empty()) return merge_submissions(*options);
    if (answers_without_fit(*options)) return answer_puzzles(*options);
    if (!options->picture.empty()) {
      throw CLI::ExcludesError("--picture", "a network for ARC: dis eval --run RUN_OF_THE_FIT --task ID draws answers");
    }
    predict_tasks(*options);
  });
}

}  // namespace dis
