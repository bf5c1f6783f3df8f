#include "dis/eval/evaluate.h"

#include <ATen/ATen.h>

#include <cstdio>
#include <numeric>

#include "dis/core/files.h"
#include "dis/core/json.h"
#include "dis/core/memory.h"
#include "dis/model/loss_of.h"
#include "kind_evaluation.h"

namespace dis {
namespace {

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

Json result_head(const Session& session, const EvalConfig& eval, const EvaluationTarget& target) {
  Json head = {{"run", target.run},
               {"checkpoint", target.name},
               {"weights", target.weights},
               {"dtype", session.compute.type == at::kBFloat16 ? "bfloat16" : "float32"}};
  if (!target.variant.settings.empty()) head["settings"] = target.variant.settings;
  head["settings_hash"] = hash_of_settings(session, eval);
  return head;
}

Evaluation evaluate(const Session& session, const EvalConfig& eval, const EvaluationTarget& target) {
  if (session.ranks->first()) ensure_folder(target.folder);
  const bool guided = eval.guidance != 1.0;
  auto named = target;
  named.name = name_for(target, hash_of_settings(session, eval));
  auto evaluation = with_memory_advice(
      "evaluating with " + std::to_string(eval.batch) + " rows at once", try_half("eval.batch", eval.batch),
      [&] { return evaluation_of(session.config.data.kind).evaluate(session, eval, named); });
  auto head = result_head(session, eval, target);
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
  return evaluation_of(session.config.data.kind).count(session, eval);
}

std::int64_t evaluated_steps(const Session& session, const EvalConfig& eval) {
  return eval.steps > 0 ? eval.steps : session.config.method.num_supervision;
}

DecodeSettings decode_settings(const Session& session, const EvalConfig& eval) {
  const auto seed = static_cast<std::uint64_t>(session.config.run.seed);
  return {session.config.method.feedback,
          loss_of(session.config.method),
          eval.batch,
          session.ranks.get(),
          eval.guidance,
          eval.halting,
          asked_puzzle_rows(eval.puzzle_row, session.data->shape().identifiers, seed),
          evaluated_draws(session.config.method, eval, seed)};
}

std::vector<bool> seen_marks(const PairList& tested, const EvaluationTarget& target) {
  if (!target.seen_pairs) return {};
  return marks_of(tested, target.seen_pairs->pairs);
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

}  // namespace dis
