// N-Queens boards: both decoders, every supervision step.
#include <algorithm>
#include <cstdio>
#include <optional>
#include <span>

#include "dis/core/error.h"
#include "dis/eval/queens_score.h"
#include "kinds.h"

namespace dis {
namespace {

/// One decoder on one test set.
struct DecoderReport {
  std::string decoder;                ///< "argmax" or "commit"
  QueensScore score;                  ///< of the answers after the last supervision step
  std::vector<AnswerRates> per_step;  ///< [N_sup] the answer after step 1, 2, ...; empty if not asked for
  std::optional<double> mean_steps;   ///< as mean_steps()
};

struct TestReport {
  std::string test_set;
  std::string meaning;
  std::vector<DecoderReport> decoders;
};

std::vector<std::int32_t> inputs_of(std::span<const Board> boards) {
  std::vector<std::int32_t> inputs;
  for (const auto& board : boards) inputs.insert(inputs.end(), board.input.begin(), board.input.end());
  return inputs;
}

DecoderReport argmax_report(const Session& session, const DecodeSettings& settings, std::span<const Board> boards,
                            bool per_step) {
  const auto answers =
      decode_argmax(*session.model, settings, inputs_of(boards), session.config.method.num_supervision);
  const auto mean = mean_steps(steps_made(answers), std::ssize(answers.made), std::ssize(answers.steps));
  DecoderReport report{"argmax", score_boards(boards, answers.steps.back()), {}, mean};
  if (!per_step) return report;
  for (const auto& answer : answers.steps) report.per_step.push_back(score_boards(boards, answer).all);
  return report;
}

DecoderReport commit_report(const Session& session, const DecodeSettings& settings, std::span<const Board> boards,
                            bool per_step) {
  const auto N = session.config.method.num_supervision;
  const auto inputs = inputs_of(boards);
  const auto run = [&](std::int64_t steps) {
    return score_boards(boards, decode_commit(*session.model, settings, inputs, steps));
  };
  DecoderReport report{"commit", run(N), {}, {}};
  if (!per_step) return report;
  for (std::int64_t s = 1; s < N; ++s) report.per_step.push_back(run(s).all);
  report.per_step.push_back(report.score.all);
  return report;
}

std::vector<TestReport> reports_of(const Session& session, const NQueensData& data, const EvalConfig& eval) {
  const auto settings = decode_settings(session, eval);
  std::vector<TestReport> reports;
  for (const auto& test : data.test_sets()) {
    std::span<const Board> boards(test.boards);
    if (eval.boards > 0) boards = boards.first(std::min(boards.size(), static_cast<std::size_t>(eval.boards)));
    if (boards.empty()) continue;
    TestReport report{test.name, test.meaning, {}};
    if (eval.decoder != Decoder::commit) {
      report.decoders.push_back(argmax_report(session, settings, boards, eval.per_step));
    }
    if (eval.decoder != Decoder::argmax) {
      report.decoders.push_back(commit_report(session, settings, boards, eval.per_step));
    }
    reports.push_back(std::move(report));
  }
  if (reports.empty()) throw UserError("there are no test boards: data.test_boards or data.test_file gives none");
  return reports;
}

Json to_json(const std::vector<TestReport>& reports) {
  Json json = Json::object();
  for (const auto& report : reports) {
    Json& set = json[report.test_set];
    set["meaning"] = report.meaning;
    for (const auto& decoder : report.decoders) {
      Json& entry = set[decoder.decoder];
      entry = to_json(decoder.score);
      if (decoder.mean_steps) entry["mean_steps"] = *decoder.mean_steps;
      for (const auto& rates : decoder.per_step) {
        entry["per_supervision_step"].push_back({{"valid", rate_json(rates.valid)}, {"exact", rate_json(rates.exact)}});
      }
    }
  }
  return json;
}

std::string report_text(const std::vector<TestReport>& reports) {
  std::string text;
  for (const auto& report : reports) {
    for (const auto& decoder : report.decoders) {
      text += "Test set \"" + report.test_set + "\" (" + report.meaning + "), decoder " + decoder.decoder + "\n" +
              score_table(decoder.score) + mean_steps_text(decoder.mean_steps);
      if (!decoder.per_step.empty()) {
        text += "after supervision step      valid [95 %]            exact [95 %]\n";
        for (std::size_t s = 0; s < decoder.per_step.size(); ++s) {
          char line[128];
          std::snprintf(line, sizeof line, "  %-22zu  %s   %s\n", s + 1, rate_text(decoder.per_step[s].valid).c_str(),
                        rate_text(decoder.per_step[s].exact).c_str());
          text += line;
        }
      }
      text += "\n";
    }
  }
  return text;
}

}  // namespace

Evaluation evaluate_boards(const Session& session, const NQueensData& data, const EvalConfig& eval) {
  const auto reports = reports_of(session, data, eval);
  Evaluation evaluation;
  evaluation.json["test_sets"] = to_json(reports);
  evaluation.report = report_text(reports);
  for (const auto& report : reports) {
    const auto& first = report.decoders.front();
    evaluation.summary += (evaluation.summary.empty() ? "" : ", ") + ("test set \"" + report.test_set + "\": valid ") +
                          rate_text(first.score.all.valid) + " (" + first.decoder + ")";
  }
  evaluation.score = reports.front().decoders.front().score.all.valid.value();
  return evaluation;
}

}  // namespace dis
