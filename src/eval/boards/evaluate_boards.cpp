// N-Queens boards: both decoders, every supervision step.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <span>
#include <utility>

#include "../kind_evaluation.h"
#include "dis/core/error.h"
#include "dis/data/boards/nqueens.h"
#include "dis/eval/boards/coverage.h"
#include "dis/eval/boards/queens_score.h"
#include "dis/eval/rows/answers.h"

namespace dis {
namespace {

/// One decoder on one test set.
struct DecoderReport {
  std::string decoder;                     ///< "argmax" or "commit"
  QueensScore score;                       ///< of the answers after the last supervision step
  std::vector<AnswerRates> per_step;       ///< [N_sup] the answer after step 1, 2, ...; empty if not asked for
  std::optional<double> mean_steps;        ///< as mean_steps()
  std::optional<QueensScore> unseen = {};  ///< without the boards that training saw with their answers
  std::optional<Json> rollouts = {};       ///< rollouts_json(), of several
  std::string rollouts_text = {};
  std::optional<CoverageScore> coverage = {};  ///< where all completions are known
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

/// Boards of a test set and which of them training saw; no marks: not known.
struct AskedBoards {
  std::span<const Board> boards;
  std::vector<bool> seen;
};

/// The score without the boards seen; nothing where there are none.
std::optional<QueensScore> unseen_score(const AskedBoards& asked, std::span<const std::int32_t> answers) {
  if (std::ranges::find(asked.seen, true) == asked.seen.end()) return std::nullopt;
  std::vector<Board> boards;
  std::vector<std::int32_t> theirs;
  const auto length = answers.size() / asked.boards.size();
  for (std::size_t i = 0; i < asked.boards.size(); ++i) {
    if (asked.seen[i]) continue;
    boards.push_back(asked.boards[i]);
    const auto answer = answers.subspan(i * length, length);
    theirs.insert(theirs.end(), answer.begin(), answer.end());
  }
  return score_boards(boards, theirs);
}

/// What an evaluation asks, beside the boards.
struct BoardsTest {
  const Session& session;
  const EvalConfig& eval;
  DecodeSettings settings;
  std::int64_t steps;
};

/// K answers to each board after some steps, the last ones the answer, and what is known of them.
struct BoardRollouts {
  std::string decoder;
  std::vector<Rollouts> after;
  double seconds;
};

bool counts_completions(const Session& session) { return session.config.data.split == Split::solutions; }

std::optional<CoverageScore> coverage(const Session& session, const AskedBoards& asked,
                                      std::span<const std::int32_t> answers, std::int64_t K) {
  if (!counts_completions(session)) return std::nullopt;
  return coverage_of(asked.boards, answers, K);
}

/// The answers that are chosen among the rollouts [boards, L]; all of these go into the tally.
std::vector<std::int32_t> chosen_answers(const BoardsTest& test, const AskedBoards& asked, const Rollouts& rollouts,
                                         RolloutTally& tally) {
  const auto length = asked.boards.front().input.size();
  const bool halting = test.session.model->shape().halting;
  std::vector<std::int32_t> chosen;
  for (std::size_t board = 0; board < asked.boards.size(); ++board) {
    auto view = view_of(rollouts, static_cast<std::int64_t>(board), rollouts.rollouts, {}, length);
    for (std::int64_t k = 0; k < rollouts.rollouts; ++k) {
      view.obeys.push_back(is_valid_completion(asked.boards[board].input, view.answer(k)));
    }
    tally.add(view, view.obeys);
    const auto answer = view.answer(chosen_rollout(view, test.eval.select, halting));
    chosen.insert(chosen.end(), answer.begin(), answer.end());
  }
  return chosen;
}

DecoderReport rollouts_report(const BoardsTest& test, const AskedBoards& asked, const BoardRollouts& found) {
  const auto& last = found.after.back();
  const bool halting = test.session.model->shape().halting;
  std::vector<AnswerRates> per_step;
  std::vector<std::int32_t> chosen;
  std::optional<RolloutTally> tally;  // of the last in the end
  for (const auto& rollouts : found.after) {
    tally.emplace(last.rollouts, selectors_for(halting, !last.margin.empty(), true), halting);
    chosen = chosen_answers(test, asked, rollouts, *tally);
    if (found.after.size() > 1) per_step.push_back(score_boards(asked.boards, chosen).all);
  }
  return {.decoder = found.decoder,
          .score = score_boards(asked.boards, chosen),
          .per_step = std::move(per_step),
          .mean_steps = {},
          .unseen = unseen_score(asked, chosen),
          .rollouts = rollouts_json(test.session, test.eval, *tally, found.seconds),
          .rollouts_text = tally->text(),
          .coverage = coverage(test.session, asked, last.answers, last.rollouts)};
}

/// f() and the seconds that it took.
template <class F>
auto timed(F f) {
  const auto start = std::chrono::steady_clock::now();
  auto result = f();
  return std::pair(std::move(result), std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

DecoderReport argmax_report(const BoardsTest& test, const AskedBoards& asked) {
  const auto inputs = inputs_of(asked.boards);
  const auto& model = *test.session.model;
  if (test.eval.rollouts > 1 && test.settings.draws.any()) {
    const std::vector<std::int32_t> blank(asked.boards.size());
    auto [found, seconds] = timed([&] {
      return answer_rollouts(model, test.settings, {inputs, blank}, test.eval.rollouts,
                             reported_depths(test.eval, test.steps));
    });
    return rollouts_report(test, asked, {"argmax", std::move(found), seconds});
  }
  const auto answers = decode_argmax(model, test.settings, inputs, test.steps);
  const auto& last = answers.steps.back();
  const auto mean = mean_steps(steps_made(answers), std::ssize(answers.made), std::ssize(answers.steps));
  DecoderReport report{"argmax", score_boards(asked.boards, last), {}, mean, unseen_score(asked, last)};
  report.coverage = coverage(test.session, asked, last, 1);
  if (!test.eval.per_step) return report;
  for (const auto& answer : answers.steps) report.per_step.push_back(score_boards(asked.boards, answer).all);
  return report;
}

DecoderReport commit_report(const BoardsTest& test, const AskedBoards& asked) {
  const auto inputs = inputs_of(asked.boards);
  const bool draws = test.eval.commit_temperature > 0.0 || test.settings.draws.any();
  const auto answers = [&](std::int64_t steps, std::int64_t rollouts) {
    return decode_commit(*test.session.model, test.settings, inputs, steps, commit_draws(test.eval, rollouts));
  };
  if (draws && test.eval.rollouts > 1) {
    auto [found, seconds] = timed([&] { return answers(test.steps, test.eval.rollouts); });
    return rollouts_report(test, asked,
                           {"commit", {{.rollouts = test.eval.rollouts, .answers = std::move(found)}}, seconds});
  }
  const auto last = answers(test.steps, 1);
  DecoderReport report{"commit", score_boards(asked.boards, last), {}, {}, unseen_score(asked, last)};
  report.coverage = coverage(test.session, asked, last, 1);
  if (!test.eval.per_step) return report;
  for (std::int64_t s = 1; s < test.steps; ++s) {
    report.per_step.push_back(score_boards(asked.boards, answers(s, 1)).all);
  }
  report.per_step.push_back(report.score.all);
  return report;
}

std::vector<TestReport> reports_of(const Session& session, const NQueensData& data, const EvalConfig& eval,
                                   const EvaluationTarget& target, SeenCount& seen) {
  const auto tested = data.tested_pairs();
  const auto marks = seen_marks(tested, target);
  std::int64_t first = 0;  // of the test set, among all tested boards
  const BoardsTest asks{session, eval, decode_settings(session, eval), evaluated_steps(session, eval)};
  std::vector<TestReport> reports;
  for (const auto& test : data.test_sets()) {
    std::span<const Board> boards(test.boards);
    if (eval.boards > 0) boards = boards.first(std::min(boards.size(), static_cast<std::size_t>(eval.boards)));
    AskedBoards asked{boards, {}};
    for (std::int64_t i = 0; !marks.empty() && i < std::ssize(boards); ++i) {
      asked.seen.push_back(marks[static_cast<std::size_t>(first + i)]);
      seen.add(asked.seen.back(), tested.name(first + i));
    }
    first += std::ssize(test.boards);
    if (boards.empty()) continue;
    TestReport report{test.name, test.meaning, {}};
    if (eval.decoder != Decoder::commit) {
      report.decoders.push_back(argmax_report(asks, asked));
    }
    if (eval.decoder != Decoder::argmax) {
      report.decoders.push_back(commit_report(asks, asked));
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
      if (decoder.unseen) entry["unseen"] = to_json(*decoder.unseen);
      if (decoder.rollouts) entry["rollouts"] = *decoder.rollouts;
      if (decoder.coverage) entry["coverage"] = to_json(*decoder.coverage);
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
              score_table(decoder.score) + mean_steps_text(decoder.mean_steps) + decoder.rollouts_text +
              (decoder.coverage ? coverage_text(*decoder.coverage) : "");
      if (decoder.unseen) {
        const auto& rates = decoder.unseen->all;
        text +=
            "unseen (without the boards that training saw with their answers): " + std::to_string(rates.valid.total) +
            " boards, valid " + rate_text(rates.valid) + ", exact " + rate_text(rates.exact) + "\n";
      }
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

Evaluation evaluate_boards(const Session& session, const EvalConfig& eval, const EvaluationTarget& target) {
  Evaluation evaluation;
  const auto reports = reports_of(session, data_as<NQueensData>(session), eval, target, evaluation.seen);
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
