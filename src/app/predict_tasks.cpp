#include "predict_tasks.h"

#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "dis/core/clock.h"
#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/log.h"
#include "dis/core/progress.h"
#include "dis/core/signals.h"
#include "dis/eval/evaluate.h"
#include "dis/eval/votes/submission.h"
#include "evaluated_network.h"
#include "joined_ranks.h"
#include "outputs.h"
#include "predict_chunks.h"
#include "predict_time.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

constexpr const char* kChallenges = "_challenges.json";
constexpr const char* kSolutions = "_solutions.json";  // lies beside it

void try_submission(const PredictOptions& options) {
  if (options.output.empty()) throw UserError("--output: expected a file, found an empty name");
  const auto place = fs::absolute(options.output).parent_path();
  if (fs::absolute(options.output).lexically_normal() == fs::absolute(options.fit_run()).lexically_normal()) {
    throw UserError("--output and --run-dir are both '" + options.output + "'; name another file or folder");
  }
  if (!fs::is_directory(place)) {
    throw UserError("--output: the folder '" + place.string() + "' does not exist; make it first");
  }
  std::vector<fs::path> inputs;
  for (const auto& run : {fs::path(options.run), options.fit_run()}) {
    if (run.empty()) continue;
    const auto own = run_inputs(run);
    inputs.insert(inputs.end(), own.begin(), own.end());
  }
  inputs.emplace_back(options.input);
  const auto whole = chunk_inputs(options.fit_run());
  inputs.insert(inputs.end(), whole.begin(), whole.end());
  if (auto name = options.input; name.ends_with(kChallenges)) {
    inputs.emplace_back(name.replace(name.size() - std::string(kChallenges).size(), std::string::npos, kSolutions));
  }
  refuse_input(options.output, "--output", inputs);
  try_file(options.output);
}

Evaluation answer(const PredictOptions& options, const RunConfig& config, const std::shared_ptr<const Ranks>& ranks,
                  double deadline) {
  NetworkOptions network;
  network.run = options.fit_run().string();
  network.results = "eval";
  auto [session, target] = open_network(network, config, ranks);
  target.interruptible = true;
  target.deadline = deadline;
  target.partial = options.output;
  catch_stop_signals();
  return evaluate(session, session.config.eval, target);
}

struct Prediction {
  Json json;
  std::string head, report;  ///< what it took, in a line; scores and where all is
};

/// Of the evaluation behind a fit, whose submission goes where it was asked for.
Prediction written(const PredictOptions& options, const Evaluation& evaluation, double fitting, double voting) {
  const auto submission = fs::path(evaluation.file).replace_extension().string() + "_submission.json";
  const auto text = read_text(submission);
  write_or_keep(options.output, text);
  const auto tasks = parse_json(text, submission).size();
  Prediction prediction{{{"submission", options.output},
                         {"run_dir", options.fit_run().string()},
                         {"tasks", tasks},
                         {"fitting_seconds", fitting},
                         {"voting_seconds", voting}},
                        {},
                        {}};
  prediction.json.update(evaluation.json);
  prediction.head = std::to_string(tasks) + (tasks == 1 ? " task" : " tasks") + ": fitted in " +
                    format_duration(fitting) + ", votes counted in " + format_duration(voting) + "\n";
  if (evaluation.json.at("arc").at("tasks") > 0) prediction.report += evaluation.report;
  prediction.report += "written to " + options.output + "; the fit is in " + options.fit_run().string() + "\n";
  return prediction;
}

/// One fit and its vote. On rank 0 also what came of it.
Prediction predict(const PredictOptions& options, const FitStart& start, const std::shared_ptr<const Ranks>& ranks,
                   const std::optional<TimeShare>& time) {
  const double began = steady_seconds();
  fit_to_tasks(options, start, ranks, time);
  const double fitted = steady_seconds();
  const auto fit_settings = run_config(options.fit_run(), {});  // with the updates that there was time for
  const auto evaluation = answer(options, fit_settings, ranks, time ? time->end_of_vote() : 0.0);
  if (!ranks->first()) return {};
  return written(options, evaluation, fitted - began, steady_seconds() - fitted);
}

void predict_at_once(const PredictOptions& options, double began) {
  std::optional<TimeShare> time;
  if (!options.time_limit.empty()) time.emplace(parse_duration(options.time_limit), began);
  const auto start = fit_start(options);
  const auto ranks = join_ranks(start.config);
  with_last_words(*ranks, [&] {
    check_shares(start.config, *ranks, "predict.batch");
    const auto prediction = predict(options, start, ranks, time);
    if (ranks->first())
      std::cout << (options.json ? json_text(prediction.json, 2) + "\n" : prediction.head + prediction.report);
  });
}

void predict_in_chunks(const PredictOptions& options, double began) {
  const double seconds = options.time_limit.empty() ? 0.0 : parse_duration(options.time_limit);
  Chunks chunks(options);
  const auto todo = chunks.todo();
  const auto config = fit_start(chunks.options(todo.empty() ? 0 : todo.front())).config;
  const auto ranks = join_ranks(config);
  Json results = Json::array();
  with_last_words(*ranks, [&] {
    check_shares(config, *ranks, "predict.batch");
    if (ranks->first()) chunks.begin();
    ranks->barrier();  // the tasks are there
    for (std::size_t i = 0; i < todo.size(); ++i) {
      const auto own = chunks.options(todo[i]);
      std::optional<TimeShare> time;
      if (seconds > 0.0) {  // an equal share of what is left
        const double now = steady_seconds(), left = began + seconds - now;
        time.emplace(std::max(1.0, left / static_cast<double>(todo.size() - i)), now);
      }
      log_info("chunk " + std::to_string(todo[i] + 1) + " of " + std::to_string(chunks.count()) + ": " + own.fit);
      const auto prediction = predict(own, fit_start(own), ranks, time);
      if (ranks->first()) {
        chunks.finish(todo[i], prediction.json);
        results.push_back(prediction.json);
        if (!options.json) std::cout << prediction.head << std::flush;
      }
      ranks->barrier();
    }
  });
  if (!ranks->first()) return;
  if (options.json) {
    std::cout << json_text({{"submission", options.output}, {"tasks", chunks.tasks()}, {"chunks", results}}, 2) << "\n";
  } else {
    std::cout << chunks.text() << "; written to " << options.output << "\n";
  }
}

}  // namespace

void predict_tasks(const PredictOptions& options) {
  const double began = steady_seconds();
  if (find_place().rank == 0) try_submission(options);  // before the work, not after it
  if (options.chunks > 1 || has_chunks(options.fit_run())) return predict_in_chunks(options, began);
  predict_at_once(options, began);
}

}  // namespace dis
