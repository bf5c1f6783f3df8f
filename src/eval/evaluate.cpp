#include "dis/eval/evaluate.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/memory.h"
#include "dis/eval/arc_voting.h"
#include "dis/model/loss_of.h"
#include "kinds.h"

namespace dis {
namespace {

Evaluation evaluate_kind(const Session& session, const EvalConfig& eval, const EvaluationTarget& target) {
  switch (session.config.data.kind) {
    case DataKind::nqueens:
      return evaluate_boards(session, data_as<NQueensData>(session), eval, target);
    case DataKind::arc:
      return evaluate_arc(session, data_as<ArcData>(session), eval, target);
    case DataKind::folder:
    case DataKind::grids:
      break;
  }
  return evaluate_rows(session, eval, target);
}

std::string hash_of_settings(const Session& session, const EvalConfig& eval) {
  auto config = session.config;
  config.eval = eval;
  return settings_hash(config, ResultKind::evaluation);
}

/// The variant's name, unless a file of that name holds results under other settings: of the run before it went on with
/// others, or of weights with another configuration.
std::string name_for(const EvaluationTarget& target, const std::string& hash) {
  const auto name = target.name + target.variant.name;
  const auto file = target.folder / (name + ".json");
  if (target.while_training || !std::filesystem::exists(file)) return name;
  const auto there = Json::parse(read_text(file), nullptr, false);
  if (!there.is_object() || there.value("while_training", false)) return name;
  return there.value("settings_hash", hash) == hash ? name : name + "-" + hash;
}

std::string all_warnings(const EvaluationTarget& target, const SeenCount& seen) {
  auto warnings = target.seen_tasks;
  if (target.seen_pairs) add_warning(warnings, seen.warning(target.seen_pairs->certain));
  return warnings;
}

}  // namespace

Evaluation evaluate(const Session& session, const EvalConfig& eval, const EvaluationTarget& target) {
  if (session.ranks->first()) ensure_folder(target.folder);
  const bool guided = eval.guidance != 1.0;
  const auto hash = hash_of_settings(session, eval);
  auto named = target;
  named.name = name_for(target, hash);
  auto evaluation =
      with_memory_advice("evaluating with " + std::to_string(eval.batch) + " rows at once",
                         try_half("eval.batch", eval.batch), [&] { return evaluate_kind(session, eval, named); });
  Json head = {{"run", target.run},
               {"checkpoint", target.name},
               {"weights", target.weights},
               {"dtype", session.compute.type == at::kBFloat16 ? "bfloat16" : "float32"}};
  if (!target.variant.settings.empty()) head["settings"] = target.variant.settings;
  head["settings_hash"] = hash;
  if (target.while_training) head["while_training"] = true;
  if (guided) head["guidance"] = eval.guidance;
  if (eval.halting) head["halting"] = true;
  const auto warning = all_warnings(target, evaluation.seen);
  if (!warning.empty()) head["warning"] = warning;
  head.update(evaluation.json);
  evaluation.json = std::move(head);
  evaluation.file = target.folder / (named.name + ".json");
  if (session.ranks->first()) write_or_keep(evaluation.file, json_file_text(evaluation.json));
  if (eval.halting) evaluation.report = "each row until the halting head ends it\n" + evaluation.report;
  if (guided) evaluation.report = "guidance w = " + Json(eval.guidance).dump() + "\n" + evaluation.report;
  if (!warning.empty()) evaluation.report = "warning: " + warning + "\n" + evaluation.report;
  if (!evaluation.kept_votes.empty() && session.ranks->first()) std::filesystem::remove(evaluation.kept_votes);
  // Rank 0 alone may know votes of an earlier sitting.
  const auto score = at::full({1}, evaluation.score, at::kDouble);
  session.ranks->broadcast(score);
  evaluation.score = score.item<double>();
  return evaluation;
}

std::int64_t evaluation_rows(const Session& session, const EvalConfig& eval) {
  const auto at_most = [&](std::int64_t rows) { return eval.boards > 0 ? std::min(rows, eval.boards) : rows; };
  if (const auto* boards = dynamic_cast<const NQueensData*>(session.data.get())) {
    std::int64_t rows = 0;
    for (const auto& set : boards->test_sets()) rows += at_most(std::ssize(set.boards));
    return rows;
  }
  if (const auto* arc = dynamic_cast<const ArcData*>(session.data.get())) {
    if (arc->puzzles().examples(ArcSplit::test) == 0) return 0;
    const auto seed = static_cast<std::uint64_t>(session.config.run.seed);
    return std::ssize(plan_election(arc->puzzles(), eval.tasks, eval.votes, seed).rows);
  }
  return at_most(data_as<PuzzleRows>(session).test_examples());
}

DecodeSettings decode_settings(const Session& session, const EvalConfig& eval) {
  return {session.config.method.feedback,
          loss_of(session.config.method),
          eval.batch,
          session.ranks.get(),
          eval.guidance,
          eval.halting};
}

std::vector<bool> seen_marks(const PairList& tested, const EvaluationTarget& target) {
  if (!target.seen_pairs) return {};
  return marks_of(tested, target.seen_pairs->pairs);
}

void RowRates::add(std::span<const std::int32_t> answer, std::span<const std::int32_t> label) {
  std::int64_t labelled = 0, right = 0;
  for (std::size_t cell = 0; cell < label.size(); ++cell) {
    if (label[cell] == kIgnore) continue;
    ++labelled;
    right += answer[cell] == label[cell] ? 1 : 0;
  }
  if (labelled > 0) exact.add(right == labelled);
  cells += labelled;
  right_cells += right;
}

Json to_json(const RowRates& rates) {
  return {{"exact", rate_json(rates.exact)}, {"token_accuracy", rates.token_accuracy()}};
}

std::optional<double> mean_steps(std::int64_t made, std::int64_t rows, std::int64_t steps) {
  if (made == rows * steps) return std::nullopt;
  return static_cast<double>(made) / static_cast<double>(rows);
}

std::int64_t steps_made(const Answers& answers) {
  return std::accumulate(answers.made.begin(), answers.made.end(), std::int64_t{0});
}

std::string mean_steps_text(const std::optional<double>& mean) {
  if (!mean) return "";
  char line[64];
  std::snprintf(line, sizeof line, "supervision steps made on average: %.2f\n", *mean);
  return line;
}

void StepRates::add(const Answers& answers, const std::vector<std::int32_t>& labels) {
  if (answers.made.empty()) return;
  const auto length = labels.size() / answers.made.size();
  for (std::size_t s = 0; s < after.size(); ++s) {
    for (std::size_t i = 0; i < answers.made.size(); ++i) {
      after[s].add(std::span(answers.steps[s]).subspan(i * length, length),
                   std::span(labels).subspan(i * length, length));
    }
  }
  rows += std::ssize(answers.made);
  made += steps_made(answers);
}

Json to_json(const StepRates& rates, bool per_step) {
  Json json = Json::object();
  if (per_step) {
    for (const auto& step : rates.after) json["per_supervision_step"].push_back(to_json(step));
  }
  if (const auto mean = rates.mean_steps()) json["mean_steps"] = *mean;
  return json;
}

std::string step_table(const StepRates& rates) {
  std::string table = "after supervision step      exact [95 %]            tokens\n";
  for (std::size_t s = 0; s < rates.after.size(); ++s) {
    char line[128];
    std::snprintf(line, sizeof line, "  %-22zu  %s   %.4f\n", s + 1, rate_text(rates.after[s].exact).c_str(),
                  rates.after[s].token_accuracy());
    table += line;
  }
  return table + mean_steps_text(rates.mean_steps());
}

}  // namespace dis
