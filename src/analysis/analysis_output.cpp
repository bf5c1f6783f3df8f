// The forms that an analysis is written in: JSON, and tables for a terminal.
#include <cmath>
#include <cstdio>

#include "dis/analysis/analysis.h"
#include "dis/analysis/latent_run.h"
#include "dis/eval/intervals.h"

namespace dis {
namespace {

template <class... Arguments>
std::string print(const char* format, Arguments... arguments) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer, format, arguments...);
  return buffer;
}

double ratio(double sum, std::int64_t count) { return count == 0 ? 0.0 : sum / static_cast<double>(count); }

/// Lists stay empty, and there is no "best", where there is no cell.
Json curve_json(const GuidanceCurve& curve) {
  Json json = {{"cells", curve.cells()}};
  for (const char* key : {"loss", "margin", "curvature", "positive", "correct"}) json[key] = Json::array();
  if (curve.cells() == 0) return json;
  const auto mean = [&](double sum) { return ratio(sum, curve.cells()); };
  for (const auto& point : curve.points()) {
    json["loss"].push_back(mean(point.loss));
    json["margin"].push_back(mean(point.margin));
    json["curvature"].push_back(mean(point.curvature));
    json["positive"].push_back(mean(static_cast<double>(point.positive)));
    json["correct"].push_back(mean(static_cast<double>(point.right)));
  }
  const auto best = curve.best();
  json["best"] = {{"w", best->w}, {"loss", best->loss}, {"at_end_of_grid", best->at_end}};
  return json;
}

Json step_json(const StepAnalysis& step, std::int64_t number, const Analysis& analysis) {
  Json json = {{"step", number},
               {"exact", rate_json({step.exact[step.all.grid().plain()], analysis.rows})},
               {"rows_with_positive_margin", rate_json({step.improved_rows, analysis.rows})},
               {"distance", ratio(static_cast<double>(step.wrong_cells), step.all.cells())},
               {"target_distance",
                analysis.has_targets ? Json(ratio(static_cast<double>(step.target_cells), step.all.cells())) : Json()},
               {"wrong_to_right", step.wrong_to_right},
               {"right_to_wrong", step.right_to_wrong},
               {"wrong_to_wrong", step.wrong_to_wrong},
               {"all", curve_json(step.all)},
               {"wrong_before", curve_json(step.wrong_before)}};
  for (const auto hits : step.exact) json["exact_by_guidance"].push_back(rate_json({hits, analysis.rows}));
  return json;
}

/// Tokens as a text, "1 2 1 1 ...", "-" where there is none: a line of a file, and not one per token.
std::string tokens_text(const std::vector<std::int32_t>& tokens) {
  std::string text;
  for (const auto token : tokens) text += (text.empty() ? "" : " ") + (token < 0 ? "-" : std::to_string(token));
  return text;
}

Json row_json(const AnalysedRow& row) {
  Json json = {{"name", row.name},
               {"exact", row.exact},
               {"input", tokens_text(row.input)},
               {"label", tokens_text(row.label)},
               {"answers", Json::array()},
               {"margin", row.margin}};
  for (const auto& answer : row.answers) json["answers"].push_back(tokens_text(answer));
  return json;
}

struct RemovalSums {
  std::int64_t trials = 0, changed = 0, with = 0, without = 0;
};

RemovalSums sums_of(const std::vector<RemovalAnalysis>& removed) {
  RemovalSums sums;
  for (const auto& pass : removed) {
    sums.trials += pass.trials;
    sums.changed += pass.changed;
    sums.with += pass.exact_with;
    sums.without += pass.exact_without;
  }
  return sums;
}

Json passes_json(const Analysis& analysis) {
  const auto per_step = std::ssize(analysis.latent) / std::ssize(analysis.steps);
  Json json = Json::array();
  for (std::int64_t p = 0; p < std::ssize(analysis.latent); ++p) {
    const auto& latent = analysis.latent[static_cast<std::size_t>(p)];
    const auto& removed = analysis.removed[static_cast<std::size_t>(p)];
    Json entry = {{"step", p / per_step + 1}, {"pass", p % per_step}};
    if (latent.cells > 0) {
      entry["cells"] = latent.cells;
      entry["margin"] = ratio(latent.margin, latent.cells);
      entry["positive"] = ratio(static_cast<double>(latent.positive), latent.cells);
      entry["loss_before"] = ratio(latent.loss_before, latent.cells);
      entry["loss_after"] = ratio(latent.loss_after, latent.cells);
    }
    entry["removed"] = {{"trials", removed.trials},
                        {"changed", removed.changed},
                        {"exact_with", removed.exact_with},
                        {"exact_without", removed.exact_without}};
    json.push_back(std::move(entry));
  }
  return json;
}

/// Mean share of the steps that come after the last change of the answer.
double dead_steps(const Analysis& analysis) {
  double dead = 0.0;
  const auto N = static_cast<double>(analysis.steps.size());
  for (std::size_t s = 0; s < analysis.last_change.size(); ++s) {
    dead += static_cast<double>(analysis.last_change[s]) * (N - 1 - static_cast<double>(s)) / N;
  }
  return ratio(dead, analysis.rows);
}

Json exits_json(const Analysis& analysis, std::int64_t passes_per_step) {
  Json json = Json::array();
  for (std::size_t i = 0; i < analysis.rules.size(); ++i) {
    const auto& count = analysis.exits[i];
    json.push_back({{"rule", analysis.rules[i].name},
                    {"threshold", analysis.rules[i].threshold},
                    {"passes", ratio(static_cast<double>(count.steps * passes_per_step), count.rows)},
                    {"exact", rate_json({count.exact, count.rows})},
                    {"solved_as_last", ratio(static_cast<double>(count.solved_as_last), count.rows)}});
  }
  return json;
}

/// The best w; ">= 3" where L still falls at the end of the grid.
std::string best_text(const GuidanceCurve::Best& best) {
  return best.at_end ? print(best.w > 0.0 ? ">= %g" : "<= %g", best.w) : print("%.2f", best.w);
}

std::string curve_columns(const GuidanceCurve& curve) {
  if (curve.cells() == 0) return print("%9s %6s", "-", "-");
  const auto& plain = curve.points()[curve.grid().plain()];
  return print("%+9.4f %6.3f", ratio(plain.margin, curve.cells()),
               ratio(static_cast<double>(plain.positive), curve.cells()));
}

}  // namespace

Json to_json(const Analysis& analysis, const Session& session, const EvaluationTarget& target) {
  const auto& shape = session.model->shape();
  const auto per_step = passes_per_step(shape);
  const auto side = std::llround(std::sqrt(static_cast<double>(shape.length)));
  const auto columns = side * side == shape.length ? side : shape.length;
  Json json = {
      {"run", target.run},
      {"checkpoint", target.name},
      {"weights", target.weights},
      {"algorithm", to_string(session.config.method.algorithm)},
      {"data", {{"kind", to_string(session.config.data.kind)}, {"rows", shape.length / columns}, {"columns", columns}}},
      {"rows", analysis.rows},
      {"observed_rows", analysis.observed_rows},
      {"passes_per_step", per_step},
      {"guidance", Json::array()},
      {"steps", Json::array()},
      {"passes", passes_json(analysis)}};
  if (!target.seen_tasks.empty()) json["warning"] = target.seen_tasks;
  const auto& grid = analysis.steps.front().all.grid();
  for (std::size_t w = 0; w < grid.size(); ++w) json["guidance"].push_back(grid.at(w));
  std::int64_t number = 0;
  for (const auto& step : analysis.steps) json["steps"].push_back(step_json(step, ++number, analysis));
  const auto removal = sums_of(analysis.removed);
  json["dead_compute"] = {{"last_change", analysis.last_change},
                          {"steps_after_last_change", dead_steps(analysis)},
                          {"removals_without_effect", rate_json({removal.trials - removal.changed, removal.trials})},
                          {"exits", exits_json(analysis, per_step)}};
  json["examples"] = Json::array();
  if (analysis.siblings) json["siblings"] = to_json(*analysis.siblings);
  for (const auto* list : {&analysis.failures, &analysis.successes}) {
    for (const auto& row : *list) json["examples"].push_back(row_json(row));
  }
  return json;
}

std::string report_text(const Analysis& analysis, const Session& session) {
  const auto& shape = session.model->shape();
  const auto per_step = passes_per_step(shape);
  std::string text = std::to_string(analysis.rows) + " rows, " + std::to_string(analysis.steps.front().all.cells()) +
                     " labelled cells; margins in nats, mean over cells and share of cells with a positive one\n\n";
  text += print("%-6s%16s%22s%19s%17s%10s%10s%10s%10s\n", "step", "margin (all)", "(wrong before)", "L: w = 0, 1",
                "best w, L", "to right", "to wrong", "distance", "target");
  std::int64_t number = 0;
  for (const auto& step : analysis.steps) {
    const auto& points = step.all.points();
    const auto best = step.all.best();
    text += print("%-6lld%s      %s  %8.4f %8.4f   %6s %7.4f%10lld%10lld%10.4f", static_cast<long long>(++number),
                  curve_columns(step.all).c_str(), curve_columns(step.wrong_before).c_str(),
                  ratio(points.front().loss, step.all.cells()),
                  ratio(points[step.all.grid().plain()].loss, step.all.cells()), best_text(*best).c_str(), best->loss,
                  static_cast<long long>(step.wrong_to_right), static_cast<long long>(step.right_to_wrong),
                  ratio(static_cast<double>(step.wrong_cells), step.all.cells()));
    text += analysis.has_targets ? print("%10.4f\n", ratio(static_cast<double>(step.target_cells), step.all.cells()))
                                 : "\n";
  }
  text += "step 1 is compared with the readout of a constant\n\nexact rows by guidance w, after the last step\n";
  const auto& last = analysis.steps.back();
  for (std::size_t w = 0; w < last.exact.size(); ++w) {
    text += print("  w %-6.3g%s\n", last.all.grid().at(w), rate_text({last.exact[w], analysis.rows}).c_str());
  }
  const auto removal = sums_of(analysis.removed);
  text += print("\ndead compute: %.3f of the steps come after the last change of the answer", dead_steps(analysis));
  if (removal.trials > 0) {
    text += "\n" + rate_text({removal.trials - removal.changed, removal.trials}) + " of " +
            std::to_string(removal.trials) + " passes left out, one at a time, did not change the answer (exact " +
            print("%.3f with, %.3f without)", ratio(static_cast<double>(removal.with), removal.trials),
                  ratio(static_cast<double>(removal.without), removal.trials));
  }
  text += print("\n\n%-20s%10s%10s  %s\n", "exit rule", "threshold", "passes", "exact [95 %]");
  for (std::size_t i = 0; i < analysis.rules.size(); ++i) {
    const auto& rule = analysis.rules[i];
    const auto& count = analysis.exits[i];
    const bool thresholded = rule.name != "agreement" && rule.name != "last change";
    text += print("%-20s%10s%10.1f  %s\n", rule.name.c_str(), thresholded ? print("%g", rule.threshold).c_str() : "",
                  ratio(static_cast<double>(count.steps * per_step), count.rows),
                  rate_text({count.exact, count.rows}).c_str());
  }
  if (analysis.siblings) text += siblings_text(*analysis.siblings);
  return text;
}

}  // namespace dis
