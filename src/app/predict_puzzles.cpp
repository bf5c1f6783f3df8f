#include "predict_puzzles.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/progress.h"
#include "dis/data/open_data.h"
#include "dis/eval/evaluate.h"
#include "dis/eval/rows/answers.h"
#include "evaluated_network.h"
#include "joined_ranks.h"
#include "outputs.h"
#include "puzzle_scene.h"
#include "terminal.h"

namespace dis {
namespace {

void check_options(const PredictOptions& options, DataKind kind) {
  const auto fit_only = [&](const char* name, bool given) {
    if (!given) return;
    throw UserError(std::string(name) + ": networks for data.kind = " + to_string(kind) +
                    " answer without a fit; leave it out");
  };
  fit_only("--config", options.weights.empty() && !options.preset.empty());
  fit_only("--resume", options.resume);
  fit_only("--run-dir", !options.fit.empty());
  fit_only("--time-limit", !options.time_limit.empty());
  fit_only("--chunks", options.chunks != 1);
}

/// Before the work: whether the outputs can be written, and replace nothing that is read.
void try_outputs(const PredictOptions& options, const RunConfig& config) {
  namespace fs = std::filesystem;
  if (options.output.empty()) throw UserError("--output: expected a file, found an empty name");
  const auto place = [](const std::string& file) { return fs::absolute(file).lexically_normal(); };
  if (!options.picture.empty() && place(options.output) == place(options.picture)) {
    throw UserError("--output and --picture are both '" + options.output + "'; name another file");
  }
  auto inputs = options.run.empty() ? std::vector<fs::path>{options.weights} : run_inputs(options.run);
  if (!options.preset.empty()) inputs.push_back(find_shipped(options.preset));
  for (const auto& file : {options.input, config.data.path, config.data.train_file, config.data.test_file}) {
    if (!file.empty()) inputs.emplace_back(file);
  }
  for (const auto& [file, name] : {std::pair(options.output, "--output"), {options.picture, "--picture"}}) {
    if (file.empty()) continue;
    refuse_input(file, name, inputs);
    try_file(file);
  }
  if (!options.picture.empty()) check_picture_name(options.picture);
}

NetworkOptions network_of(const PredictOptions& options) {
  NetworkOptions network;
  network.run = options.run;
  network.checkpoint = options.checkpoint;
  network.weights = options.weights;
  network.results = "eval";
  network.config.set = options.set;
  if (!options.weights.empty()) network.config.file = options.preset;
  return network;
}

struct Answered {
  std::vector<Example> questions;
  std::vector<std::vector<std::int32_t>> answers;
};

Answered answer(const Session& session, std::vector<Example> questions) {
  const auto& eval = session.config.eval;
  const auto decode = decode_settings(session, eval);
  const auto total = std::ssize(questions);
  const auto length = session.data->shape().length;
  Answered all{std::move(questions), {}};
  Progress progress({.what = "predict", .unit = "puzzles", .total = total});
  const auto stride = eval.batch * session.ranks->size();
  for (std::int64_t first = 0; first < total; first += stride) {
    const auto count = std::min(stride, total - first);
    std::vector<std::int32_t> inputs, ids;
    for (auto i = first; i < first + count; ++i) {
      const auto& question = all.questions[static_cast<std::size_t>(i)];
      inputs.insert(inputs.end(), question.input.begin(), question.input.end());
      ids.push_back(question.puzzle_id);
    }
    const auto found = answers_to(session, eval, decode, {inputs, ids, first});
    for (auto at = found.tokens.begin(); at != found.tokens.end(); at += length) {
      all.answers.emplace_back(at, at + length);
    }
    progress.update(first + count, "");
  }
  progress.finish();
  return all;
}

bool has_answer(const Example& question) {
  return std::ranges::any_of(question.label, [](auto token) { return token != kIgnore; });
}

Json puzzle_json(const DataSet& data, const Example& question, const std::vector<std::int32_t>& answer) {
  const auto& like = has_answer(question) ? question.label : question.input;
  Json entry = {{"question", data.written(question.input, question.input)}, {"answer", data.written(answer, like)}};
  if (const auto obeys = data.obeys_rules(question.input, answer)) entry["valid"] = *obeys;
  if (has_answer(question)) entry["exact"] = entry["answer"] == data.written(question.label, like);
  return entry;
}

Json puzzles_json(const DataSet& data, const Answered& all) {
  Json list = Json::array();
  for (std::size_t i = 0; i < all.answers.size(); ++i) {
    list.push_back(puzzle_json(data, all.questions[i], all.answers[i]));
  }
  return list;
}

/// For drawings; without answers: the questions alone.
std::vector<DrawnExample> drawn(const std::vector<Example>& questions,
                                const std::vector<std::vector<std::int32_t>>& answers) {
  std::vector<DrawnExample> examples;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    examples.push_back({"#" + std::to_string(i), questions[i].input, {}});
    if (!answers.empty()) examples.back().answer = answers[i];
  }
  return examples;
}

/// UserError: the picture cannot be drawn, which is to be known before the work.
void try_picture(const DataSet& data, const std::vector<Example>& questions, const std::string& file) {
  if (file.empty()) return;
  const auto scene = puzzle_scene(data, drawn(questions, {}), "--picture");
  if (file.ends_with(".png")) grid_png(scene);
}

/// "9 of 10 valid"; empty: not known of any.
std::string count_text(const Json& puzzles, const char* key) {
  std::int64_t known = 0, hits = 0;
  for (const auto& puzzle : puzzles) {
    if (!puzzle.contains(key)) continue;
    ++known;
    hits += puzzle[key].get<bool>() ? 1 : 0;
  }
  return known == 0 ? "" : ", " + std::to_string(hits) + " of " + std::to_string(known) + " " + key;
}

void print(const PredictOptions& options, const DataSet& data, std::vector<DrawnExample> examples,
           const Json& puzzles) {
  constexpr std::size_t kDrawn = 4;
  if (examples.size() > kDrawn) examples.resize(kDrawn);
  if (const auto drawing = data.draw(examples, style_of_stdout(false))) std::cout << drawing->text << "\n";
  std::cout << puzzles.size() << (puzzles.size() == 1 ? " puzzle" : " puzzles") << count_text(puzzles, "valid")
            << count_text(puzzles, "exact") << "; written to " << options.output << "\n";
}

}  // namespace

bool answers_without_fit(const PredictOptions& options) {
  if (options.weights.empty() && options.run.empty()) return false;
  if (!kind_of(network_of(options).load().data).tasks) return true;
  if (options.weights.empty()) return false;
  throw UserError("--weights: a network for ARC is fitted to new tasks from its run folder; name that with --run");
}

void answer_puzzles(const PredictOptions& options) {
  const auto network = network_of(options);
  const auto config = network.load();
  check_options(options, config.data.kind);
  if (find_place().rank == 0) try_outputs(options, config);
  const auto ranks = join_ranks(config);
  with_last_words(*ranks, [&] {
    const auto [session, target] = open_network(network, config, ranks);
    auto questions = session.data->questions(options.input);
    try_picture(*session.data, questions, options.picture);
    const auto all = answer(session, std::move(questions));
    if (!ranks->first()) return;
    const auto puzzles = puzzles_json(*session.data, all);
    const Json json = {{"run", target.run},
                       {"checkpoint", target.name},
                       {"weights", target.weights},
                       {"kind", to_string(config.data.kind)},
                       {"puzzles", puzzles}};
    write_or_keep(options.output, json_file_text(json, 1));
    const auto examples = drawn(all.questions, all.answers);
    if (!options.picture.empty()) {
      write_grid_picture(options.picture, puzzle_scene(*session.data, examples, "--picture"));
    }
    if (options.json) {
      std::cout << json_text(json, 2) << "\n";
    } else {
      print(options, *session.data, examples, puzzles);
    }
  });
}

}  // namespace dis
