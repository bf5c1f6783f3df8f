#include "dis/eval/evaluate.h"

#include <algorithm>
#include <cstdio>
#include <span>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/eval/decode.h"

namespace dis {
namespace {

std::vector<std::int32_t> inputs_of(std::span<const Board> boards) {
  std::vector<std::int32_t> inputs;
  for (const auto& board : boards) inputs.insert(inputs.end(), board.input.begin(), board.input.end());
  return inputs;
}

DecoderReport argmax_report(const Session& session, const DecodeSettings& settings, std::span<const Board> boards,
                            bool per_step) {
  const auto answers =
      decode_argmax(*session.model, settings, inputs_of(boards), session.config.method.num_supervision);
  DecoderReport report{"argmax", score_boards(boards, answers.back()), {}};
  if (!per_step) return report;
  for (const auto& answer : answers) report.per_step.push_back(score_boards(boards, answer).all);
  return report;
}

DecoderReport commit_report(const Session& session, const DecodeSettings& settings, std::span<const Board> boards,
                            bool per_step) {
  const auto N = session.config.method.num_supervision;
  const auto inputs = inputs_of(boards);
  const auto run = [&](std::int64_t steps) {
    return score_boards(boards, decode_commit(*session.model, settings, inputs, steps));
  };
  DecoderReport report{"commit", run(N), {}};
  if (!per_step) return report;
  for (std::int64_t s = 1; s < N; ++s) report.per_step.push_back(run(s).all);
  report.per_step.push_back(report.score.all);
  return report;
}

std::string rate_text(const Rate& rate) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f [%.3f, %.3f]", rate.value(), rate.lower(), rate.upper());
  return text;
}

Json rate_json(const Rate& rate) {
  return {{"value", rate.value()}, {"lower", rate.lower()}, {"upper", rate.upper()}, {"hits", rate.hits}};
}

}  // namespace

std::vector<TestReport> evaluate(const Session& session, const EvalConfig& eval) {
  const DecodeSettings settings{session.config.method.feedback, session.config.method.loss, eval.batch};
  std::vector<TestReport> reports;
  for (const auto& test : session.data->test_sets()) {
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

double score_of(const std::vector<TestReport>& reports) {
  return reports.front().decoders.front().score.all.valid.value();
}

Json to_json(const std::vector<TestReport>& reports) {
  Json json = Json::object();
  for (const auto& report : reports) {
    Json& set = json[report.test_set];
    set["meaning"] = report.meaning;
    for (const auto& decoder : report.decoders) {
      Json& entry = set[decoder.decoder];
      entry = to_json(decoder.score);
      for (const auto& rates : decoder.per_step) {
        entry["per_supervision_step"].push_back({{"valid", rate_json(rates.valid)}, {"exact", rate_json(rates.exact)}});
      }
    }
  }
  return json;
}

Json write_evaluation(const std::filesystem::path& run, const std::string& checkpoint, bool averaged,
                      const Session& session, const std::vector<TestReport>& reports) {
  const Json json = {{"run", run.string()},
                     {"checkpoint", checkpoint},
                     {"weights", averaged ? "moving average" : "last"},
                     {"dtype", session.compute.type == at::kBFloat16 ? "bfloat16" : "float32"},
                     {"test_sets", to_json(reports)}};
  ensure_folder(run / "eval");
  write_json(run / "eval" / (checkpoint + ".json"), json);
  return json;
}

std::string report_text(const std::vector<TestReport>& reports) {
  std::string text;
  for (const auto& report : reports) {
    for (const auto& decoder : report.decoders) {
      text += "Test set \"" + report.test_set + "\" (" + report.meaning + "), decoder " + decoder.decoder + "\n" +
              score_table(decoder.score);
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

}  // namespace dis
